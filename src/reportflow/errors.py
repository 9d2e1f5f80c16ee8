"""All errors of reportflow: one tree, each with a stable code, its facts as attributes, and a text in each language.

::

    ReportflowError
    ├── InvalidValue            a value that may not be kept: field, problem
    ├── InvalidDefinition       a lifecycle's table, with all its faults
    ├── UnknownTrigger          a trigger that the lifecycle does not have
    ├── UnknownLifecycle        a kind, or a version of it, that the flow was not given
    ├── RuleFailed              a guard, `sets` or `then` of a definition raised
    ├── Unbuildable             a class of which the test kit can make no instance
    ├── StepsUnbounded          `then` steps that go round in a circle or too deep
    ├── TransitionRefused       the act is not allowed: every refusal at once
    ├── StaleRecord             the version that the caller saw is no longer the stored one
    ├── MissingExtra            a package of an extra, or a database driver, is not installed
    ├── BrokerUnavailable       what a relay hands entries to cannot be reached
    └── StorageError            what a store may raise
        ├── RecordNotFound      unknown, or not to be seen by who asks: nobody can tell which
        ├── AlreadyExists       a creation under an id that is taken
        ├── Conflict            the stored version is not the expected one
        ├── DuplicateKey        an idempotency key used before, for another command
        ├── InvalidURL          a database URL that is mistyped
        ├── SchemaMismatch      the tables are of another version
        └── StorageUnavailable  the store cannot be reached, read or written
            └── StorageBusy     another writer holds it; nothing was written

`str(error)` is English; `error.message("zh")` is Chinese. All of them pickle, so that they cross processes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from reportflow.i18n import catalog as messages


class Said(Protocol):
    """Something with a stable code and a text in each language: a refusal, a fault."""

    @property
    def code(self) -> str:
        """What it is, for programs."""
        ...

    def text(self, language: str = ...) -> str:
        """The text in a language."""
        ...


class ReportflowError(Exception):
    """The base of all errors of this library. `code` is stable; `facts` fill the message."""

    code: ClassVar[str] = "error"

    def facts(self, language: str) -> Mapping[str, object]:
        """What the message is filled with."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def message(self, language: str = messages.ENGLISH) -> str:
        """What happened and what to do, in a language."""
        return messages.text(f"error.{self.code}", language, **self.facts(language))

    def __str__(self) -> str:
        return self.message()


