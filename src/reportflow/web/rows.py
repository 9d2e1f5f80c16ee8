"""The rows of lists: what a list says of a record, in whatever kind it is.

A kind need have neither text nor authors nor a number: where a record has none, its creator and title stand for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Entry
from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.web.calling import Steps
from reportflow.web.markup import language_of
from reportflow.web.visit import Visit

#: How many authors a row names.
_NAMED: Final = 3


class ListedRecord(NamedTuple):
    """A record as a list shows it.

    Attributes:
        record: The record.
        lifecycle: The definition that it lives by.
        authors: Who wrote it, by name; blank where that is not known.
        place: Where the first of them belongs; blank where that is not known.
        moved: The entry by which it came into its state; None where the list does not say.
        days: How many days of the calendar have begun since then.
        text: What it says; blank where it says nothing.
        lang: The language of its title, where that is another one than the page's, as HTML says it; else blank.
        lang_authors: The same of their names.
        lang_text: The same of what it says.
        last: What is said of it: the last entry, or the last one of a person; None where the list does not say.
    """

    record: Record
    lifecycle: Lifecycle
    authors: str = ""
    place: str = ""
    moved: Entry | None = None
    days: int = 0
    text: str = ""
    lang: str = ""
    lang_authors: str = ""
    lang_text: str = ""
    last: Entry | None = None


async def histories(visit: Visit, records: Collection[Record]) -> dict[str, list[Entry]]:
    """The histories of some records as the person may read them, by id; of those that cannot be read, none."""
    return await visit.ask_in_turn(reading_histories(visit, records)) if records else {}


def reading_histories(visit: Visit, records: Collection[Record]) -> Steps[dict[str, list[Entry]]]:
    """The same as steps."""
    if not records:
        return {}
    query = Query(id=[record.id for record in records], limit=len(records))
    return {record.id: entries for record, entries in (yield histories_of(visit, query))}


def histories_of(visit: Visit, query: Query) -> Callable[[], Any]:
    """The call that gives all records of a query, with their histories."""
    flow: Any = visit.flow
    if not visit.site.is_async:
        return lambda: list(flow.histories(query, by=visit.actor))

    async def collect() -> list[tuple[Record, list[Entry]]]:
        return [one async for one in flow.histories(query, by=visit.actor)]

    return collect


def rows(
    visit: Visit,
    records: Iterable[Record],
    known: Mapping[str, Sequence[Entry]] | None = None,
    *,
    tells: Callable[[Entry], bool] = lambda entry: True,
    names: Mapping[str, Any] | None = None,
) -> list[ListedRecord]:
    """The rows of some records; how secret they are is noted.

    Args:
        visit: Who asks.
        records: The records.
        known: The histories of those that are to say since when they are in their state, and what happened last.
        tells: Which entries count for what happened last.
        names: The people whose names are known, by id, for records without authors.
    """
    found = []
    for record in records:
        visit.shows(record.secrecy)
        history = (known or {}).get(record.id, ())
        authors, place = _authors(visit, record, history, names or {})
        body = getattr(record, "text", "")
        text = body if isinstance(body, str) else ""
        moved = next((entry for entry in reversed(history) if entry.source != entry.dest), None)
        last = next((entry for entry in reversed(history) if tells(entry)), None)
        visit.shows(*(entry.secrecy for entry in (moved, last) if entry is not None))
        found.append(
            ListedRecord(
                record,
                lifecycle_of(visit, record),
                authors,
                place,
                moved,
                0 if moved is None else max(0, visit.t.days_since(moved.at)),
                text,
                language_of(record.title, language=visit.language),
                language_of(authors, language=visit.language),
                language_of(text, language=visit.language),
                last,
            )
        )
    return found


def lifecycle_of(visit: Visit, record: Record) -> Lifecycle:
    """The definition that a record lives by: the flow lists no record without one."""
    known: Iterable[Lifecycle] = visit.flow.lifecycles
    return next(one for one in known if (one.name, one.version) == (record.kind, record.lifecycle_version))


def _authors(visit: Visit, record: Record, history: Sequence[Entry], names: Mapping[str, Any]) -> tuple[str, str]:
    """Who wrote a record, and where the first of them belongs; its creator where it has no authors."""
    given = getattr(record, "authors", ())
    authors = [one for one in given if getattr(one, "name", "")] if isinstance(given, tuple) else []
    if authors:
        named = visit.t.join(str(one.name) for one in authors[:_NAMED])
        if len(authors) > _NAMED:
            named = visit.t("find.and_more", names=named, number=len(authors))
        return named, str(getattr(authors[0], "unit", ""))
    if history and history[0].sequence == 1 and history[0].actor.name:
        return history[0].actor.name, ""
    person = names.get(record.created_by)
    if person is None and record.created_by == visit.actor.id:
        person = visit.actor
    return (person.name, "") if person is not None else ("", "")
