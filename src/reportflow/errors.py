"""All errors of reportflow: one tree, each with a stable code, its facts as attributes, and a text in each language.

::

    ReportflowError
    ├── InvalidValue            a value that cannot be stored: field, problem
    ├── InvalidDefinition       a lifecycle's table, with all its faults
    ├── UnknownTrigger          a trigger that the lifecycle does not have
    ├── UnknownLifecycle        a kind, or a version of it, that the flow was not given
    ├── RuleFailed              a guard, `sets` or `then` of a definition raised
    ├── Unbuildable             a class of which the test kit can make no instance
    ├── StepsUnbounded          `then` steps that form a cycle or go too deep
    ├── TransitionRefused       the transition is not allowed: every refusal at once
    ├── ContentErased           a repeated request whose first one was erased, so that they cannot be compared
    ├── StaleRecord             the version that the caller saw is no longer the stored one
    ├── MissingExtra            a package of an extra, or a database driver, is not installed (an ImportError too)
    ├── BrokerUnavailable       the broker that a relay publishes to cannot be reached
    └── StorageError            what a store may raise
        ├── RecordNotFound      unknown, or not visible to the caller: it does not say which
        │   └── AttachmentNotFound  a file that neither the record nor what the caller may read of it names
        ├── AlreadyExists       a creation under an id that is taken
        ├── Conflict            the stored version is not the expected one
        ├── DuplicateKey        an idempotency key that was used for another command
        ├── UnreadableRecord    a stored row of which no value can be made; the others can be read
        ├── UnreadableFile      the content of a file is not held any more, or was altered
        ├── InvalidURL          a database URL that is mistyped
        ├── SchemaMismatch      the tables are of another version
        ├── StorageClosed       a call after `close`, or on a connection of a host's that is closed
        ├── TransactionRolledBack   a host's transaction that was rolled back, or can only be
        └── StorageUnavailable  the store cannot be reached, read or written
            └── StorageBusy     another writer holds it; nothing was written

`str(error)` is English, for developers. `error.message("zh")` is what a clerk reads, in Chinese;
`error.message("zh", reader="developer")` is the developer's text. All of them pickle, so that they cross processes.
No text and no attribute of them has the password of a URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import ClassVar, NamedTuple

import attrs

from reportflow.i18n.catalog import DEVELOPER, ENGLISH, NO_LABELS, STANDARD, Catalog, Labels, Reader, Renderer
from reportflow.redaction import redacted, redacted_text


@attrs.frozen(kw_only=True)
class Refusal:
    """One reason why a transition is not allowed.

    Attributes:
        code: Stable: ``state``, ``role``, ``clearance``, ``details``, ``reason``, ``out_of_sight``, ``step``,
            ``hidden_step``, ``unknown_person``, ``person_out_of_sight``, or a guard's own.
        params: The facts of the case.
        people: Of those facts that are ids of persons, what people call them: the texts say this in their place.
        texts: language -> template, where the guard brings its own; else the catalog's ``refusal.<code>``.
        labels: What its lifecycle calls states and triggers.
    """

    code: str
    params: Mapping[str, object] = attrs.field(factory=dict)
    people: Mapping[str, str] = attrs.field(factory=dict, eq=False)
    texts: Mapping[str, str] = attrs.field(factory=dict)
    labels: Labels = attrs.field(default=NO_LABELS, eq=False, repr=False)

    @property
    def message(self) -> str:
        """The English text, for developers."""
        return self.text(reader=DEVELOPER)

    def text(self, language: str = ENGLISH, *, reader: Reader = "clerk", catalog: Catalog = STANDARD) -> str:
        """The text in a language, for a clerk or a developer."""
        return self.render(Renderer(catalog, language, reader))

    def render(self, renderer: Renderer) -> str:
        """The text, as a renderer writes it; a fact that has a sentence of its own, ``refusal.<code>.<fact>``, adds it.

        The name of a person whose id is the fact ``assignee`` is the fact ``assignee_name``, where it is known.
        """
        renderer = renderer.with_labels(self.labels)
        named = {f"{fact}_name": name for fact, name in self.people.items()}
        facts = {**self.params, **self.people, **named}
        own = self.texts.get(renderer.language) or self.texts.get(ENGLISH)
        if own is not None:
            return renderer.fill(own, facts)
        codes = [f"refusal.{self.code}", *(f"refusal.{self.code}.{fact}" for fact, value in facts.items() if value)]
        said = [renderer.text(code, facts) for code in codes[:1]]
        said += [renderer.text(code, facts) for code in codes[1:] if renderer.has(code)]
        return renderer.text("word.space").join(filter(None, said))


class Fault(NamedTuple):
    """One thing that is wrong with a definition: a stable code and its facts."""

    code: str
    facts: Mapping[str, object]

    def text(self, language: str = ENGLISH, *, catalog: Catalog = STANDARD) -> str:
        """What is wrong, in a language."""
        return catalog.text(f"fault.{self.code}", language, self.facts, reader=DEVELOPER)


class ReportflowError(Exception):
    """The base of all errors of this library. `code` is stable; the public attributes are the facts of the case."""

    code: ClassVar[str] = "error"
    #: The place of the request that it is about, from 0, where it was one of many (`ReportFlow.run`).
    place: int | None = None
    _catalog: Catalog = STANDARD
    _labels: Labels = NO_LABELS
    _zone: tzinfo = UTC

    def use(self, catalog: Catalog, zone: tzinfo = UTC) -> None:
        """Take the texts from another catalog, with times in a zone; a flow has its errors use its own."""
        self._catalog = catalog
        self._zone = zone

    def said(self) -> Mapping[str, object]:
        """The facts of the case: the public attributes."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """What the message is filled with."""
        return self.said()

    def renderer(self, language: str = ENGLISH, reader: Reader = "clerk") -> Renderer:
        """What writes its texts in a language, with its own catalog, labels and time zone."""
        return Renderer(self._catalog, language, reader, self._labels, self._zone)

    def message(self, language: str = ENGLISH, *, reader: Reader = "clerk") -> str:
        """What happened and what to do, in a language, for a clerk or a developer."""
        renderer = self.renderer(language, reader)
        return renderer.text(f"error.{self.code}", self.facts(renderer))

    def __str__(self) -> str:
        return self.message(reader=DEVELOPER)


class FieldProblem(NamedTuple):
    """What is wrong with one field of a value.

    Attributes:
        pointer: Where, as a JSON pointer (RFC 6901) into what was given: ``/authors/0/name``; blank for the whole.
        code: The stable code of what is wrong, as in the catalog's room ``value``.
        params: The facts of the case.
    """

    pointer: str
    code: str
    params: Mapping[str, object]

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the fields on the way, and the places in lists, from 0."""
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in self.pointer.split("/")[1:])

    @property
    def field(self) -> str:
        """The path as a text, ``authors.0.name``."""
        return ".".join(self.path)

    def text(self, language: str = ENGLISH, *, reader: Reader = "clerk", catalog: Catalog = STANDARD) -> str:
        """What is wrong, in a language, for a clerk or a developer: the field and the remedy."""
        return self.render(Renderer(catalog, language, reader))

    def render(self, renderer: Renderer) -> str:
        """The text, as a renderer writes it; a list is counted from 1 for a clerk."""
        clerk = renderer.reader == "clerk"
        steps = [str(int(one) + 1) if clerk and one.isdecimal() else one for one in self.path]
        shown = [renderer.label("field", one) if clerk else one for one in steps]
        name = (" › " if clerk else ".").join(shown) or renderer.text("word.whole")
        facts = {"room": self.path[-1] if self.path else "", **self.params}
        return renderer.text(
            "error.invalid_value", {"field": name, "problem": renderer.text(f"value.{self.code}", facts)}
        )


