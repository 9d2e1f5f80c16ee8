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
from reportflow.model.entry import Command, marked
from reportflow.model.record import Record

Known = Person | Actor
#: Who exists: a mapping of ids to `Person` or `Actor`, or a function of some ids that gives such a mapping of those
#: that it knows. That of an asynchronous flow may be a coroutine function.
People = (
    Mapping[str, Known]
    | Callable[[Collection[str]], Mapping[str, Known]]
    | Callable[[Collection[str]], Awaitable[Mapping[str, Known]]]
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
        """Those of some ids that somebody has; none where the host did not say.

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
        named = {name: getattr(after, name) for name in _fields(type(after))}
        new = {
            name: id
            for name, id in named.items()
            if isinstance(id, str) and (not before.version or getattr(before, name) != id)
        }
        if not new or not self:
            return
        known = yield from self.find(frozenset(new.values()))
        names = {id: person.name or id for id, person in known.items()}
        wrong = tuple(
            refusing.refusal(lifecycle, command, code, {"field": name, "person": id}, {"person": names.get(id, id)})
            for name, id in new.items()
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
    """The fields of a record class that name a person."""
    of_this = marked(cls).get("person")
    return _OF_ALL if of_this is None or of_this in _OF_ALL else (*_OF_ALL, of_this)


def _checked(person: Any) -> Known:
    if not isinstance(person, Person | Actor):
        raise InvalidValue("people", *type_problem("Person", person))
    return person
