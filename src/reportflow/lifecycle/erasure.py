"""Erasing: what remains of a record and its history when a part of their content is removed.

Theory of operation. The digest of an entry covers a commitment to its content, not the content itself. So content can
be removed while every digest stays: of each entry that is touched, what remains is committed to anew, under a new
salt, and the new commitment stands in the entry of the act that erased, which the chain covers in turn. The header of
the entry (ids, times, codes, the old commitment) never changes.

The record is the fold of its history, so it is erased by erasing its entries. That is judged by folding: nothing but
what was named may differ, at any version, nor the steps that past acts asked for.

Pure: the flow reads the history and commits the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import attrs

from reportflow.errors import InvalidValue, ReportflowError
from reportflow.lifecycle.decision import Decision, Remains, complete, steps_of
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasable import ACTOR, REASON, blanks, parts, references, stripped
from reportflow.lifecycle.history import lifecycle_of, replay
from reportflow.lifecycle.soundness import field_of_names, names_erased
from reportflow.lifecycle.table import Step, Transition
from reportflow.model.entry import Command, Entry, Erased, marked
from reportflow.model.record import Record
from reportflow.model.values import changed, field_names
from reportflow.serialization.digest import Sealed, commitment_of, contents_of

#: The problems of names that a history has; each name is then judged by itself, to say which it is.
_OF_HISTORY: Final = frozenset({"erases_other", "erases_derived", "erases_breaks"})
#: The details' field that is marked so says whom an erasure is about.
_PERSON: Final = "person"


class Removal(NamedTuple):
    """What an erasure makes of a history.

    Attributes:
        entries: Those entries of which something is removed, by their sequence, without it.
        fields: What is removed from each of them.
        record: The fold of the whole history then.
    """

    entries: Mapping[int, Entry]
    fields: Mapping[int, tuple[str, ...]]
    record: Record


def remove(
    history: Sequence[Entry], lifecycles: Iterable[Lifecycle], names: Sequence[str], person: str | None, field: str
) -> Removal:
    """Remove what some names stand for, and what is known of a person, from a history.

    Args:
        history: All entries of a record.
        lifecycles: The definitions by which they were made.
        names: See `lifecycle.erasable`; each of something that may be erased.
        person: The id of a person: what is known of them as an actor, each collection with a member of that id, and
            their mark as a party.
        field: Where the names were given, for errors.

    Raises:
        InvalidValue: it would change something else, or what others act by; or the person is nowhere.
    """
    known = list(lifecycles)
    try:
        return _removed(history, known, names, person, field)
    except InvalidValue as error:
        if error.problem in _OF_HISTORY and len(names) > 1:
            for name in names:
                _removed(history, known, [name], None, field)
        raise


def _removed(
    history: Sequence[Entry], lifecycles: Sequence[Lifecycle], names: Sequence[str], person: str | None, field: str
) -> Removal:
    entries: dict[int, Entry] = {}
    fields: dict[int, tuple[str, ...]] = {}
    exempt, found = set(names), False
    for entry in history:
        row = _row(lifecycle_of(entry, lifecycles), entry)
        chosen = {part: None for name in names for part in parts(row, entry, name)}
        if person is not None:
            about = _about(entry, person)
            found = found or bool(about)
            exempt.update(part for part in about if entry.source is None and part != ACTOR)
            exempt.update(name for part in about for name in row.sets if part in parts(row, entry, name))
            chosen.update(dict.fromkeys(about))
        changes = _blanked(entry, chosen)
        if changes:
            fields[entry.sequence] = tuple(sorted(changes))
            entries[entry.sequence] = _without(entry, changes)
    if person is not None and not found:
        raise InvalidValue(_PERSON, "person_nowhere", {"given": person})
    asked = ", ".join([*names, *([] if person is None else [person])])
    judge = _Judge(lifecycles, frozenset(exempt), frozenset(names), person, {"given": asked}, field)
    return Removal(entries, fields, judge.fold(history, entries))


def _row(lifecycle: Lifecycle, entry: Entry) -> Transition:
    found = lifecycle.row(entry.source, entry.trigger)
    if found is None:
        raise lifecycle.failed(entry, "the row", f"none from '{entry.source}' for this entry")
    return found[0]


def _about(entry: Entry, person: str) -> list[str]:
    """The parts of an entry that tell of a person."""
    found = [ACTOR] if entry.actor.id == person else []
    if entry.details is None:
        return found
    cls = type(entry.details)
    party = marked(cls).get("party")
    for name in field_names(cls):
        value = getattr(entry.details, name)
        if _tells_of(value, person) or (name == party and value == person):
            found.append(name)
    return found


def _tells_of(value: object, person: str) -> bool:
    """Whether a value, or one inside it, has the id of a person."""
    if isinstance(value, Mapping):
        return any(_tells_of(one, person) for one in value.values())
    if isinstance(value, tuple | list | frozenset | set):
        return any(_tells_of(one, person) for one in value)
    if not attrs.has(type(value)):
        return False
    contents = {name: getattr(value, name) for name in field_names(type(value))}
    return contents.get("id") == person or any(_tells_of(one, person) for one in contents.values())


def _blanked(entry: Entry, chosen: Iterable[str]) -> dict[str, object]:
    """What parts of an entry read as once they are erased; those that read so already are left out.

    Raises:
        InvalidValue: one of them may not be erased.
    """
    changes: dict[str, object] = {}
    cls = type(entry.details)
    known: Mapping[str, object] = blanks(cls) if attrs.has(cls) else {}
    for part in chosen:
        if part == REASON and entry.reason:
            changes[part] = ""
        elif part == ACTOR and entry.actor != stripped(entry.actor):
            changes[part] = stripped(entry.actor)
        if part in known and getattr(entry.details, part) != known[part]:
            changes[part] = changes.get(part, known[part])
        elif part not in known and part not in (REASON, ACTOR):
            problem = "erases_reference" if part in references(cls) else "not_erasable"
            raise InvalidValue(part, problem, {"given": f"{entry.trigger}.{part}"})
    return changes


def _without(entry: Entry, changes: Mapping[str, object]) -> Entry:
    """An entry, some parts of which were erased."""
    new: dict[str, object] = {}
    if REASON in changes:
        new["reason"] = ""
    if ACTOR in changes:
        new["actor"] = stripped(entry.actor)
    if entry.details is not None:
        blank = blanks(type(entry.details))
        of_details = {name: blank[name] for name in changes if name in blank}
        if of_details:
            new["details"] = changed(entry.details, of_details)
    return changed(entry, new)


@attrs.frozen
class _Judge:
    """Holds the fold of an erased history against that of the history as it was.

    Attributes:
        lifecycles: The definitions.
        exempt: The fields of the record that may differ.
        named: Those that must be gone: their names were given.
        person: Of whom nothing may be left in a field that may differ.
        facts: What was to be erased.
        field: Where that was said.
    """

    lifecycles: Sequence[Lifecycle]
    exempt: frozenset[str]
    named: frozenset[str]
    person: str | None
    facts: Mapping[str, object]
    field: str

    def fold(self, history: Sequence[Entry], erased: Mapping[int, Entry]) -> Record:
        """The fold of the erased history.

        Raises:
            InvalidValue: more would differ than was named, or what was named would stay.
        """
        old: Record | None = None
        new: Record | None = None
        for entry in history:
            lifecycle = lifecycle_of(entry, self.lifecycles)
            row, rest = _row(lifecycle, entry), erased.get(entry.sequence, entry)
            place = {**self.facts, "id": entry.record_id, "sequence": entry.sequence}
            self._compare_steps(lifecycle, row, (old, entry), (new, rest), place)
            before, old = new, lifecycle.fold(old, entry)
            try:
                new = lifecycle.fold(new, rest)
            except ReportflowError as error:
                raise InvalidValue(self.field, "erases_breaks", place) from error
            for name in field_names(type(old)):
                if name not in self.exempt:
                    if getattr(old, name) != getattr(new, name):
                        raise InvalidValue(self.field, "erases_other", {**place, "other": name})
                elif self._stays(row, before, new, name):
                    raise InvalidValue(self.field, "erases_derived", {**place, "other": name})
        assert new is not None, "a history has a first entry"
        return new

    def _stays(self, row: Transition, before: Record | None, after: Record, name: str) -> bool:
        """Whether a field has what was to be erased all the same, since a function makes it of something else."""
        value = getattr(after, name)
        if self.person is not None and _tells_of(value, self.person):
            return True
        if name not in self.named or not callable(row.sets.get(name)):
            return False
        kept = None if before is None else getattr(before, name)
        return bool(value != kept and value != blanks(type(after)).get(name))

    def _compare_steps(
        self,
        lifecycle: Lifecycle,
        row: Transition,
        old: tuple[Record | None, Entry],
        new: tuple[Record | None, Entry],
        place: Mapping[str, object],
    ) -> None:
        """See that a past act asks for the same steps."""
        if row.then is None:
            return
        then, now = (_asked(lifecycle, row, *one) for one in (old, new))
        if then is not None and then != now:
            problem = "erases_breaks" if now is None else "erases_reference"
            raise InvalidValue(self.field, problem, place)


def _asked(lifecycle: Lifecycle, row: Transition, before: Record | None, entry: Entry) -> list[object] | None:
    """What the steps of an act refer to; None where they are not known any more."""
    record = entry.details if before is None else before
    assert isinstance(record, Record), "the first entry has the draft"
    try:
        return [_referred(step) for step in steps_of(lifecycle, row, record, entry)]
    except ReportflowError:
        return None


def _referred(step: Step) -> object:
    """A step, of whose draft only those fields count by which others act: what else is in it is a copy."""
    if isinstance(step.target, str):
        return step
    target = step.target
    by = {name: getattr(target, name) for name in references(type(target))}
    return type(target), by, step.trigger, step.details, step.system


# -- completing an act ------------------------------------------------------------------------------------------


def complete_erasure(
    decided: Decision,
    removal: Removal,
    lifecycle: Lifecycle,
    before: Record,
    command: Command,
    erased: Sequence[Remains] = (),
) -> Decision:
    """The decision of an act that erases, with what it erased.

    Args:
        decided: What `decide` made of the command.
        removal: What it makes of the history; see `removal_of`.
        lifecycle: The definition of the record.
        before: The record before the act.
        command: The command.
        erased: What remains of each entry, sealed; see `seal_remains`. Without it nothing can be committed.

    Raises:
        RuleFailed: a function of `sets` or `then` raised.
    """
    row = _row(lifecycle, decided.entry)
    anew = {one.entry.sequence: commitment_of(one.sealed.salt, *contents_in(one.sealed)) for one in erased}
    noted = tuple(
        Erased(sequence=sequence, fields=fields, commitment=anew.get(sequence, ""))
        for sequence, fields in removal.fields.items()
    )
    entry = changed(decided.entry, {"erased": noted, "digest": ""})
    after = lifecycle.fold(removal.record, entry)
    sealed = complete(entry, before, after, command)
    steps = steps_of(lifecycle, row, removal.record, entry)
    return Decision(record=after, entry=entry, sealed=sealed, steps=steps, erased=tuple(erased))


def erase(
    decided: Decision,
    lifecycle: Lifecycle,
    before: Record,
    command: Command,
    history: Sequence[Entry],
    lifecycles: Iterable[Lifecycle],
) -> tuple[Decision, list[Entry]]:
    """An act that erases, completed, and the history before it as it is then: where nothing is sealed or stored.

    Raises:
        InvalidValue: as `removal_of`.
        RuleFailed: a function of `sets`, `erases` or `then` raised.
    """
    removal = removal_of(decided, lifecycle, before, history, lifecycles)
    completed = complete_erasure(decided, removal, lifecycle, before, command)
    return completed, [removal.entries.get(one.sequence, one) for one in history]


def removal_of(
    decided: Decision, lifecycle: Lifecycle, before: Record, history: Sequence[Entry], lifecycles: Iterable[Lifecycle]
) -> Removal:
    """What an act that was decided removes from the history before it.

    Raises:
        InvalidValue: as `remove`; or the record is not the fold of that history.
    """
    known = list(lifecycles)
    if changed(replay(history, known), {"head": before.head}) != before:
        raise InvalidValue("record", "altered", {"id": before.id, "sequence": before.version})
    row = _row(lifecycle, decided.entry)
    names = names_erased(lifecycle, row, before, decided.entry)
    return remove(history, known, names, decided.entry.mark(_PERSON), field_of_names(row))


def seal_remains(
    removal: Removal, history: Sequence[Entry], sealed: Sequence[Sealed], salts: Mapping[int, str]
) -> tuple[Remains, ...]:
    """What is to be stored of the entries of which something is removed.

    Args:
        removal: What is removed.
        history: All entries of the record.
        sealed: The same as they are stored.
        salts: A new one for each entry that is touched.

    Raises:
        InvalidValue: what is stored is not what was committed to, or its salt is missing: then the new commitment
            would hide that.
    """
    newest = {one.sequence: one.commitment for entry in history for one in entry.erased}
    return tuple(
        _remains(entry, sealed[number - 1], newest.get(number), removal.fields[number], salts[number])
        for number, entry in removal.entries.items()
    )


def contents_in(sealed: Sealed) -> tuple[str | None, str | None, str | None, str | None]:
    """The stored content of an entry, in the order of its commitment."""
    return sealed.actor, sealed.reason, sealed.details, sealed.party


def _remains(entry: Entry, old: Sealed, commitment: str | None, fields: Iterable[str], salt: str) -> Remains:
    place = {"id": entry.record_id, "sequence": entry.sequence}
    if not old.salt:
        raise InvalidValue("salt", "salt_missing", place)
    try:
        whole = commitment_of(old.salt, *contents_in(old)) == (commitment or old.commitment)
    except ValueError:
        whole = False
    if not whole:
        raise InvalidValue("commitment", "altered", place)
    actor, reason, details, party = contents_of(entry)
    new = old._replace(salt=salt)
    if ACTOR in fields:
        new = new._replace(actor=actor)
    if REASON in fields:
        new = new._replace(reason=reason)
    if not {*fields} <= {ACTOR, REASON} or {*fields} & _names(entry):
        new = new._replace(details=details, party=party)  # what was not touched stays as it is stored, byte by byte
    return Remains(entry, new, _size(old) - _size(new))


def _names(entry: Entry) -> frozenset[str]:
    return frozenset() if entry.details is None else frozenset(field_names(type(entry.details)))


def _size(sealed: Sealed) -> int:
    """How many bytes the stored content of an entry takes."""
    return sum(len(one.encode("utf-8", "surrogateescape")) for one in contents_in(sealed) if one is not None)