def pointer_of(*path: str | int) -> str:
    """The JSON pointer of names of fields and places in lists."""
    return "".join("/" + str(one).replace("~", "~0").replace("/", "~1") for one in path)


class InvalidValue(ReportflowError, ValueError):
    """A value that cannot be stored. `field` says where, `problem` is the stable code of what is wrong.

    `problems` has every field that is wrong, where several were looked at (`parse`); `field`, `problem` and `details`
    are those of the first. Else it has that one.
    """

    code = "invalid_value"

    def __init__(
        self,
        field: str,
        problem: str,
        details: Mapping[str, object] | None = None,
        problems: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(field, problem, details, problems)
        self.field = field
        self.problem = problem
        self.details: dict[str, object] = dict(details or {})
        self._several: tuple[FieldProblem, ...] = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[FieldProblem], labels: Labels = NO_LABELS) -> InvalidValue:
        """The error that names all of some problems, at least one, with the labels of a lifecycle for their fields."""
        first = problems[0]
        error = cls(first.field, first.code, first.params, problems)
        error._labels = labels
        return error

    @property
    def problems(self) -> tuple[FieldProblem, ...]:
        """Every field that is wrong, with a pointer to it, a code and its facts."""
        return self._several or (FieldProblem(pointer_of(self.field), self.problem, self.details),)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The field and what is wrong with it."""
        problem = renderer.text(f"value.{self.problem}", {"room": self.field, **self.details})
        return {"field": self.field, "problem": problem}

    def message(self, language: str = ENGLISH, *, reader: Reader = "clerk") -> str:
        """What is wrong with each field and what to do, in a language, for a clerk or a developer."""
        if not self._several:
            return super().message(language, reader=reader)
        renderer = self.renderer(language, reader)
        return renderer.text("word.space").join(one.render(renderer) for one in self._several)


class InvalidDefinition(ReportflowError):
    """A lifecycle's table is wrong. `faults` lists all that is, not the first only."""

    code = "invalid_definition"

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        super().__init__(name, faults)
        self.name = name
        self.faults: tuple[Fault, ...] = tuple(faults)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The name and each fault."""
        faults = renderer.text("word.semicolon").join(fault.text(renderer.language) for fault in self.faults)
        return {"name": self.name, "number": len(self.faults), "faults": faults}


class UnknownTrigger(ReportflowError):
    """The lifecycle has no such trigger. `triggers` are those that it has, the most alike first."""

    code = "unknown_trigger"

    def __init__(self, lifecycle: str, trigger: str, triggers: Sequence[str]) -> None:
        super().__init__(lifecycle, trigger, triggers)
        self.lifecycle = lifecycle
        self.trigger = trigger
        self.triggers: tuple[str, ...] = tuple(triggers)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The names as `fire` takes them: a label such as "keep on file" would be no help."""
        return {"lifecycle": self.lifecycle, "given": self.trigger, "choices": self.triggers}


