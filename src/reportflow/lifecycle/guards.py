"""Guards: conditions on a row beyond state and role, as frozen data; and those that every office needs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import attrs

from reportflow.errors import Refusal
from reportflow.i18n.catalog import NO_LABELS, Labels
from reportflow.model.actor import Actor
from reportflow.model.checks import plain_text
from reportflow.model.entry import Command
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record

R = TypeVar("R", bound=Record)
D = TypeVar("D")

#: What a guard's function returns: True to let pass, False to refuse, a mapping to refuse with these facts.
Answer = bool | Mapping[str, object]


def _frozen(value: Mapping[str, str]) -> FrozenDict[str, str]:
    return FrozenDict(value)


@attrs.frozen(kw_only=True)
class Guard:
    """A condition on a row, beyond state and role: pure, and able to say why not.

    Attributes:
        code: The stable code of its refusal.
        test: Takes the record (for a creation the draft) and the command; returns True, False, or a mapping of
            facts with which it refuses.
        texts: language -> template of the refusal, filled with ``id``, ``actor``, ``trigger`` and the facts; people in
            it are called by name, where that is known.
        reads_details: Whether it looks at the details: then an offer cannot judge it, and it only runs on
            details of the right class.
    """

    code: str = attrs.field(converter=plain_text)
    test: Callable[[Any, Command], Answer]
    texts: Mapping[str, str] = attrs.field(factory=dict, converter=_frozen)
    reads_details: bool = False

    def refusal(self, record: Record, command: Command, labels: Labels = NO_LABELS) -> Refusal | None:
        """Why not, or None. `labels` are those of the lifecycle, for the text.

        Raises:
            TypeError: the test returned something else than True, False or a mapping.
            Exception: whatever the test raises.
        """
        answer = self.test(record, command)
        if answer is True:
            return None
        if answer is not False and not isinstance(answer, Mapping):
            raise TypeError(f"the guard '{self.code}' returned {answer!r}; it must return True, False or a mapping")
        actor = command.actor
        known = {"lifecycle": record.kind, "id": record.id, "actor": actor.id, "name": actor.name or actor.id}
        facts = {**known, "trigger": command.trigger, **(answer or {})}
        people = {"actor": actor.name} if actor.name and facts["actor"] == actor.id else {}
        return Refusal(code=self.code, params=facts, people=people, texts=self.texts, labels=labels)

    def __reduce__(self) -> tuple[Any, ...]:
        # a function that was decorated with `guard` goes by the name of the guard that took its place
        place = (getattr(self.test, "__module__", ""), getattr(self.test, "__qualname__", ""))
        found = _named(*place)
        decorated = isinstance(found, Guard) and found.test is self.test
        return _unpickled, (place if decorated else self.test, self.code, self.texts, self.reads_details)


def _named(module: str, name: str) -> object:
    """What stands in a module under a name; None where nothing does."""
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _unpickled(test: Any, code: str, texts: Mapping[str, str], reads_details: bool) -> Guard:
    if isinstance(test, tuple):
        importlib.import_module(test[0])
        found = _named(*test)
        if not isinstance(found, Guard):
            raise AttributeError(f"{'.'.join(test)} is no guard any more")
        test = found.test
    return Guard(code=code, test=test, texts=texts, reads_details=reads_details)


def guard(
    code: str, texts: Mapping[str, str] | None = None, *, reads_details: bool = False
) -> Callable[[Callable[[R, Command[D]], Answer]], Guard]:
    """Make a guard of a function ``(record, command) -> True | False | facts``; a decorator.

    ::

        @guard("too_long", {"en": "At most 30 days, not {days}."}, reads_details=True)
        def at_most_thirty_days(record: Leave, command: Command[Ask]) -> Answer:
            return command.details.days <= 30 or {"days": command.details.days}
    """

    def decorate(test: Callable[[R, Command[D]], Answer]) -> Guard:
        return Guard(code=code, test=test, texts=texts or {}, reads_details=reads_details)

    return decorate


def persons(actor: Actor) -> frozenset[str]:
    """The ids of all persons who act in an act: the actor, and whom they act for. A guard about persons means both."""
    return frozenset({actor.id} if actor.on_behalf_of is None else {actor.id, actor.on_behalf_of})


def nobody_from(*fields: str) -> Guard:
    """Separation of duties: not the person whose id stands in one of these fields of the record. Code ``same_person``.

    Neither may they act for another person, nor another person for them. A field may hold several ids: so a row that
    sets it to `persons` of its actor keeps both from the guarded one.
    """
    return Guard(code="same_person", test=partial(_not_from, fields))


def _not_from(fields: tuple[str, ...], record: Record, command: Command) -> Answer:
    actor = command.actor
    for field in fields:
        held = getattr(record, field)
        for person in persons(actor).intersection((held,) if isinstance(held, str | None) else held):
            name = actor.name or actor.id if person == actor.id else person
            return {"field": field, "actor": person, "name": name}
    return True


def has(field: str) -> Guard:
    """The record's field must be filled. Code ``missing``."""
    return Guard(code="missing", test=partial(_filled, field))


def _filled(field: str, record: Record, command: Command) -> Answer:
    return bool(getattr(record, field)) or {"field": field}


def changes(*fields: str) -> Guard:
    """The details must change something: one of these fields, which record and details both have. Code ``unchanged``.

    A field of the details that is None changes nothing.
    """
    return Guard(code="unchanged", test=partial(_changes, fields), reads_details=True)


def _changes(fields: tuple[str, ...], record: Record, command: Command) -> Answer:
    given = [(getattr(command.details, field), getattr(record, field)) for field in fields]
    return any(new is not None and new != old for new, old in given)


def _assigned_to_actor(record: Record, command: Command) -> Answer:
    assigned = record.assignee is None or record.assignee in persons(command.actor)
    return assigned or {"assignee": record.assignee}


#: Not the one who created the record, nor the one for whom it was created. Code ``same_person``.
not_the_creator: Final = nobody_from("created_by", "created_for")
#: Not while the record is assigned to another person than those who act. Code ``not_assignee``.
only_the_assignee: Final = Guard(code="not_assignee", test=_assigned_to_actor)
