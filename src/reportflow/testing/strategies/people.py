"""Who acts: a few people of a few units, with some of a lifecycle's roles."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reportflow.analysis.samples import PEOPLE, UNITS
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Secrecy


def actors(lifecycle: Lifecycle) -> SearchStrategy[Actor]:
    """One of a few people, with some of the lifecycle's roles, none, or all.

    Some act for another one. Shrinks to one person of the first unit, with the lowest clearance and no role.
    """
    every = frozenset(lifecycle.roles)
    some = st.frozensets(st.sampled_from(sorted(every))) if every else st.just(every)
    return st.builds(
        Actor,
        id=st.sampled_from(PEOPLE),
        roles=st.builds(lambda all_of_them, them: every if all_of_them else them, st.booleans(), some),
        unit=st.sampled_from(UNITS),
        clearance=st.sampled_from(Secrecy),
        on_behalf_of=st.none() | st.sampled_from(PEOPLE),
    )
