"""The report (社情民意信息): its record, the details of its transitions, and its lifecycle `REPORT`.

The process is that of a committee office: a contributor hands in a report, an editor edits it, a reviewer passes it, it
is adopted by a serial or a higher body, forwarded, instructed on by a leader, and absorbed by a department. Every rule
of it is a row of the table at the end of this module.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.guards import Answer, Guard, changes, guard, nobody_from
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME, OneOf, State, Step, Transition
from reportflow.model.actor import OWN, UNIT, Secrecy, as_secrecy
from reportflow.model.attachment import Attachment
from reportflow.model.entry import Command, Details, Entry
from reportflow.model.frozen import FrozenDict
from reportflow.model.record import Record
from reportflow.model.values import (
    CODE,
    LEVEL,
    LONG_TEXT,
    PARTY,
    PERSON,
    REFERENCE,
    RETRACTS,
    Ranked,
    Value,
    as_texts,
    as_tuple,
    choice,
    in_utc_or_none,
    not_blank,
    not_empty,
)


class Level(Ranked):
    """The level of a body, a leader or a member, lowest first."""

    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"
    NATIONAL = "national"
    CENTRAL = "central"


class Source(enum.StrEnum):
    """Where a report came from; `CONVERTED` from a speech, a survey report or a proposal (发言、调研、提案转化)."""

    MEMBER = "member"
    CONTACT_POINT = "contact_point"
    DIRECT_REPORT_POINT = "direct_report_point"
    MEMBER_STUDIO = "member_studio"
    SPECIAL_CONTRIBUTOR = "special_contributor"
    SPECIAL_COMMITTEE = "special_committee"
    SECTOR_GROUP = "sector_group"
    PARTY = "party"
    MASS_ORGANISATION = "mass_organisation"
    NON_PARTY = "non_party"
    COUNTY_COMMITTEE = "county_committee"
    PUBLIC = "public"
    CONVERTED = "converted"
    OTHER = "other"


class Usage(enum.StrEnum):
    """How a report was adopted: alone (单篇), combined with others (综合), or forwarded by the adopter (转送)."""

    SINGLE = "single"
    COMBINED = "combined"
    FORWARDED = "forwarded"


def _level(value: Level | str) -> Level:
    return choice(Level, value, "level")


def _level_or_none(value: Level | str | None) -> Level | None:
    return None if value is None else _level(value)


def _source(value: Source | str) -> Source:
    return choice(Source, value, "source")


def _source_or_none(value: Source | str | None) -> Source | None:
    return None if value is None else _source(value)


def _usage(value: Usage | str) -> Usage:
    return choice(Usage, value, "usage")


def _secrecy_or_none(value: Secrecy | str | None) -> Secrecy | None:
    return None if value is None else as_secrecy(value)


def _texts_or_none(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else as_texts(value)


# ---------------------------------------------------------------------------------------------------------------
# The record


@attrs.frozen(kw_only=True)
class Author(Value):
    """Who wrote a report: a name, and the host's id where the person is an actor (then the report is theirs).

    Attributes:
        name: What people call them; not blank.
        id: The id of the actor; None for a person who never signs in.
        unit: Where they belong: a committee, a studio, a county.
        level: The level of the committee that they sit in.
    """

    name: str = attrs.field(validator=not_blank)
    id: str | None = None
    unit: str = ""
    level: Level | None = attrs.field(default=None, converter=_level_or_none)


def _authors(value: Iterable[Author]) -> tuple[Author, ...]:
    return as_tuple(value)


def _authors_or_none(value: Iterable[Author] | None) -> tuple[Author, ...] | None:
    return None if value is None else as_tuple(value)


def _attachments(value: Iterable[Attachment]) -> tuple[Attachment, ...]:
    return as_tuple(value)


@attrs.frozen(kw_only=True)
class Fact(Value):
    """An adoption, forwarding or instruction that stands.

    Attributes:
        sequence: Which entry of the report's history it is.
        trigger: What was done.
    """

    sequence: int
    trigger: str


def _facts(value: Iterable[Fact]) -> tuple[Fact, ...]:
    return as_tuple(value)


@attrs.frozen(kw_only=True)
class Report(Record):
    """A report: one matter, its situation, cause and suggestions.

    Attributes:
        title: Not blank.
        number: The office's serial number.
        text: The text as it stands; earlier ones are in the history.
        authors: At least one.
        source: Where it came from; creations are counted by it.
        topics: What it is about, as words to count by.
        attachments: Files that belong to it.
        commission: The id of the commissioned call that it answers.
        origin: Where else it can be found: an address, a number in another system.
        merged_into: The id of the report that it was merged into.
        credits: The ids of the reports that were merged into it, and of those that were merged into these.
        revision: How often its text was changed.
        edited_by: The id of the editor who edited it last.
        edited_for: The id of the person on whose behalf it was edited last; None where the editor acted for nobody.
        facts: The adoptions, forwardings and instructions that stand, as they were entered.
    """

    title: str = attrs.field(validator=not_blank)
    text: str = attrs.field(metadata=LONG_TEXT, validator=not_blank)
    authors: tuple[Author, ...] = attrs.field(converter=_authors, validator=not_empty)
    number: str = ""
    source: Source = attrs.field(default=Source.MEMBER, metadata=CODE, converter=_source)
    topics: tuple[str, ...] = attrs.field(default=(), converter=as_texts)
    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=_attachments)
    commission: str | None = attrs.field(default=None, metadata=REFERENCE)
    origin: str = ""
    merged_into: str | None = attrs.field(default=None, metadata=REFERENCE)
    credits: tuple[str, ...] = attrs.field(default=(), converter=as_texts, metadata=REFERENCE)
    revision: int = 0
    edited_by: str | None = attrs.field(default=None, metadata=REFERENCE)
    edited_for: str | None = attrs.field(default=None, metadata=REFERENCE)
    facts: tuple[Fact, ...] = attrs.field(default=(), converter=_facts, metadata=REFERENCE)

    if TYPE_CHECKING:  # `Record.draft`, with the fields that a report's creation accepts

        @classmethod
        def draft(  # noqa: D102  # as `Record.draft`
            cls,
            *,
            title: str,
            text: str,
            authors: Iterable[Author],
            kind: str = ...,
            source: Source | str = ...,
            topics: str | Iterable[str] = ...,
            category: str = ...,
            attachments: Iterable[Attachment] = ...,
            commission: str | None = ...,
            origin: str = ...,
            secrecy: Secrecy | str = ...,
            parent: str | None = ...,
        ) -> Self: ...

    @property
    def reference(self) -> str:
        """Its number."""
        return self.number

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Its authors, by id, and its topics."""
        return {"author": tuple(one.id for one in self.authors if one.id), "topic": self.topics}