class UnknownLifecycle(ReportflowError):
    """The flow was not given the lifecycle of this kind and version."""

    code = "unknown_lifecycle"

    def __init__(self, name: str, version: int | None, choices: Sequence[str]) -> None:
        super().__init__(name, version, choices)
        self.name = name
        self.version = version
        self.choices: tuple[str, ...] = tuple(choices)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The name, the version where one was asked for, and what there is."""
        code = "word.any_version" if self.version is None else "word.version"
        return {**super().facts(renderer), "version": renderer.text(code, {"number": self.version})}


class RuleFailed(ReportflowError):
    """A function of the definition raised, or returned what it must not: the definition has to be fixed."""

    code = "rule_failed"

    def __init__(self, lifecycle: str, trigger: str, part: str, id: str, given: str) -> None:
        super().__init__(lifecycle, trigger, part, id, given)
        self.lifecycle = lifecycle
        self.trigger = trigger
        self.part = part
        self.id = id
        self.given = given


class Unbuildable(ReportflowError):
    """The test kit, or a check, can make no instance of a class by its annotations: `given` says what was tried."""

    code = "unbuildable"

    def __init__(self, name: str, given: str) -> None:
        super().__init__(name, given)
        self.name = name
        self.given = given


class StepsUnbounded(ReportflowError):
    """`then` steps that come back to where they were, or go deeper than the bound."""

    code = "steps_unbounded"

    def __init__(self, id: str, trigger: str, path: Sequence[str]) -> None:
        super().__init__(id, trigger, path)
        self.id = id
        self.trigger = trigger
        self.path: tuple[str, ...] = tuple(path)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The act and the path of steps from it."""
        return {"id": self.id, "trigger": self.trigger, "path": " → ".join(self.path)}


