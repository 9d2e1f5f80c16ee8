"""Whom a host knows: the people that an act names are looked up, and so are the names in its refusals.

The library keeps no users. Where a host can say who exists (`people=` of a flow), an act that puts a person's id into a
record is refused where nobody has that id, or where that person would not see the record: else it would leave every
inbox, and nobody would know why. Without `people=` nothing is judged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final

import attrs

from reportflow.errors import InvalidValue, Refusal
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, lookup, store
from reportflow.lifecycle import refusing
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Person, Secrecy
from reportflow.model.checks import cache_by_class, type_problem
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.model.values import MARK, PERSON

Known = Person | Actor
#: Who exists: a mapping of ids to `Person` or `Actor`, or to a name alone, or a function of some ids that gives such a
#: mapping of those that it knows. That of an asynchronous flow may be a coroutine function.
People = (
    Mapping[str, Known | str]
    | Mapping[str, Person]
    | Mapping[str, Actor]
    | Mapping[str, str]
    | Callable[[Collection[str]], Mapping[str, Any]]
    | Callable[[Collection[str]], Awaitable[Mapping[str, Any]]]
)

#: The fields of every record that name a person.
_OF_ALL: Final = ("assignee",)
#: The facts of a refusal that are ids of persons, beside the marked fields of its record.
_FACTS: Final = ("assignee", "created_by", "person", "actor")


class Directory:
    """The people of a flow; nobody is judged where its host did not say who exists.

    Raises:
        InvalidValue: neither a mapping nor a function.
    """

    def __init__(self, definitions: Definitions, people: People | None) -> None:
        if people is not None and not isinstance(people, Mapping) and not callable(people):
            raise InvalidValue("people", *type_problem("Mapping[str, Person] | Callable", people))
        self._definitions = definitions
        self._people = people

    def __bool__(self) -> bool:
        return self._people is not None

    def find(self, ids: Collection[str]) -> Effects[Mapping[str, Known]]:
        """The people of some ids, as far as there are any; none where the host did not say.

        Raises:
            InvalidValue: what the host gave is no mapping of ids to people.
        """
        people = self._people
        if people is None or not ids:
            return {}
        if isinstance(people, Mapping):
            return {id: _checked(people[id]) for id in ids if id in people}
        found = yield from lookup(people, ids)
        if not isinstance(found, Mapping):
            raise InvalidValue("people", *type_problem("Mapping[str, Person]", found))
        return {id: _checked(found[id]) for id in ids if id in found}

    def check_named(self, lifecycle: Lifecycle, before: Record, after: Record, command: Command) -> Effects[None]:
        """See that the people whom an act newly names in a record exist and would see it.

        Raises:
            TransitionRefused: with the codes ``unknown_person`` and ``person_out_of_sight``.
        """
        if not self:
            return
        new = [
            (name, id)
            for name in _fields(type(after))
            for id in _ids(getattr(after, name))
            if not before.version or id not in _ids(getattr(before, name))
        ]
        known = yield from self.find(frozenset(id for _, id in new))
        names = {id: person.name or id for id, person in known.items()}
        wrong = tuple(
            refusing.refusal(lifecycle, command, code, {"field": name, "person": id}, {"person": names.get(id, id)})
            for name, id in new
            for code in self._why_not(id, known.get(id), after)
        )
        if wrong:
            raise refusing.refused(lifecycle, before, command.trigger, wrong)

    def _why_not(self, id: str, person: Known | None, record: Record) -> Iterable[str]:
        if person is None:
            yield "unknown_person"
        elif not self._sees(id, person, record):
            yield "person_out_of_sight"

    def _sees(self, id: str, person: Known, record: Record) -> bool:
        """Whether a person would see a record, as far as the host says how far they reach."""
        clearance = Secrecy.TOP_SECRET if person.clearance is None else person.clearance
        if person.roles is None:
            return record.secrecy <= clearance
        actor = Actor(id=id, roles=person.roles, unit=person.unit, clearance=clearance)
        return self._definitions.sees(record, actor)

    def name_all(
        self, refusals: Iterable[Refusal], record: Record | None, actor: Actor
    ) -> Effects[tuple[Refusal, ...]]:
        """Refusals with the names of the people in them: as the host gives them, else as the history does."""
        several = tuple(refusals)
        facts = {*_FACTS, *(() if record is None else _fields(type(record)))}
        sought: dict[str, str] = {}
        for one in several:
            for fact in facts - one.people.keys():
                id = one.params.get(fact)
                if isinstance(id, str) and id and (fact != "actor" or one.params.get("name") == id):
                    sought[id] = ""
        if not sought:
            return several
        sought.update({id: person.name for id, person in (yield from self.find(sought)).items()})
        if record is not None and record.version and not all(sought.values()):
            rule = self._definitions.visibility(actor)
            for entry in (yield from store.history([record.id])):
                if entry.actor.id in sought and entry.actor.name and rule.reads(record, entry):
                    sought[entry.actor.id] = entry.actor.name
        return tuple(_with_names(one, facts, {id: name for id, name in sought.items() if name}) for one in several)


def _with_names(refusal: Refusal, facts: Iterable[str], names: Mapping[str, str]) -> Refusal:
    found = {fact: names[id] for fact in facts if isinstance(id := refusal.params.get(fact), str) and id in names}
    if "actor" in found:
        found["name"] = found["actor"]  # what they are called, which was not known
    return attrs.evolve(refusal, people={**found, **refusal.people}) if found else refusal


@cache_by_class
def _fields(cls: type[Any]) -> tuple[str, ...]:
    """The fields of a record class that name persons: the assignee, and those that are marked."""
    marks = ((field.name, field.metadata.get(MARK)) for field in attrs.fields(cls))
    return tuple(dict.fromkeys((*_OF_ALL, *(name for name, mark in marks if mark == PERSON[MARK]))))


def _ids(value: object) -> tuple[str, ...]:
    """The ids that such a field holds: one, several or none."""
    several = (value,) if isinstance(value, str) else value if isinstance(value, Iterable) else ()
    return tuple(one for one in several if isinstance(one, str))


def _checked(person: Any) -> Known:
    if isinstance(person, Person | Actor):
        return person
    if isinstance(person, str):
        return Person(person)
    raise InvalidValue("people", *type_problem("Person", person))