# ---------------------------------------------------------------------------------------------------------------
# The details of the transitions


@attrs.frozen(kw_only=True)
class Revision(Details):
    """A new text, and a new title where one is given."""

    text: str = attrs.field(metadata=LONG_TEXT, validator=not_blank)
    title: str | None = attrs.field(default=None, validator=not_blank)


@attrs.frozen(kw_only=True)
class Supplement(Details):
    """补充材料: evidence that is added, and what is corrected; what is None stays as it is.

    Attributes:
        attachments: Added to those that the report has; one of a name that is there takes its place.
        authors: All of them, as they should be.
        source: Where it really came from.
        origin: Where else it can be found.
    """

    attachments: tuple[Attachment, ...] = attrs.field(default=(), converter=_attachments)
    authors: tuple[Author, ...] | None = attrs.field(
        default=None, converter=_authors_or_none, validator=attrs.validators.optional(not_empty)
    )
    source: Source | None = attrs.field(default=None, converter=_source_or_none)
    origin: str | None = None


@attrs.frozen(kw_only=True)
class Classification(Details):
    """Its number, what a report is about and how secret it is; what is None stays as it is."""

    number: str | None = None
    topics: tuple[str, ...] | None = attrs.field(default=None, converter=_texts_or_none)
    category: str | None = None
    secrecy: Secrecy | None = attrs.field(default=None, converter=_secrecy_or_none)


