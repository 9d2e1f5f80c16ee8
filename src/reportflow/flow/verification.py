"""Whether what is stored is what was done: the chains of all records, and each record beside its entries.

Theory of operation. Records and entries are read page by page, both in the order of the records' ids, and joined as two
sorted lists are merged; a file of noted heads is the third. So the entries of one record, two pages and the findings
are all that is held, however many there are. What looks wrong is read once more by itself, record, entries, record,
until the record stood still meanwhile: other users may go on writing, and their acts are no flaws.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from reportflow.errors import InvalidValue, RecordNotFound, ReportflowError, StorageUnavailable
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, store
from reportflow.flow.heads import FilePath, HeadsWriter, NotedHead, order_key, read_heads
from reportflow.flow.requests import checked_id
from reportflow.lifecycle.chain import Chain, Flaw, Judged, StoredRecord
from reportflow.model.actor import Actor
from reportflow.model.checks import text_problem, type_problem
from reportflow.model.query import Query, Visibility
from reportflow.model.values import changed
from reportflow.serialization.digest import Sealed

#: How many records, and how many entries, are read at once.
_RECORDS: Final = 500
_ENTRIES: Final = 1000
#: How often a record that looks wrong is read again while others write to it.
_READS: Final = 5
#: How many digests of causes are remembered: the steps of an act lie side by side.
_CAUSES: Final = 1000
#: Before and behind every sequence.
_FIRST: Final = -(2**31)
_LAST: Final = 2**31 - 1


@attrs.frozen(kw_only=True)
class Verification:
    """The result of a verification, or what it has come to so far.

    Attributes:
        records: How many records were verified.
        entries: How many entries they have.
        flaws: What is wrong, in the order of the records' ids.
        unknown: Kinds and versions for which the flow has no definition, with the number of records: their chains were
            verified, but not whether the records are what the entries lead to.
        reached: The id of the last record that was verified; ``after=`` goes on behind it.
        finished: Whether there is nothing behind it.
    """

    records: int = 0
    entries: int = 0
    flaws: tuple[Flaw, ...] = ()
    unknown: Mapping[tuple[str, int], int] = attrs.field(factory=dict)
    reached: str | None = None
    finished: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong in what was verified."""
        return not self.flaws


Progress = Callable[[Verification], object]