class TransitionRefused(ReportflowError):
    """The transition is not allowed. `refusals` holds every reason at once, each with a stable code.

    `title` and `reference` (its number in the office, where it has one) are those of the record. A creation has no
    record: its `version` is 0, and its `id` is blank unless the draft brought one.
    """

    code = "transition_refused"

    def __init__(
        self,
        lifecycle: str,
        id: str,
        version: int,
        trigger: str,
        refusals: Sequence[Refusal],
        title: str = "",
        reference: str = "",
        labels: Labels = NO_LABELS,
    ) -> None:
        super().__init__(lifecycle, id, version, trigger, refusals, title, reference)
        self.lifecycle = lifecycle
        self.id = id
        self.version = version
        self.trigger = trigger
        self.refusals: tuple[Refusal, ...] = tuple(refusals)
        self.title = title
        self.reference = reference
        self._labels = labels

    def with_refusals(self, refusals: Sequence[Refusal]) -> TransitionRefused:
        """The same with other reasons, as with the names of the people in them."""
        facts = (self.lifecycle, self.id, self.version, self.trigger)
        return TransitionRefused(*facts, refusals, self.title, self.reference, self._labels)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The act and each reason."""
        reasons = renderer.text("word.space").join(refusal.render(renderer) for refusal in self.refusals)
        named = "record_untitled" if not self.title else "record_numbered" if self.reference else "record"
        record = renderer.text(f"word.{named}", {"title": self.title, "number": self.reference})
        where = renderer.text(f"word.{'on_record' if self.version else 'of_draft'}", super().facts(renderer))
        return {**super().facts(renderer), "refusals": reasons, "record": record, "where": where}


class StaleRecord(ReportflowError):
    """The caller saw version `seen`; the store is at version `stored`, or has other content there. Nothing was written.

    `seen` is 0 where the caller named a head alone. `named` is False where the caller named an id only, and the record
    changed while an act was decided that passes what was read, no other (``on_conflict="stale"``).
    """

    code = "stale_record"

    def __init__(self, id: str, seen: int, stored: int, *, named: bool = True) -> None:
        super().__init__(id, seen, stored)
        self.id = id
        self.seen = seen
        self.stored = stored
        self.named = named

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """What was seen, and what is stored instead."""
        seen = renderer.text(f"word.seen_{'version' if self.seen else 'head'}", {"number": self.seen})
        moved = "other_content" if self.seen == self.stored else "moved_on"
        return {"id": self.id, "seen": seen, "change": renderer.text(f"word.{moved}", {"number": self.stored})}


class ContentErased(ReportflowError):
    """A key was used before, and what that request said was erased: the two cannot be compared.

    `id` is the record, `sequence` the entry. Nothing was written.
    """

    code = "content_erased"

    def __init__(self, id: str, sequence: int) -> None:
        super().__init__(id, sequence)
        self.id = id
        self.sequence = sequence


class MissingExtra(ReportflowError, ImportError):
    """A package is not installed. `package` is what to install."""

    code = "missing_extra"

    def __init__(self, name: str, package: str) -> None:
        super().__init__(name, package)
        self.name: str | None = name
        self.package = package

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """What is missing and how to get it."""
        advice = renderer.text("advice.install", {"package": self.package})
        return {"name": self.name, "advice": advice}


class BrokerUnavailable(ReportflowError):
    """The broker that a relay publishes to cannot be reached; it is no fault of the message being published."""

    code = "broker_unavailable"

    def __init__(self, url: str, given: str) -> None:
        url, given = redacted(url), redacted_text(given)
        super().__init__(url, given)
        self.url = url
        self.given = given


class StorageError(ReportflowError):
    """What a store may raise; raised itself for a failure of the store that no other class describes."""

    code = "storage_error"

    def __init__(self, given: str = "") -> None:
        given = redacted_text(given)
        super().__init__(given)
        self.given = given


class _AboutRecords(StorageError):
    """`ids` names all records concerned, in the order given."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids: tuple[str, ...] = tuple(ids)
        ReportflowError.__init__(self, self.ids)


class RecordNotFound(_AboutRecords):
    """No such record, or none that the caller may see: it does not say which, on purpose."""

    code = "record_not_found"


class AttachmentNotFound(RecordNotFound):
    """No such file of the record `ids`, or none that the caller may read: it does not say which, on purpose.

    `sha256` is the digest that was asked for.
    """

    code = "attachment_not_found"

    def __init__(self, id: str, sha256: str) -> None:
        self.ids: tuple[str, ...] = (id,)
        self.sha256: str = sha256
        ReportflowError.__init__(self, id, sha256)


class AlreadyExists(_AboutRecords):
    """A creation under an id that is taken."""

    code = "already_exists"


class Conflict(_AboutRecords):
    """The stored version or state of a record is not the expected one; nothing was written."""

    code = "conflict"