@attrs.frozen(kw_only=True)
class Assignment(Details):
    """The editor in charge (None: any), and the due date."""

    assignee: str | None = None
    due_at: datetime | None = attrs.field(default=None, converter=in_utc_or_none)


@attrs.frozen(kw_only=True)
class Adoption(Details):
    """编发 or 采用: a body adopted the report, in its serial or otherwise.

    Attributes:
        body: Which body.
        level: The body's level.
        carrier: The serial, such as 《协商建言》.
        issue: The number of the issue, 期.
        usage: Alone, combined with others, or forwarded by the adopter.
    """

    body: str = attrs.field(metadata=PARTY, validator=not_blank)
    level: Level = attrs.field(metadata=LEVEL, converter=_level)
    carrier: str = ""
    issue: str = ""
    usage: Usage = attrs.field(default=Usage.SINGLE, metadata=CODE, converter=_usage)


@attrs.frozen(kw_only=True)
class Forwarding(Details):
    """报送, 转办 or 转送: sent on. A delivery, not an adoption.

    Attributes:
        to: To whom.
        level: Their level.
        upward: True for 报送 to a higher body, False for 转送 or 转办 to a department.
        due_at: When the reply is due (转办); None where none is expected (转送).
        note: What was written along.
    """

    to: str = attrs.field(metadata=PARTY, validator=not_blank)
    level: Level = attrs.field(metadata=LEVEL, converter=_level)
    upward: bool = attrs.field(default=False, metadata=CODE)
    due_at: datetime | None = attrs.field(default=None, converter=in_utc_or_none)
    note: str = attrs.field(default="", metadata=LONG_TEXT)


@attrs.frozen(kw_only=True)
class Reply(Details):
    """办复: what a department answered.

    Attributes:
        department: Which department.
        text: What it wrote.
        result: The office's code of the outcome, counted by it; ``solved``, ``in_progress``, ``planned`` and
            ``noted`` have labels.
    """

    department: str = attrs.field(metadata=PARTY, validator=not_blank)
    text: str = attrs.field(default="", metadata=LONG_TEXT)
    result: str | None = attrs.field(default=None, metadata=CODE, validator=not_blank)


@attrs.frozen(kw_only=True)
class Instruction(Details):
    """批示: a leader wrote on it.

    Attributes:
        leader: Who.
        level: The leader's level.
        text: What was written; "" where only a circle was.
        post: The leader's post.
        principal: Whether it is a principal leader (主要领导), counted apart.
    """

    leader: str = attrs.field(metadata=PARTY, validator=not_blank)
    level: Level = attrs.field(metadata=LEVEL, converter=_level)
    text: str = attrs.field(default="", metadata=LONG_TEXT)
    post: str = ""
    principal: bool = attrs.field(default=False, metadata=CODE)


@attrs.frozen(kw_only=True)
class Uptake(Details):
    """采纳: a department made it a measure.

    Attributes:
        department: Which department.
        measure: What it did.
        evidence: Where that can be read.
    """

    department: str = attrs.field(metadata=PARTY, validator=not_blank)
    measure: str = attrs.field(default="", metadata=LONG_TEXT)
    evidence: str = attrs.field(default="", metadata=LONG_TEXT)


@attrs.frozen(kw_only=True)
class Retraction(Details):
    """撤销登记: an adoption, a forwarding or an instruction that was entered in error is taken back.

    Attributes:
        sequence: Which entry of the history.
    """

    sequence: int = attrs.field(metadata=RETRACTS)


@attrs.frozen(kw_only=True)
class Rejection(Details):
    """不采用: the office's code of the ground, counted by it."""

    code: str = attrs.field(metadata=CODE, validator=not_blank)


