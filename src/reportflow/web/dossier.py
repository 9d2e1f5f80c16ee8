"""A record with all that its pages show beside it: its history, its people by name, the records that it refers to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs
from starlette.exceptions import HTTPException

from reportflow.exports.phrases import Phrases, id_fields, referring
from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Person
from reportflow.model.attachment import Attachment
from reportflow.model.entry import Entry
from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.model.values import field_names
from reportflow.web.calling import Steps
from reportflow.web.pages.reading import note_reading
from reportflow.web.rows import histories_of
from reportflow.web.timeline import Happening, happenings, long_fields, versions
from reportflow.web.visit import Visit

#: How many people and records are looked up for one page.
_MOST = 200
#: How many records that belong to one are listed.
_CHILDREN = 20
#: What the head of a page shows, or nobody needs to see.
_ELSEWHERE = frozenset(
    {"id", "kind", "state", "version", "head", "lifecycle_version", "title", "parent", "due_at", "secrecy",
     "created_by", "created_for", "created_at", "updated_at", "assignee", "unit"}
)  # fmt: skip


class Dossier(NamedTuple):
    """What is known of a record for one reader.

    Attributes:
        record: The record.
        lifecycle: Its definition.
        entries: What the reader may read of its history, oldest first.
        shown: The same as it is shown.
        names: What people call the ids in it, of persons and of the records that the reader sees.
        links: The records that it refers to, by id, as far as the reader sees them.
        children: The first of those that belong to it, as far as the reader sees them.
        options: What can be done with it and why not, where that was asked.
        phrases: Writes values.
    """

    record: Record
    lifecycle: Lifecycle
    entries: Sequence[Entry]
    shown: Sequence[Happening]
    names: Mapping[str, str]
    links: Mapping[str, Record]
    children: Sequence[Record]
    options: Sequence[Option]
    phrases: Phrases


async def dossier(visit: Visit, id: str, *, children: bool = False, options: bool = False) -> Dossier:
    """A record as the person who asks sees it; that they read it is noted.

    Args:
        visit: Who asks.
        id: Of which record.
        children: Whether to look for those that belong to it.
        options: Whether to ask what can be done with it.

    Raises:
        RecordNotFound: there is none that they may see.
    """
    read = await visit.ask_in_turn(_read(visit, id, children=children, options=options))
    record, entries, links = read.record, read.entries, read.links
    await note_reading(visit, record, *entries)
    visit.shows(*(one.secrecy for one in (record, *links.values(), *read.children)))
    names = {entry.actor.id: visit.t.person(entry.actor) for entry in entries if entry.actor.name}
    names.update({id: visit.t.person(one) for id, one in read.people.items() if one.name})
    names.update({one.id: paper(visit, one) for one in links.values()})
    lifecycles = tuple(visit.flow.lifecycles)
    phrases = Phrases(visit.t.catalog, visit.language, visit.t.zone, names)
    shown = happenings(record, entries, lifecycles, visit.t, phrases, names)
    lifecycle = definition_of(record, lifecycles)
    return Dossier(record, lifecycle, entries, shown, names, links, read.children, read.options, phrases)


class _Read(NamedTuple):
    """What the flow gave."""

    record: Record
    entries: Sequence[Entry]
    options: tuple[Option, ...]
    links: Mapping[str, Record]
    children: tuple[Record, ...]
    people: Mapping[str, Person]


def _read(visit: Visit, id: str, *, children: bool, options: bool) -> Steps[_Read]:
    """Read all that a dossier is made of.

    Raises:
        RecordNotFound: there is no such record that they may see.
    """
    flow = visit.flow
    record, entries = yield from _with_history(visit, id)
    offered = (yield visit.asking(flow.options, record)) if options else ()
    values = (record, *(entry.details for entry in entries))
    acted = {one for entry in entries for one in (entry.actor.id, entry.actor.on_behalf_of)}  # who edited is no record
    referred = dict.fromkeys(one for value in values for one in _ids_in(value, referring))
    sought = [one for one in referred if one not in acted][:_MOST]
    found = (yield visit.asking(flow.find, Query(id=set(sought), limit=_MOST))) if sought else ()
    links = {one.id: one for one in found if one.id != id}
    belonging = (yield visit.asking(flow.find, Query(parent=id, limit=_CHILDREN))) if children else ()
    behind = (entry.actor.on_behalf_of for entry in entries)
    every = dict.fromkeys([*(one for value in values for one in _ids_in(value, id_fields)), *filter(None, behind)])
    named = {entry.actor.id for entry in entries if entry.actor.name}
    missing = [one for one in list(every)[:_MOST] if one not in links and one not in named]
    people = (yield visit.asking(flow.people, missing, limit=_MOST)) if missing else {}
    return _Read(record, entries, offered, links, tuple(belonging), people)


def _with_history(visit: Visit, id: str) -> Steps[tuple[Record, Sequence[Entry]]]:
    """A record and what the person may read of its history, as far as the record goes.

    Raises:
        RecordNotFound: there is no such record that they may see.
        ReportflowError: it cannot be read.
    """
    flow = visit.flow
    for record, entries in (yield histories_of(visit, Query(id=id, limit=1))):
        return record, entries
    record = yield visit.asking(flow.get, id)  # which says why there is none
    entries = yield visit.asking(flow.history, id)
    return record, [one for one in entries if one.sequence <= record.version]


def _ids_in(value: Any, fields: Callable[[type[Any]], Collection[str]]) -> Iterable[str]:
    """The ids that a value names in some of its fields; in a record, also of who created it."""
    if value is None or not attrs.has(type(value)):
        return
    names = fields(type(value))
    if isinstance(value, Record) and fields is id_fields:
        names = {*names, "created_by", "created_for"}
    for name in (one for one in field_names(type(value)) if one in names):
        content = getattr(value, name)
        several = (content,) if isinstance(content, str) else content if isinstance(content, tuple) else ()
        yield from (one for one in several if isinstance(one, str) and one)


def definition_of(record: Record, lifecycles: Iterable[Lifecycle]) -> Lifecycle:
    """The definition by which a record was created; the flow gives no record of which it has none."""
    return next(one for one in lifecycles if (one.name, one.version) == (record.kind, record.lifecycle_version))


def paper(visit: Visit, record: Record) -> str:
    """A record by its title and number, in a sentence."""
    facts = {"title": visit.t.title(record), "number": record.reference}
    code = "word.record_numbered" if record.reference else "word.record"
    return visit.t.catalog.text(code, visit.language, facts)


class Masthead(NamedTuple):
    """The head of a printed page, as official papers have it.

    Attributes:
        name: What such papers are called, in large letters.
        number: The number of this one; blank where it has none.
        office: The office; blank where nobody says it.
        day: When the text became what it is.
    """

    name: str
    number: str
    office: str
    day: str


def masthead(visit: Visit, one: Dossier) -> Masthead:
    """The head of the printed page of a record."""
    t, record = visit.t, one.record
    name = t.label("lifecycle", record.kind, record.kind)
    unit = t.known_label("unit", record.unit, record.kind) if record.unit else ""
    office = unit or t.own(visit.site.settings.title)
    written = versions(one.entries, tuple(visit.flow.lifecycles), long_fields(record))
    return Masthead(
        name[:1].upper() + name[1:],
        t("find.number", number=record.reference) if record.reference else "",
        "" if office == name else office,
        t.day(written[-1].at if written else record.created_at),
    )


# -- what the pages show of the record itself ------------------------------------------------------------------------


def texts(record: Record) -> list[tuple[str, str]]:
    """The texts of a record, each with its field; those that are blank are left out."""
    return [(name, text) for name in long_fields(record) if (text := getattr(record, name)).strip()]


def particulars(one: Dossier, record: Record | None = None) -> list[tuple[str, str]]:
    """The other fields of a record that hold something, each with its field: no ids, no texts, no files."""
    record = one.record if record is None else record
    without = {*_ELSEWHERE, *id_fields(type(record)), *long_fields(record)}
    found = []
    for name in field_names(type(record)):
        content = getattr(record, name)
        is_number = isinstance(content, str) and content == record.reference
        if name in without or is_number or _is_files(content) or content in (0, ()):
            continue
        if shown := one.phrases.field(record, name, one.lifecycle):
            found.append((name, shown))
    return found


def references(one: Dossier) -> list[tuple[str, list[Record]]]:
    """The records that a record refers to, by field, as far as the reader sees them."""
    found = []
    for name in field_names(type(one.record)):
        if name in id_fields(type(one.record)):
            content = getattr(one.record, name)
            ids = (content,) if isinstance(content, str) else content if isinstance(content, tuple) else ()
            linked = [one.links[id] for id in ids if isinstance(id, str) and id in one.links]
            if linked:
                found.append((name, linked))
    return found


def authors(one: Dossier, record: Record | None = None) -> list[tuple[str, str]]:
    """The fields that name people by more than their id, as a signature."""
    record = one.record if record is None else record
    found = []
    for name in field_names(type(record)):
        content = getattr(record, name)
        if isinstance(content, tuple) and content and not _is_files(content) and all(_is_person(it) for it in content):
            found.append((name, one.phrases.field(record, name, one.lifecycle)))
    return found


def signed(one: Dossier) -> list[tuple[str, str]]:
    """The same as a printed text is signed: the unit before the name; not where the text's last line names them all."""
    found = []
    last_lines = [text.strip().rpartition("\n")[2] for _, text in texts(one.record)]
    signature = "\n".join(line for line in last_lines if line.startswith(("（", "(")))
    for name, _ in authors(one):
        if all(it.name in signature for it in getattr(one.record, name)):
            continue
        people = [f"{getattr(it, 'unit', '')}\u3000{it.name}".strip() for it in getattr(one.record, name)]
        found.append((name, one.phrases.joined(people, "，")))
    return found


def attachments(record: Record) -> list[Attachment]:
    """The files that belong to a record."""
    every = [getattr(record, name) for name in field_names(type(record))]
    return [one for content in every if _is_files(content) for one in _several(content)]


def _several(content: Any) -> tuple[Any, ...]:
    return content if isinstance(content, tuple) else (content,)


def _is_files(content: Any) -> bool:
    return content != () and all(isinstance(one, Attachment) for one in _several(content))


def _is_person(value: object) -> bool:
    return attrs.has(type(value)) and isinstance(getattr(value, "name", None), str)


def version_of(visit: Visit, given: str | None, record: Record) -> int:
    """A version that an address names.

    Raises:
        HTTPException: 404, there is no such version.
    """
    if given is None or not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise HTTPException(404)
    if not 1 <= int(given) <= record.version:
        raise HTTPException(404)
    return int(given)
