"""Who might do something with a record: a few people with a role that counts, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from reportflow.analysis.samples import PEOPLE, UNITS
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY, Transition
from reportflow.model.actor import Actor, ActorKind, Secrecy
from reportflow.model.checks import is_blank
from reportflow.model.record import Record
from reportflow.model.values import field_names

#: Further people, where a guard wants several who differ.
_CROWD: Final = ("dan", "eva", "fay", "gil", "hua", "ida", "jan")
_LONGEST_NAME: Final = 40
#: How many texts of a record may be names.
_NAMES: Final = 20
_NO_PERSON: Final = frozenset({"id", "kind", "state", "unit", "title", "text", "category", "secrecy", "parent"})


def able(lifecycle: Lifecycle, row: Transition, record: Record) -> Iterator[Actor]:
    """Who might fire a row on a record, the likeliest first: people of a few names, and those whom the record names.

    Each has a role that the row takes, where its scope holds; what the guards say is not asked. The last of them act
    for another one, and there are more people than any record names: a guard may want several who differ.
    """
    taken = tuple(role for role in lifecycle.roles if role in row.roles or EVERYBODY in row.roles)
    known = tuple(dict.fromkeys((*PEOPLE, *named(record))))
    found = _candidates(known, taken, frozenset(lifecycle.roles), record.unit or UNITS[0], record.secrecy)
    # whose a draft will be is only known when it is created
    return (one for one in found if not record.version or lifecycle.permits(row, record, one))


@lru_cache
def _candidates(
    known: tuple[str, ...], taken: tuple[str, ...], every: frozenset[str], home: str, secrecy: Secrecy
) -> tuple[Actor, ...]:
    """With one role in the record's unit; with all roles there; of another unit, and cleared for all; a system.

    Then more people with all roles, and such as act for another one.
    """
    units = tuple(dict.fromkeys((home, *UNITS)))
    top = Secrecy.TOP_SECRET
    return tuple(
        dict.fromkeys(
            (
                *(Actor(id=one, roles={role}, unit=home, clearance=secrecy) for role in taken for one in known),
                *(Actor(id=one, roles=every, unit=home, clearance=secrecy) for one in known),
                *(Actor(id=one, roles=every, unit=unit, clearance=top) for unit in units for one in known),
                Actor(id="system", roles=every, unit=home, clearance=top, kind=ActorKind.SYSTEM),
                *(Actor(id=one, roles=every, unit=home, clearance=top) for one in _CROWD),
                *(
                    Actor(id=one, roles=every, unit=home, clearance=top, on_behalf_of=other)
                    for one in PEOPLE
                    for other in known
                    if one != other
                ),
            )
        )
    )


def named(record: Record) -> Iterator[str]:
    """The people that a record may name: its creator and authors, and whatever text a guard may compare with."""
    texts = (getattr(record, name) for name in field_names(type(record)) if name not in _NO_PERSON)
    several = [one for held in texts for one in (held if isinstance(held, tuple | frozenset) else (held,))]
    for text in (record.created_by, *record.labels().get("author", ()), *several[:_NAMES]):
        if isinstance(text, str) and not is_blank(text) and len(text) < _LONGEST_NAME:
            yield text