@attrs.frozen(kw_only=True)
class Merge(Details):
    """并入: into which report."""

    target: str = attrs.field(validator=not_blank, metadata=REFERENCE)


@attrs.frozen(kw_only=True)
class Credit(Details):
    """Which report was merged, or is no longer.

    Attributes:
        source: Its id.
        passed_on: The ids of the reports that had been merged into that one.
    """

    source: str = attrs.field(validator=not_blank, metadata=REFERENCE)
    passed_on: tuple[str, ...] = attrs.field(default=(), converter=as_texts, metadata=REFERENCE)


@attrs.frozen(kw_only=True)
class Comment(Details):
    """批注: a remark of a person who may see the report; an internal one (内部批注) is read by the office alone."""

    text: str = attrs.field(metadata=LONG_TEXT, validator=not_blank)
    internal: bool = False


@attrs.frozen(kw_only=True)
class Erasure(Details):
    """清除个人信息: what is erased from a report and its history.

    Attributes:
        fields: The names of it: ``text``, ``authors``, ``comment.text``, ``reason``, ``actor``; see
            `reportflow.lifecycle.erasable`.
        person: The id of a person; what is known of them is erased, too.
    """

    fields: tuple[str, ...] = attrs.field(default=(), converter=as_texts, metadata=REFERENCE)
    person: str | None = attrs.field(default=None, metadata={**PERSON, **REFERENCE}, validator=not_blank)


# ---------------------------------------------------------------------------------------------------------------
# The rules that are not plain fields: each pure


not_the_last_editor: Final[Guard] = nobody_from("edited_by", "edited_for")


@guard("itself", reads_details=True)
def _not_itself(record: Report, command: Command) -> Answer:
    return getattr(command.details, "target", None) != record.id


@guard("not_a_fact", reads_details=True)
def _is_a_fact(record: Report, command: Command[Retraction]) -> Answer:
    facts = tuple(fact.sequence for fact in record.facts)
    return command.details.sequence in facts or {"sequence": command.details.sequence, "facts": facts}


def _given_or(field: str) -> Any:
    """The details' field, or the record's own where the details leave it out."""
    return partial(_given_or_before, field)


def _given_or_before(field: str, before: Report, entry: Entry) -> object:
    given = getattr(entry.details, field)
    return getattr(before, field) if given is None else given


def _next_revision(before: Report, entry: Entry) -> int:
    return before.revision + 1


def _editor(before: Report, entry: Entry) -> str:
    return entry.actor.id


def _edited_for(before: Report, entry: Entry) -> str | None:
    return entry.actor.on_behalf_of


def _supplemented(before: Report, entry: Entry) -> tuple[Attachment, ...]:
    assert isinstance(entry.details, Supplement)
    added = {one.name: one for one in entry.details.attachments}
    return (*(one for one in before.attachments if one.name not in added), *added.values())


def _with_fact(before: Report, entry: Entry) -> tuple[Fact, ...]:
    return (*before.facts, Fact(sequence=entry.sequence, trigger=entry.trigger))


def _without_fact(before: Report, entry: Entry) -> tuple[Fact, ...]:
    assert isinstance(entry.details, Retraction)
    return tuple(fact for fact in before.facts if fact.sequence != entry.details.sequence)


def _by_facts(record: Report, details: object) -> str:
    """How far a report is by the facts that stand: instructed on, else adopted, else forwarded, else only reviewed."""
    stand = {fact.trigger for fact in record.facts}
    return next((state for trigger, state in _STATE_OF_FACT.items() if trigger in stand), "reviewed")


def _credit_of(entry: Entry) -> tuple[str, ...]:
    assert isinstance(entry.details, Credit)
    return (*entry.details.passed_on, entry.details.source)


def _credited(before: Report, entry: Entry) -> tuple[str, ...]:
    return (*_discredited(before, entry), *_credit_of(entry))


def _discredited(before: Report, entry: Entry) -> tuple[str, ...]:
    gone = _credit_of(entry)
    return tuple(one for one in before.credits if one not in gone)


