"""What a person may do with a record, grouped so that the page of a phone shows it first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME


class Offers(NamedTuple):
    """The options of a record for one person.

    Attributes:
        now: What they may do now, in the order of the table.
        others: What can be done now, but not by them, or not yet by them.
        later: What cannot be done in the state of the record.
    """

    now: tuple[Option, ...]
    others: tuple[Option, ...]
    later: tuple[Option, ...]

    @property
    def first(self) -> str:
        """The trigger of what is done most likely: the first that leads on; blank where there is none."""
        return next((one.trigger for one in self.now if one.row.dest != SAME), "")


def grouped(options: Iterable[Option]) -> Offers:
    """Options by who may take them; what only a step of another act does is none."""
    now, others, later = [], [], []
    for one in options:
        if NOBODY in one.row.roles:
            continue
        if one.allowed:
            now.append(one)
        elif any(refusal.code == "state" for refusal in one.refusals):
            later.append(one)
        else:
            others.append(one)
    return Offers(tuple(now), tuple(others), tuple(later))


def roles_of(option: Option, lifecycle: Lifecycle) -> Sequence[str]:
    """The roles that may take an option, in the order of the table; none where everybody may."""
    return [] if EVERYBODY in option.row.roles else [role for role in lifecycle.roles if role in option.row.roles]