class UnreadableRecord(_AboutRecords):
    """A stored row of which no value can be made: altered, of an unknown class, or of a shape without an upgrader.

    It harms no other record, and is not touched. The content of the row is in no text and no attribute.

    Attributes:
        ids: The records concerned.
        where: The place in the row: a column, and in its JSON the field.
        problem: The stable code of what is wrong, as in the catalog's room ``unreadable``.
        owner: The name of the class that the value should be of, where it is known.
        version: The schema version of what is stored, where it is known.
        sequence: The place in the history, where it is an entry that cannot be read.
    """

    code = "unreadable_record"

    def __init__(
        self,
        ids: Iterable[str],
        where: str,
        problem: str = "value",
        owner: str = "",
        version: int | None = None,
        sequence: int | None = None,
    ) -> None:
        self.ids: tuple[str, ...] = tuple(ids)
        self.where = where
        self.problem = problem
        self.owner = owner
        self.version = version
        self.sequence = sequence
        ReportflowError.__init__(self, self.ids, where, problem, owner, version, sequence)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The records, the place, and what is wrong there."""
        entry = "" if self.sequence is None else renderer.text("word.its_entry", {"number": self.sequence})
        owner = (
            ""
            if not self.owner
            else renderer.text("word.of_schema", {"owner": self.owner, "number": self.version or 1})
        )
        problem = renderer.text(f"unreadable.{self.problem}", {"owner": owner})
        return {"ids": self.ids, "entry": entry, "where": self.where, "problem": problem}


class UnreadableFile(StorageError):
    """The content of a file cannot be shown: it is not held any more, or its bytes are others.

    Attributes:
        id: The record that was asked. The file's name is content, and in no text.
        sha256: The digest of the bytes that it had.
        problem: ``missing`` or ``altered``.
    """

    code = "unreadable_file"

    def __init__(self, id: str, sha256: str, problem: str) -> None:
        self.id = id
        self.sha256 = sha256
        self.problem = problem
        ReportflowError.__init__(self, id, sha256, problem)

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The file, and what is wrong with it."""
        return {**super().facts(renderer), "problem": renderer.text(f"unreadable.file_{self.problem}")}


class DuplicateKey(StorageError):
    """An idempotency key that its actor used before. `ids` are the records concerned, `keys` the keys."""

    code = "duplicate_key"

    def __init__(self, ids: Iterable[str], keys: Iterable[str]) -> None:
        self.ids: tuple[str, ...] = tuple(ids)
        self.keys: tuple[str, ...] = tuple(keys)
        ReportflowError.__init__(self, self.ids, self.keys)


class InvalidURL(StorageError):
    """A database URL that names nothing; `advice` is the code of what to write instead."""

    code = "invalid_url"

    def __init__(self, url: str, advice: str = "url") -> None:
        url = redacted(url)
        ReportflowError.__init__(self, url, advice)
        self.url = url
        self.advice = advice

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The URL and what to write."""
        return {"url": self.url, "advice": renderer.text(f"advice.{self.advice}")}


class SchemaMismatch(StorageError):
    """The tables are of schema version `found`, and this library reads `expected`.

    `options` is what the command that upgrades them takes beside the URL, as it is typed.
    """

    code = "schema_mismatch"

    def __init__(self, url: str, found: str, expected: str, advice: str, options: str = "") -> None:
        url = redacted(url)
        ReportflowError.__init__(self, url, found, expected, advice, options)
        self.url = url
        self.found = found
        self.expected = expected
        self.advice = advice
        self.options = options

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The two versions and what to do."""
        from shlex import quote  # nothing else here needs what it imports

        command = f"reportflow db upgrade --database {quote(self.url)}{self.options}"
        return {**super().facts(renderer), "advice": renderer.text(f"advice.{self.advice}", {"command": command})}


class StorageClosed(StorageError):
    """A store or a flow was called after `close`, or a host's connection was closed; nothing was read or written.

    `store` is its URL, or its class.
    """

    code = "storage_closed"

    def __init__(self, store: str) -> None:
        store = redacted(store)
        ReportflowError.__init__(self, store)
        self.store = store


class TransactionRolledBack(StorageError):
    """The host's transaction was rolled back by the engine, or can only be: nothing more is done in it.

    Roll it back, begin another one and do everything again, as `reportflow.hosts.retry.retrying` does. `given` is what
    the driver or SQLAlchemy said.
    """

    code = "transaction_rolled_back"

    def __init__(self, url: str, given: str) -> None:
        url, given = redacted(url), redacted_text(given)
        ReportflowError.__init__(self, url, given)
        self.url = url
        self.given = given


class StorageUnavailable(StorageError):
    """The store cannot be used: `given` is the driver's message, `advice` the code of what to do."""

    code = "storage_unavailable"

    def __init__(self, url: str, given: str, advice: str = "retry") -> None:
        url, given = redacted(url), redacted_text(given)
        ReportflowError.__init__(self, url, given, advice)
        self.url = url
        self.given = given
        self.advice = advice

    def facts(self, renderer: Renderer) -> Mapping[str, object]:
        """The store, the driver's message and what to do."""
        return {**super().facts(renderer), "advice": renderer.text(f"advice.{self.advice}")}


class StorageBusy(StorageUnavailable):
    """Another writer holds the store; nothing was written, and trying again is right."""

    code = "storage_busy"