def _credit_target(before: Report, entry: Entry) -> list[Step]:
    assert isinstance(entry.details, Merge)
    credit = Credit(source=before.id, passed_on=before.credits)
    return [Step(target=entry.details.target, trigger="credit", details=credit)]


def _discredit_target(before: Report, entry: Entry) -> list[Step]:
    assert before.merged_into is not None
    credit = Credit(source=before.id, passed_on=before.credits)
    return [Step(target=before.merged_into, trigger="discredit", details=credit, system=True)]


def _discredit_further(before: Report, entry: Entry) -> list[Step]:
    """What a merged report had passed on is taken back where it was passed on to."""
    if before.merged_into is None:
        return []
    return [Step(target=before.merged_into, trigger="discredit", details=entry.details, system=True)]


def _readers_of_comment(details: Comment) -> frozenset[str] | None:
    return _OFFICE if details.internal else None


def _direction_of_adoption(entry: Entry) -> str:
    """编发 or 登记采用: a serial up to the city's level is the office's own, as `figures` count by default."""
    return "own" if isinstance(entry.details, Adoption) and entry.details.level <= Level.CITY else ""


def _direction_of_forwarding(entry: Entry) -> str:
    """报送 upward, 转办 where a reply is due, else 转送."""
    if not isinstance(entry.details, Forwarding):
        return ""
    return "upward" if entry.details.upward else "for_reply" if entry.details.due_at else ""


# ---------------------------------------------------------------------------------------------------------------
# The table

_STATES: Final = (
    State("draft", awaits={"editor"}),
    State("edited", awaits={"reviewer"}),
    State("reviewed", awaits={"registrar"}),
    State("returned", awaits={"contributor"}),
    *(
        State(name, final=True)
        for name in ("adopted", "forwarded", "instructed", "kept", "rejected", "withdrawn", "merged")
    ),
)
_ALL: Final = frozenset(state.name for state in _STATES)
_OFFICE: Final = frozenset({"editor", "reviewer", "registrar", "auditor"})
_IN_HAND: Final = frozenset({"draft", "edited", "reviewed"})
_OUT: Final = frozenset({"adopted", "forwarded", "instructed"})

_TEXT: Final[Mapping[str, object]] = {"text": "text", "title": _given_or("title"), "revision": _next_revision}
#: What each fact makes of a report, what counts most first.
_STATE_OF_FACT: Final[Mapping[str, str]] = FrozenDict(
    {"instruct": "instructed", "adopt": "adopted", "forward": "forwarded"}
)
_FACT: Final[Mapping[str, object]] = {"facts": _with_fact}
_SUPPLEMENT: Final[Mapping[str, object]] = {
    "attachments": _supplemented, **{name: _given_or(name) for name in ("authors", "source", "origin")},
}  # fmt: skip
_CLASSES: Final[Mapping[str, object]] = {name: _given_or(name) for name in ("number", "topics", "category", "secrecy")}

