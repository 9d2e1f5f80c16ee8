"""Changes to commit, made by `decide` without a flow and without a clock.

Roles are not judged here (each act is a step of another): a store does not know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import attrs

from reportflow.lifecycle.decision import Decision, decide
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasure import complete_erasure, removal_of, seal_remains
from reportflow.lifecycle.table import SAME, State, Transition
from reportflow.model.actor import ANY, Actor
from reportflow.model.entry import Command, Details, Entry
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import CODE, LEVEL, PARTY, RETRACTS, field_names, names
from reportflow.office.report import REPORT, Author, Erasure, Report
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Change

#: When everything begins.
START: Final = datetime(2022, 1, 1, 8, tzinfo=UTC)
#: The actor where none is given.
CLERK: Final = Actor(id="clerk", name="文员", unit="office")


@attrs.frozen(kw_only=True)
class Note(Details, name="conformance.Note"):
    """Details with all three marks, each of which may be missing."""

    party: str | None = attrs.field(default=None, metadata=PARTY)
    level: str | None = attrs.field(default=None, metadata=LEVEL)
    code: bool = attrs.field(default=False, metadata=CODE)


def _names_or_none(value: Iterable[str] | None) -> frozenset[str] | None:
    return None if value is None else names(value)


def _readers(details: Aside) -> frozenset[str] | None:
    return details.to or None


@attrs.frozen(kw_only=True)
class Aside(Details, name="conformance.Aside"):
    """For whom a remark is: the roles that may read it; None for everybody."""

    to: frozenset[str] | None = attrs.field(default=None, converter=_names_or_none)


@attrs.frozen(kw_only=True)
class Undo(Details, name="conformance.Undo"):
    """Details that take an entry back."""

    sequence: int = attrs.field(metadata=RETRACTS)


@attrs.frozen(kw_only=True)
class Sample(Record, name="conformance.Sample"):
    """A record unlike a report: no text, labels that may be missing, and a field of each type that is kept."""

    authors: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    topics: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    day: date | None = None
    amount: Decimal = Decimal(0)
    ratio: float = 0.0
    token: UUID | None = None
    flags: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    numbers: Mapping[str, int] = attrs.field(factory=dict)
    last: Note | None = None

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Its authors and topics."""
        return {"author": self.authors, "topic": self.topics}


def settable_fields(cls: type[Record]) -> frozenset[str]:
    """All that a creation may accept of a record class."""
    return frozenset(field_names(cls)) - SET_BY_FOLD


#: A lifecycle beside the report's: a second kind, roles that reach everything, a row without details.
SAMPLE: Final = Lifecycle(
    name="conformance",
    version=2,
    record=Sample,
    roles={"anybody": ANY, "one": ANY, "other": ANY},
    states=[State("open"), State("closed", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles="anybody", accepts=settable_fields(Sample)),
        Transition(
            "note",
            source="open",
            dest=SAME,
            roles="anybody",
            details=Note,
            sets={"last": lambda _, entry: entry.details},
        ),
        Transition("undo", source="open", dest=SAME, roles="anybody", details=Undo),
        Transition("aside", source="open", dest=SAME, roles="anybody", details=Aside, audience=_readers),
        Transition("close", source="open", dest="closed", roles="anybody"),
        Transition("reopen", source="closed", dest="open", roles="anybody"),
    ],
)

#: `REPORT` with a creation that accepts everything: a store is to hold what no office would let a draft bring.
_ANY_REPORT: Final = attrs.evolve(
    REPORT,
    transitions=[
        attrs.evolve(row, accepts=settable_fields(Report)) if None in row.sources else row for row in REPORT.transitions
    ],
)

#: The classes of both, for a store that reads its rows by them.
CLASSES: Final = Classes(REPORT, SAMPLE)
_LIFECYCLES: Final[Mapping[type[Record], Lifecycle]] = {Report: _ANY_REPORT, Sample: SAMPLE}


def day(number: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=number)


def report(id: str, **fields: Any) -> Report:
    """The draft of a report; fields that are not given have plain values."""
    return Report.draft(**{"title": "标题", "text": "正文", "authors": [Author(name="张三")], **fields, "id": id})


def sample(id: str, **fields: Any) -> Sample:
    """The draft of a sample."""
    return Sample.draft(id=id, **fields)


def created(
    draft: Record, *, by: Actor = CLERK, now: datetime = START, at: datetime | None = None, key: str | None = None
) -> Change:
    """The creation of a draft."""
    return _decided(draft, Command(trigger="create", actor=by, now=now, at=at, key=key, step=True))


def acted(
    before: Record,
    trigger: str,
    details: object = None,
    *,
    by: Actor = CLERK,
    now: datetime | None = None,
    at: datetime | None = None,
    key: str | None = None,
    reason: str = "as agreed",
) -> Change:
    """One act on a record; recorded at the moment of its last one, unless `now` says otherwise.

    Raises:
        TransitionRefused: the state, the details or a guard is against it.
    """
    assert before.updated_at is not None, "a stored record was updated at some time"
    now = now or before.updated_at
    command = Command(trigger=trigger, actor=by, now=now, at=at, details=details, reason=reason, key=key, step=True)
    return _decided(before, command)


def erased(before: Record, history: Sequence[Entry], sealed: Sequence[Sealed], *names: str) -> Change:
    """Content of a report is erased, by name; its history and what is stored of that are given.

    Raises:
        InvalidValue: it may not be erased.
    """
    assert before.updated_at is not None, "a stored record was updated at some time"
    details, now = Erasure(fields=names), before.updated_at
    command: Command = Command(
        trigger="erase", actor=CLERK, now=now, details=details, reason="as asked", salt=_salt(before), step=True
    )
    decision = decide(REPORT, before, command)
    removal = removal_of(decision, REPORT, before, history, [REPORT])
    salts = {number: sha256(f"{command.salt}{number}".encode()).hexdigest()[:32] for number in removal.entries}
    remains = seal_remains(removal, history, sealed, salts)
    decision = complete_erasure(decision, removal, REPORT, before, command, remains)
    return _change(before, decision, [(one.entry, one.sealed) for one in remains])


def joined(*changes: Change) -> Change:
    """Changes of one record, one upon the other, as one."""
    entries = [entry for change in changes for entry in change.entries]
    sealed = [one for change in changes for one in change.sealed]
    return Change(record=changes[-1].record, expected=changes[0].expected, entries=entries, sealed=sealed)


def _salt(before: Record) -> str:
    """The same salt for each change of a record at a version, so that two equal changes are equal."""
    return sha256(f"{before.id}@{before.version}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _decided(before: Record, command: Command) -> Change:
    decision = decide(_LIFECYCLES[type(before)], before, attrs.evolve(command, salt=_salt(before)))
    return _change(before, decision)


def _change(before: Record, decision: Decision, erased: Sequence[tuple[Entry, Sealed]] = ()) -> Change:
    assert decision.sealed is not None, "the command has a salt"
    expected, entries, sealed = before.seen if before.version else None, (decision.entry,), (decision.sealed,)
    return Change(record=decision.record, expected=expected, entries=entries, sealed=sealed, erased=erased)