class InvalidValue(ReportflowError, ValueError):
    """A value that may not be kept. `field` says where, `problem` is the stable code of what is wrong."""

    code = "invalid_value"

    def __init__(self, field: str, problem: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(field, problem, details)
        self.field = field
        self.problem = problem
        self.details = dict(details or {})

    def facts(self, language: str) -> Mapping[str, object]:
        """The field and what is wrong with it."""
        return {
            "field": self.field,
            "problem": messages.text(f"value.{self.problem}", language, **self.details),
        }


class InvalidDefinition(ReportflowError):
    """A lifecycle's table is wrong. `faults` lists all that is, not the first only."""

    code = "invalid_definition"

    def __init__(self, name: str, faults: Sequence[Said]) -> None:
        super().__init__(name, faults)
        self.name = name
        self.faults = tuple(faults)

    def facts(self, language: str) -> Mapping[str, object]:
        """The name and each fault."""
        joint = "；" if language == messages.CHINESE else "; "
        said = joint.join(fault.text(language) for fault in self.faults)
        return {"name": self.name, "number": len(self.faults), "faults": said}


class UnknownTrigger(ReportflowError):
    """The lifecycle has no such trigger. `triggers` are those that it has, the most alike first."""

    code = "unknown_trigger"

    def __init__(self, lifecycle: str, trigger: str, triggers: Sequence[str]) -> None:
        super().__init__(lifecycle, trigger, triggers)
        self.lifecycle = lifecycle
        self.trigger = trigger
        self.triggers = tuple(triggers)

    def facts(self, language: str) -> Mapping[str, object]:
        """The names as `fire` takes them: a label such as "keep on file" would be no help."""
        return {"lifecycle": self.lifecycle, "given": self.trigger, "choices": self.triggers}


class UnknownLifecycle(ReportflowError):
    """The flow was not given the lifecycle of this kind and version."""

    code = "unknown_lifecycle"

    def __init__(self, name: str, version: int | None, choices: Sequence[str]) -> None:
        super().__init__(name, version, choices)
        self.name = name
        self.version = version
        self.choices = tuple(choices)

    def facts(self, language: str) -> Mapping[str, object]:
        """The name, the version where one was asked for, and what there is."""
        code = "word.any_version" if self.version is None else "word.version"
        return {**super().facts(language), "version": messages.text(code, language, number=self.version)}


class RuleFailed(ReportflowError):
    """A function of the definition raised, or answered what it must not: the definition is to be mended."""

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
        self.path = tuple(path)

    def facts(self, language: str) -> Mapping[str, object]:
        """The act and the path of steps from it."""
        return {"id": self.id, "trigger": self.trigger, "path": " → ".join(self.path)}


class TransitionRefused(ReportflowError):
    """The act is not allowed. `refusals` holds every reason at once, each with a stable code."""

    code = "transition_refused"

    def __init__(self, lifecycle: str, id: str, version: int, trigger: str, refusals: Sequence[Said]) -> None:
        super().__init__(lifecycle, id, version, trigger, refusals)
        self.lifecycle = lifecycle
        self.id = id
        self.version = version
        self.trigger = trigger
        self.refusals = tuple(refusals)

    def facts(self, language: str) -> Mapping[str, object]:
        """The act and each reason."""
        joint = "" if language == messages.CHINESE else " "
        said = joint.join(refusal.text(language) for refusal in self.refusals)
        return {**super().facts(language), "refusals": said}


class StaleRecord(ReportflowError):
    """The caller saw version `seen`; the store is at version `stored`. Nothing was written."""

    code = "stale_record"

    def __init__(self, id: str, seen: int, stored: int) -> None:
        super().__init__(id, seen, stored)
        self.id = id
        self.seen = seen
        self.stored = stored


class MissingExtra(ReportflowError):
    """A package is not installed. `package` is what to install."""

    code = "missing_extra"

    def __init__(self, name: str, package: str) -> None:
        super().__init__(name, package)
        self.name = name
        self.package = package

    def facts(self, language: str) -> Mapping[str, object]:
        """What is missing and how to get it."""
        return {"name": self.name, "advice": messages.text("advice.install", language, package=self.package)}


class BrokerUnavailable(ReportflowError):
    """What a relay hands entries to cannot be reached; it is no fault of the message in hand."""

    code = "broker_unavailable"

    def __init__(self, url: str, given: str) -> None:
        super().__init__(url, given)
        self.url = url
        self.given = given


class StorageError(ReportflowError):
    """What a store may raise; raised itself when the store fails in a way that nobody foresaw."""

    code = "storage_error"

    def __init__(self, given: str = "") -> None:
        super().__init__(given)
        self.given = given


class _AboutRecords(StorageError):
    """About records: `ids` names all that are concerned, in the order given."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = tuple(ids)
        ReportflowError.__init__(self, self.ids)


class RecordNotFound(_AboutRecords):
    """No such record, or none that the asker may see: the two are told alike, on purpose."""

    code = "record_not_found"


class AlreadyExists(_AboutRecords):
    """A creation under an id that is taken."""

    code = "already_exists"


class Conflict(_AboutRecords):
    """The stored version or state of a record is not the expected one; nothing was written."""

    code = "conflict"


class DuplicateKey(StorageError):
    """An idempotency key that its actor used before. `ids` are the records concerned, `keys` the keys."""

    code = "duplicate_key"

    def __init__(self, ids: Iterable[str], keys: Iterable[str]) -> None:
        self.ids = tuple(ids)
        self.keys = tuple(keys)
        ReportflowError.__init__(self, self.ids, self.keys)


class InvalidURL(StorageError):
    """A database URL that names nothing; `advice` is the code of what to write instead."""

    code = "invalid_url"

    def __init__(self, url: str, advice: str = "url") -> None:
        ReportflowError.__init__(self, url, advice)
        self.url = url
        self.advice = advice

    def facts(self, language: str) -> Mapping[str, object]:
        """The URL and what to write."""
        return {"url": self.url, "advice": messages.text(f"advice.{self.advice}", language)}


class SchemaMismatch(StorageError):
    """The tables are of schema version `found`, and this library reads `expected`.

    `options` is what the command that upgrades them takes beside the URL, as it is typed.
    """

    code = "schema_mismatch"

    def __init__(self, url: str, found: str, expected: str, advice: str, options: str = "") -> None:
        ReportflowError.__init__(self, url, found, expected, advice, options)
        self.url = url
        self.found = found
        self.expected = expected
        self.advice = advice
        self.options = options

    def facts(self, language: str) -> Mapping[str, object]:
        """The two versions and what to do."""
        command = f"reportflow db upgrade --database {shlex.quote(self.url)}{self.options}"
        return {**super().facts(language), "advice": messages.text(f"advice.{self.advice}", language, command=command)}


class StorageUnavailable(StorageError):
    """The store cannot be used: `given` is what the driver said, `advice` the code of what to do."""

    code = "storage_unavailable"

    def __init__(self, url: str, given: str, advice: str = "retry") -> None:
        ReportflowError.__init__(self, url, given, advice)
        self.url = url
        self.given = given
        self.advice = advice

    def facts(self, language: str) -> Mapping[str, object]:
        """The store, what its driver said and what to do."""
        return {**super().facts(language), "advice": messages.text(f"advice.{self.advice}", language)}


class StorageBusy(StorageUnavailable):
    """Another writer holds the store; nothing was written, and trying again is right."""

    code = "storage_busy"