REPORT: Final = Lifecycle(
    name="report",
    version=1,
    record=Report,
    roles={"contributor": OWN, "editor": UNIT, "reviewer": UNIT, "registrar": UNIT, "auditor": UNIT},
    states=_STATES,
    audits={"auditor"},
    transitions=[
        Transition(
            "create", source=None, dest="draft", roles={"contributor", "editor"},
            accepts={
                "title", "text", "authors", "source", "topics", "category", "attachments", "commission", "origin",
                "secrecy", "parent",
            },
        ),
        Transition(
            "revise", source={"draft", "returned"}, dest="draft", roles={"contributor"}, details=Revision, sets=_TEXT
        ),
        Transition(
            "edit", source=_IN_HAND, dest="edited", roles={"editor"}, details=Revision,
            guards=[changes("text", "title")], sets={**_TEXT, "edited_by": _editor, "edited_for": _edited_for},
        ),
        Transition(
            "supplement", source=_ALL - {"merged"}, dest=SAME, roles={"contributor", "editor"}, details=Supplement,
            sets=_SUPPLEMENT,
        ),
        Transition(
            "classify", source=_ALL - {"merged"}, dest=SAME, roles={"editor", "registrar"}, details=Classification,
            sets=_CLASSES,
        ),
        Transition(
            "assign", source=_ALL - {"merged"}, dest=SAME, roles={"editor", "registrar"}, details=Assignment,
            sets={"assignee": "assignee", "due_at": "due_at"},
        ),
        Transition("return", source=_IN_HAND, dest="returned", roles={"editor", "reviewer"}, reason_required=True),
        Transition(
            "review", source="edited", dest="reviewed", roles={"reviewer"}, guards=[not_the_last_editor],
            on_conflict="stale",
        ),
        Transition(
            "adopt", source={"reviewed", "forwarded"}, dest="adopted", roles={"registrar"}, details=Adoption,
            direction=_direction_of_adoption, sets=_FACT,
        ),
        Transition(
            "adopt", source={"adopted", "instructed"}, dest=SAME, roles={"registrar"}, details=Adoption,
            direction=_direction_of_adoption, sets=_FACT,
        ),
        Transition(
            "forward", source="reviewed", dest="forwarded", roles={"editor", "registrar"}, details=Forwarding,
            direction=_direction_of_forwarding, sets=_FACT,
        ),
        Transition(
            "forward", source=_OUT, dest=SAME, roles={"editor", "registrar"}, details=Forwarding,
            direction=_direction_of_forwarding, sets=_FACT,
        ),
        Transition(
            "instruct", source={"reviewed", "adopted", "forwarded"}, dest="instructed", roles={"registrar"},
            details=Instruction, sets=_FACT,
        ),
        Transition(
            "instruct", source="instructed", dest=SAME, roles={"registrar"}, details=Instruction, sets=_FACT
        ),
        Transition("reply", source=_OUT, dest=SAME, roles={"registrar"}, details=Reply),
        Transition("absorb", source=_OUT, dest=SAME, roles={"registrar"}, details=Uptake),
        Transition(
            "retract", source=_OUT, dest=OneOf((*_STATE_OF_FACT.values(), "reviewed"), _by_facts), roles={"registrar"},
            guards=[_is_a_fact], details=Retraction, reason_required=True, sets={"facts": _without_fact},
        ),
        Transition("keep", source=_IN_HAND, dest="kept", roles={"editor", "reviewer"}, reason_required=True),
        Transition(
            "reject", source=_IN_HAND, dest="rejected", roles={"editor", "reviewer"}, reason_required=True,
            details=Rejection,
        ),
        Transition(
            "merge", source={"draft", "edited"}, dest="merged", roles={"editor"}, details=Merge, guards=[_not_itself],
            sets={"merged_into": "target"}, then=_credit_target,
        ),
        Transition(
            "unmerge", source="merged", dest="draft", roles={"editor"}, sets={"merged_into": None},
            then=_discredit_target,
        ),
        Transition(
            "credit", source=_ALL - {"merged"}, dest=SAME, roles=NOBODY, details=Credit, sets={"credits": _credited}
        ),
        Transition(
            "discredit", source=_ALL, dest=SAME, roles=NOBODY, details=Credit, sets={"credits": _discredited},
            then=_discredit_further,
        ),
        Transition(
            "withdraw", source=_IN_HAND | {"returned"}, dest="withdrawn", roles={"contributor", "registrar"},
            reason_required=True,
        ),
        Transition(
            "reopen", source={"kept", "rejected", "withdrawn"}, dest="draft", roles={"registrar"}, reason_required=True
        ),
        Transition(
            "comment", source=_ALL, dest=SAME, roles=EVERYBODY, details=Comment,
            audience=_readers_of_comment, on_conflict="commutes",
        ),
        Transition(
            "erase", source=_ALL, dest=SAME, roles={"registrar"}, details=Erasure, reason_required=True,
            erases="fields",
        ),
    ],
)  # fmt: skip
