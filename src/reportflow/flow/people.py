"""Whom a host knows: the people that an act names are looked up, and so are the names in histories and refusals.

The library keeps no users. Where a host can say who exists (`people=` of a flow), an act that puts a person's id into a
record is refused where nobody has that id, or where that person would not see the record: else it would leave every
inbox, and nobody would know why. A form finds people by a search. Without `people=` nothing is judged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol, runtime_checkable

import attrs

from reportflow.errors import InvalidValue, Refusal
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, ask_host, store
from reportflow.flow.requests import actor_of
from reportflow.lifecycle import refusing
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasable import ACTOR
from reportflow.model.actor import Actor, Person, Secrecy
from reportflow.model.checks import cache_by_class, text_problem, type_problem
from reportflow.model.entry import Command, Entry
from reportflow.model.query import LIMIT, check_range, folded
from reportflow.model.record import Record
from reportflow.model.values import MARK, PERSON, changed

Known = Person | Actor
#: Who exists: a mapping of ids to `Person` or `Actor`, or to a name alone, or a function of some ids that gives such a
#: mapping of those that it knows. That of an asynchronous flow may be a coroutine function. A mapping can be searched;
#: a function where it is an object that is a `SupportsSearch` too.
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


@runtime_checkable
class SupportsSearch(Protocol):
    """People of a host that are found by a text, beside a mapping or a function of ids."""

    def search(
        self, text: str, *, limit: int, by: Actor
    ) -> Mapping[str, Known | str] | Awaitable[Mapping[str, Known | str]]:
        """The people that a text finds, by id, the best first: for a field of a form.

        Args:
            text: What was typed so far; blank for anybody.
            limit: How many are shown at the most.
            by: Who asks: whom they may find is for the host to say.
        """
        ...


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
        found = people if isinstance(people, Mapping) else _mapping((yield from ask_host(partial(people, ids))))
        return {id: _checked(found[id]) for id in ids if id in found}

    def shown(self, asked: str | Collection[str], actor: Actor, limit: int) -> Effects[dict[str, Person]]:
        """What a form shows of the people that a text finds, the best first, or of those who have some ids.

        Of each the name, the post and the unit: their roles and clearance are not for others.

        Raises:
            InvalidValue: no text and no ids, a limit that is none, people that cannot be searched, or what the host
                gave is no mapping of ids to people.
        """
        actor_of(actor)
        check_range("limit", limit, 1, LIMIT)
        if isinstance(asked, str):
            found = yield from self._search(asked, limit, actor)
        elif isinstance(asked, Collection) and all(isinstance(id, str) for id in asked):
            found = yield from self.find(asked)
        else:
            raise InvalidValue("asked", *type_problem("str | Collection[str]", asked))
        return {id: Person(one.name, one.post, one.unit) for id, one in islice(found.items(), limit)}

    def _search(self, text: str, limit: int, actor: Actor) -> Effects[Mapping[str, Known]]:
        problem = text_problem(text)
        if problem:
            raise InvalidValue("asked", *problem)
        people = self._people
        if isinstance(people, SupportsSearch):
            found = _mapping((yield from ask_host(lambda: people.search(text, limit=limit, by=actor))))
            return {id: _checked(one) for id, one in found.items() if isinstance(id, str)}
        if not isinstance(people, Mapping):
            raise InvalidValue("people", "not_searchable")
        words = folded(text).split()
        every = ((id, _checked(one)) for id, one in people.items())
        return dict(islice(((id, one) for id, one in every if _has(words, id, one)), limit))

    def name_actors(
        self, found: Mapping[str, list[Entry]], histories: Mapping[str, Sequence[Entry]]
    ) -> Effects[Mapping[str, list[Entry]]]:
        """Entries as they are read, with the names of those who acted where the entry itself has none.

        A name that was erased from an entry stays away.

        Args:
            found: What is read of some records, by id.
            histories: All entries of the same records.
        """
        if not self:
            return found
        erased = {
            (id, one.sequence)
            for id, history in histories.items()
            for entry in history
            for one in entry.erased
            if ACTOR in one.fields
        }

        def is_nameless(entry: Entry) -> bool:
            return not entry.actor.name and (entry.record_id, entry.sequence) not in erased

        several = (entry for entries in found.values() for entry in entries)
        known = yield from self.find(frozenset(entry.actor.id for entry in several if is_nameless(entry)))
        if not known:
            return found
        return {
            id: [_signed(entry, known.get(entry.actor.id)) if is_nameless(entry) else entry for entry in entries]
            for id, entries in found.items()
        }

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


def _has(words: Iterable[str], id: str, person: Known) -> bool:
    """Whether each word is in the id, name, post or unit of a person."""
    places = [folded(place) for place in (id, person.name, person.post, person.unit)]
    return all(any(word in place for place in places) for word in words)


def _signed(entry: Entry, person: Known | None) -> Entry:
    """An entry whose actor has the name of a person, and the post where it has none."""
    if person is None or not person.name:
        return entry
    post = entry.actor.post or person.post
    return changed(entry, {"actor": changed(entry.actor, {"name": person.name, "post": post})})


def _mapping(found: Any) -> Mapping[str, Any]:
    """What a host gave of some people."""
    if not isinstance(found, Mapping):
        raise InvalidValue("people", *type_problem("Mapping[str, Person]", found))
    return found


def _checked(person: Any) -> Known:
    if isinstance(person, Person | Actor):
        return person
    if isinstance(person, str):
        return Person(person)
    raise InvalidValue("people", *type_problem("Person", person))