class Verifier:
    """Verifies what a store has, or writes down its heads.

    Args:
        definitions: The lifecycles of the flow.
        by: Whose view it is: only what they may see is verified and named; None: everything.
        after: The id behind which to begin.
        limit: How many flaws are found before it stops.
        against: The path of a file of heads.
        progress: Called after each thousand entries or records.

    Raises:
        InvalidValue: an id that is none, or a limit below 1.
    """

    def __init__(
        self,
        definitions: Definitions,
        *,
        by: Actor | None = None,
        after: str | None = None,
        limit: int,
        against: FilePath | None = None,
        progress: Progress | None = None,
    ) -> None:
        if type(limit) is not int or limit < 1:
            raise InvalidValue("limit", "range", {"given": limit, "least": 1, "most": "∞"})
        if against is not None and not isinstance(against, str | os.PathLike):
            raise InvalidValue("against", *type_problem("str | PathLike", against))
        self._chain = Chain(definitions, definitions.classes)
        self._kinds = definitions.classes.kinds
        self._rule = None if by is None else definitions.visibility(by)
        self._after = None if after is None else checked_id(after)
        self._limit = limit
        self._against = against
        self._progress = progress
        self._causes: dict[tuple[str, int], str | None] = {}
        self._records = 0
        self._entries = 0
        self._flaws: list[Flaw] = []
        self._unknown: dict[tuple[str, int], int] = {}
        self._reached: str | None = None

    # -- heads --------------------------------------------------------------------------------------------------

    def heads(self) -> Iterator[Effects[list[str]]]:
        """The lines of a file of heads, some at a time: each generator is to be run before the next is taken."""
        writer, rows = HeadsWriter(), _RecordStream(self._rule, None)
        while not rows.ended:
            yield self._some_heads(writer, rows)

    def _some_heads(self, writer: HeadsWriter, rows: _RecordStream) -> Effects[list[str]]:
        lines = [] if rows.begun else [writer.first()]
        for row in (yield from rows.page()):
            if row.record is not None:
                lines.append(writer.line(NotedHead(row.id, *row.record.seen)))
            elif entries := (yield from _entries_of(row.id)):  # what its last entry says, since the row says nothing
                lines.append(writer.line(NotedHead(row.id, len(entries), entries[-1].digest)))
        return [*lines, writer.last()] if rows.ended else lines

    # -- verifying ----------------------------------------------------------------------------------------------

    def verify(self) -> Effects[Verification]:
        """Verify record by record.

        Raises:
            InvalidValue: the file of heads cannot be used.
        """
        noted = iter(()) if self._against is None else (yield from self._noted(self._against))
        rows, entries = _RecordStream(self._rule, self._after), _EntryStream(self._after)
        row, group = (yield from rows.next()), (yield from entries.next())
        note = next(noted, None)
        reported = 0
        while row or group or note:
            ids = [*([row.id] if row else []), *([group[0].record_id] if group else []), *([note.id] if note else [])]
            id = min(set(ids), key=order_key)  # mostly they are the same one
            its_row = row if row and row.id == id else None
            its_entries = group if group and group[0].record_id == id else []
            its_note = note if note and note.id == id else None
            if self._rule is None or its_row is not None:
                yield from self._examine(id, its_row, its_entries, its_note)
                reported = self._report(reported)
                if len(self._flaws) >= self._limit:
                    break
            row = (yield from rows.next()) if its_row else row
            group = (yield from entries.next()) if its_entries else group
            note = next(noted, None) if its_note else note
        result = self._so_far(finished=not (row or group or note))
        if self._progress is not None:
            self._progress(result)
        return result

    def _so_far(self, *, finished: bool = False) -> Verification:
        return Verification(
            records=self._records,
            entries=self._entries,
            flaws=tuple(self._flaws),
            unknown=dict(self._unknown),
            reached=self._reached,
            finished=finished,
        )

    def _report(self, reported: int) -> int:
        """Call the hook, once in a while."""
        done = self._records + self._entries
        if self._progress is None or done - reported < _ENTRIES:
            return reported
        self._progress(self._so_far())
        return done

    def _noted(self, path: FilePath) -> Effects[Iterator[NotedHead]]:
        """The heads of a file behind the id at which it begins, after all of it was read once.

        Raises:
            InvalidValue: it cannot be used, or none of its records is here.
        """
        some: list[str] = []
        number, known = 0, False
        for one in read_heads(path):
            number += 1
            if not known:
                some.append(one.id)
            if len(some) == _RECORDS:
                known, some = (yield from self._knows(some)), []
        if number and not known and not (yield from self._knows(some)):
            raise InvalidValue("against", "heads_elsewhere", {"path": path, "number": number})
        after = None if self._after is None else order_key(self._after)
        return (one for one in read_heads(path) if after is None or after < order_key(one.id))

    def _knows(self, ids: Sequence[str]) -> Effects[bool]:
        """Whether one of the records is here."""
        storable = [id for id in ids if text_problem(id) is None]
        page = yield from store.find(Query(id=storable, limit=1))
        return bool(page.records or page.unreadable)

    def _examine(
        self, id: str, row: StoredRecord | None, entries: Sequence[Sealed], note: NotedHead | None
    ) -> Effects[None]:
        """Verify one record, and note what was found."""
        judged = yield from self._judge(id, row, entries, note)
        for _ in range(_READS):
            if not judged.flaws or text_problem(id):
                break
            row, entries = (yield from _row_of(id)), (yield from _entries_of(id))
            judged = yield from self._judge(id, row, entries, note)
            if row == (yield from _row_of(id)):
                break
        if judged.unknown is not None:
            self._unknown[judged.unknown] = self._unknown.get(judged.unknown, 0) + 1
        self._records += row is not None
        self._entries += len(entries)
        self._flaws += judged.flaws
        self._reached = id

    def _judge(
        self, id: str, row: StoredRecord | None, entries: Sequence[Sealed], note: NotedHead | None
    ) -> Effects[Judged]:
        judged = self._chain.judge(id, row, entries)
        if row is not None and row.record is None and judged.unknown is not None:
            judged = yield from self._judge_unknown(id, entries, judged)
        caused = [one for one in entries if one.cause_digest is not None]
        flaws = [*judged.flaws, *((yield from self._cause_flaws(id, caused)) if caused else [])]
        flaws += [] if note is None else _noted_flaws(note, row, entries)
        return Judged(flaws, judged.unknown)

    def _judge_unknown(self, id: str, entries: Sequence[Sealed], judged: Judged) -> Effects[Judged]:
        """A record that cannot be read: is it of the kind that its entries have, for which there is no definition?"""
        counted = yield from store.count(Query(id=id), "records", ("kind", "lifecycle_version"))
        of_a_kind = counted.keys() <= {(one.kind, one.lifecycle_version) for one in entries}
        if of_a_kind and not counted.keys() & set(self._kinds):
            return judged
        return Judged([*judged.flaws, Flaw(code="unreadable_record", record_id=id)])

    def _cause_flaws(self, id: str, entries: Sequence[Sealed]) -> Effects[list[Flaw]]:
        """The first entry whose cause is there, and is another entry than the one it followed from."""
        for one in entries:
            if isinstance(one.cause, str):
                digest = yield from self._digest_of(one.cause)
                if digest not in (None, one.cause_digest):
                    return [Flaw(code="cause", record_id=id, sequence=one.sequence)]
        return []

    def _digest_of(self, ref: str) -> Effects[str | None]:
        """The digest of the entry that a cause names; None where there is none."""
        id, _, number = ref.rpartition("@")
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= _LAST) or text_problem(id):
            return None
        place = id, int(number)
        if place not in self._causes:
            if len(self._causes) >= _CAUSES:
                self._causes.clear()
            found = yield from store.sealed((id, place[1] - 1), 1)
            self._causes[place] = next((one.digest for one in found if (one.record_id, one.sequence) == place), None)
        return self._causes[place]


def _noted_flaws(note: NotedHead, row: StoredRecord | None, entries: Sequence[Sealed]) -> list[Flaw]:
    """What became of a record since its head was written down."""
    if row is None and not entries:
        return [Flaw(code="removed", record_id=note.id)]
    digest = next((one.digest for one in entries if one.sequence == note.version), None)
    short = row is not None and row.record is not None and row.record.version < note.version
    if short or digest is None:
        return [Flaw(code="truncated", record_id=note.id, sequence=note.version)]
    return [] if digest == note.head else [Flaw(code="rewritten", record_id=note.id, sequence=note.version)]


def _row_of(id: str) -> Effects[StoredRecord | None]:
    """The row of a record as it is now."""
    try:
        (record,) = yield from store.get([id])
    except RecordNotFound:
        return None
    except StorageUnavailable:
        raise
    except ReportflowError:
        return StoredRecord(id, None)
    return StoredRecord(id, record)


def _entries_of(id: str) -> Effects[list[Sealed]]:
    """All entries of a record as they are now."""
    found: list[Sealed] = []
    place = id, _FIRST
    while True:
        some = yield from store.sealed(place, _ENTRIES)
        found += [one for one in some if one.record_id == id]
        if len(some) < _ENTRIES or some[-1].record_id != id:
            return found
        place = id, some[-1].sequence


class _RecordStream:
    """The rows of records in the order of their ids, page by page."""

    def __init__(self, rule: Visibility | None, after: str | None) -> None:
        query = Query(order="id", limit=_RECORDS, visible=rule)
        self._query = query if after is None else changed(query, {"cursor": query.cursor_after([after])})
        self._some: Iterator[StoredRecord] = iter(())
        self.begun = False
        self.ended = False

    def page(self) -> Effects[list[StoredRecord]]:
        """The next ones; none at the end."""
        page = yield from store.find(self._query)
        self.begun, self.ended = True, page.next is None
        self._query = changed(self._query, {"cursor": page.next})
        rows = [*(StoredRecord(one.id, one) for one in page), *(StoredRecord(id, None) for id in page.unreadable)]
        return sorted(rows, key=lambda row: order_key(row.id))

    def next(self) -> Effects[StoredRecord | None]:
        """The next one."""
        while (found := next(self._some, None)) is None:
            if self.ended:
                return None
            self._some = iter((yield from self.page()))
        return found


class _EntryStream:
    """The stored entries in the order of their records' ids, record by record."""

    def __init__(self, after: str | None) -> None:
        self._place = None if after is None else (after, _LAST)
        self._some: list[Sealed] = []
        self._next = 0
        self._ended = False

    def next(self) -> Effects[list[Sealed]]:
        """The entries of the next record; none at the end."""
        group: list[Sealed] = []
        while True:
            for number in range(self._next, len(self._some)):
                if group and self._some[number].record_id != group[0].record_id:
                    self._next = number
                    return group
                group.append(self._some[number])
            self._some, self._next = [], 0
            if self._ended:
                return group
            self._some = yield from store.sealed(self._place, _ENTRIES)
            self._ended = len(self._some) < _ENTRIES
            if self._some:
                last = self._some[-1]
                place = last.record_id, last.sequence
                # a sequence that is no number may lead nowhere: then this record is left behind
                self._place = place if place != self._place else (f"{last.record_id}\0", _LAST)
