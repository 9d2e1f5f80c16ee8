"""The storage contract: what a store promises, in which order, and which errors it raises.

Small on purpose. Reads give values; there are no sessions, lazy rows or cursors of a driver. Every sentence here is a
test in `reportflow.testing.conformance`, which any third party can run on a store of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import attrs

from reportflow.errors import InvalidValue, UnreadableRecord
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record, Seen
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed

#: What `count` counts.
Of = Literal["records", "entries"]
#: A group of `count`: one value for each name it was grouped by.
Group = tuple[str | int | None, ...]


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a store can do beyond the contract.

    A test that needs one is skipped, and listed, where it is declared missing.

    Attributes:
        durable: What was committed survives the death of the process.
        shared: Several processes may use it at once.
        host_transaction: It can write inside a transaction of the host: it is a `SupportsHostTransaction`.
        leases: It keeps the leases of its relays: it is a `SupportsLeases`.
    """

    durable: bool = False
    shared: bool = False
    host_transaction: bool = False
    leases: bool = False

    def bound(self) -> Capabilities:
        """What is left of them inside a transaction of the host: the store neither binds again nor keeps leases."""
        return Capabilities(durable=self.durable, shared=self.shared)


def _entries(value: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(value)


def _sealed(value: Iterable[Sealed]) -> tuple[Sealed, ...]:
    return tuple(value)


def _erased(value: Iterable[tuple[Entry, Sealed]]) -> tuple[tuple[Entry, Sealed], ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class Change:
    """One record's part of a commit.

    Attributes:
        record: The next record; its head is the digest of its last entry.
        expected: What was seen of the record that it replaces; None for a creation.
        entries: What happened in between, at least one, each with its digest:
            ``record.version == (expected.version or 0) + len(entries)``.
        sealed: The same entries as they are to be stored.
        erased: What remains of entries that are stored, a part of whose content is to be removed: the entry, and as it
            is to be stored. Actor, reason, details, party and salt are replaced; the rest is as it was.
        before: The record that it replaces, where it is known: a store may then leave alone what did not change. It
            never stands in for the comparison with what is stored.
    """

    record: Record
    expected: Seen | None
    entries: tuple[Entry, ...] = attrs.field(converter=_entries)
    sealed: tuple[Sealed, ...] = attrs.field(converter=_sealed, repr=False)
    erased: tuple[tuple[Entry, Sealed], ...] = attrs.field(default=(), converter=_erased, repr=False)
    before: Record | None = None

    def __attrs_post_init__(self) -> None:
        record, entries = self.record, self.entries
        id, seen = record.id, 0 if self.expected is None else self.expected.version
        version, head = seen, ""
        whole = len(entries) == len(self.sealed)
        for entry, sealed in zip(entries, self.sealed, strict=False):
            version, head = version + 1, entry.digest
            whole = whole and entry.sequence == version and entry.record_id == id and sealed.digest == head
        for entry, sealed in self.erased:
            whole = whole and entry.record_id == sealed.record_id == id and entry.digest == sealed.digest
            whole = whole and 1 <= entry.sequence == sealed.sequence <= seen
        if not (whole and head and record.version == version and record.head == head):
            facts = {"version": record.version, "expected": seen, "entries": len(entries)}
            raise InvalidValue("change", "change", facts)


class _FeedRow(NamedTuple):
    position: int
    entry: Entry | None
    unreadable: UnreadableRecord | None = None


class FeedItem(_FeedRow):
    """An entry and its position in the feed. Positions only grow; there may be gaps.

    Attributes:
        position: The position.
        entry: The entry. Where it cannot be read, asking for it raises `unreadable`.
        unreadable: Why the entry cannot be read, and whose it is; None where it can.
    """

    __slots__ = ()

    @property
    def entry(self) -> Entry:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The entry; raises `unreadable` where it cannot be read."""
        entry = self[1]
        if entry is None:
            raise self.unreadable or UnreadableRecord((), "entry")
        return entry


@runtime_checkable
class Store(Protocol):
    """What keeps records and their histories.

    All calls may be made from several threads at once. A call that raises has changed nothing. A text that may not be
    kept, with NUL or a lone surrogate in it, is the id, actor or key of nothing.

    **Texts** are the same only where they have the same code points, and none is the beginning of another: case,
    accents, blanks at the end and characters that look alike all count, in conditions, groups, orders and keys; only
    `Query.text` says itself how it compares. *Names* (ids, units, parents, categories, assignees, labels, actors, keys,
    triggers, marks) of up to 255 characters are kept; a longer one is kept whole or refused by an error of
    `reportflow.errors`, and never cut. All other texts, up to `TEXT_LIMIT` bytes, are kept and compared whole.

    **Numbers** come back as they were: whole ones of any size that a record takes, decimal ones with all their digits,
    times to the microsecond from the year 1 to 9999. Positions and sequences are whole numbers from 0 to 2^63 - 1; a
    position that was never given, and a place in `sealed` that is not there, may be asked for, and mean what is behind.

    **What is given** to a call is the store's to read until the call returns, and what it returns is the caller's:
    nothing that either side does with it then changes what the store shows.

    **Lists** of ids, values and changes may be of any length, but that of a page, of which `LIMIT` is the most.

    **After `close`** a call raises `StorageClosed`, or another `StorageError` where a store cannot tell what was done,
    and has changed nothing. Other stores on the same data go on. What was committed is kept by the commit.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do beyond this contract."""
        ...

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep all the changes, or none of them. Each record goes in with its entries.

        A change goes in only where the stored version and head are the expected ones. The content that it erases is
        gone from every later read; nothing else removes any. What one commit keeps, every
        later read of any thread shows, and no read shows a part of it. No changes at all are a commit too, of nothing.
        Whatever it raises, an error of a value that cannot be written too, nothing of any change is kept: no record,
        entry, key or position that a later commit could meet.

        Raises:
            InvalidValue: one record is named by two changes.
            RecordNotFound: records that are expected are not there; names all of them.
            AlreadyExists: records to be created are there; names all of them.
            Conflict: the stored version or head is not the expected one; names all such records.
            DuplicateKey: an actor's idempotency key was used before, or twice here; names all such records.

        In this order: the first error that applies is raised, and names records in the order of the changes.
        """

    def get(self, ids: Sequence[str]) -> list[Record]:
        """The records, in the order asked; one asked for twice is given twice.

        Raises:
            RecordNotFound: names all that are missing, each once, in the order asked.
            UnreadableRecord: none is missing, and some cannot be read; names all of these.
        """
        ...

    def find(self, query: Query) -> Page:
        """A page of the records that match, in the query's total order.

        Texts go by code point, no due date comes behind all dates, equals go by id, the way of the last key; "-" turns
        each of these round.

        Following `next` from page to page shows every record that matched and kept its place in the order throughout
        once, however much is written meanwhile. One that moved behind the pages shown is shown again where it is now.
        A cursor is a place in an order, and no more: it may be given to another query of the same order, under another
        visibility rule, and to another store on the same data, and what is behind it is what that query finds there.

        A page is full unless nothing follows: `next` is None on the last page, and there only. It is shorter by what it
        names as `unreadable`, and by nothing else.

        A record that cannot be read is left out, and named by `unreadable` of the page that would have shown it.

        Raises:
            InvalidValue: the cursor is not one of this query's order.
        """
        ...

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """How many: of the records that match, or of their entries that fit `query.happened` (all, without it).

        What a later entry takes back (`Entry.retracts`) counts for nothing here and in `find`, unless `happened` asks
        for what was recorded before a time, and it was taken back since; the history keeps both.

        Grouped by `query.RECORD_GROUPS`, `LABEL_GROUPS` (a record counts once under each of its values, under None
        where it has none, and so do its entries) and `ENTRY_GROUPS`. Records are distinct in each group: a record
        adopted twice at one level counts once. Groups of nothing are left out; without `group` the answer is
        ``{(): number}``. Order, limit and cursor do not matter.

        Raises:
            InvalidValue: an unknown group, one named twice, or an unknown `of`.
        """
        ...

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """All entries of the records, in the order of the ids, then of their sequence.

        Unknown ids have none; one asked for twice gives its entries twice.

        Raises:
            UnreadableRecord: some have entries that cannot be read; names all of these records.
        """
        ...

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """The entry by which this actor used this idempotency key, or None. Keys are an actor's own.

        Raises:
            UnreadableRecord: the entry cannot be read.
        """
        ...

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """The entries behind a position (None: from the start), oldest first, `limit` at the most.

        No entry ever shows up before one that was shown, whatever commits late: who has read up to a position has
        seen everything up to it. Entries of one record come in their sequence; the records of one commit
        in any order. One that cannot be read has its place too, and says so.

        Fewer than `limit` come only where no more are there yet. What stands in the feed can be got, found, counted and
        read by every other call from then on.
        """
        ...

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """The entries as they are stored, in the order of their record's id (by code point), then of their sequence.

        For verifying, for moving a store to another engine and for backups; never for readers, since it gives salts.
        A row that was altered is given as it stands.

        Args:
            after: The id and sequence behind which to begin; None: at the start.
            limit: How many at the most.
        """
        ...

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """Keep what `sealed` gave of another store, unchanged, and the records that are its fold; into an empty store.

        Entries keep their bytes, keys and places in the feed. One that had none gets its place behind all others, and
        so does whatever is committed later. The whole of a store may come by several calls, each with the whole
        histories of some records in the order of their ids; each call is kept whole or not at all. Until the last one
        the store is for nothing else, and a durable one opens for going on only.

        Args:
            sealed: The entries.
            records: Their records, in the same order.
            more: Whether more will follow.

        Raises:
            InvalidValue: it holds records that no `restore` before was to be followed for, or the entries are not the
                whole histories of the records.
            DuplicateKey: a key is there twice.
        """

    def close(self) -> None:
        """Let go of files and connections. Closing twice is fine; every other call then raises `StorageClosed`."""


@runtime_checkable
class SupportsClasses(Protocol):
    """A store, blocking or asynchronous, that reads its rows by `Classes`, and takes more of them."""

    def add_classes(self, classes: Classes) -> None:
        """Read the records and details of these kinds and versions too.

        A store is given its classes when it is made; a flow adds those of its lifecycles.

        Raises:
            InvalidDefinition: a kind and version has other classes already.
        """
        ...


class SharedCommit(NamedTuple):
    """One COMMIT that held more than one call of `commit`.

    Attributes:
        acts: How many calls it held, those that were refused too.
        conflicts: How many of them were refused by a conflict.
        waited: How long the longest of them had waited when it was answered, in seconds.
    """

    acts: int
    conflicts: int
    waited: float


@runtime_checkable
class SupportsSharedCommits(Protocol):
    """A store, blocking or asynchronous, that may keep by one COMMIT what several callers write at one moment."""

    def observe_commits(self, observe: Callable[[SharedCommit], object]) -> Callable[[], None]:
        """Call this, or an equal one, after each shared commit; what is returned ends that. Errors are logged."""
        ...


@runtime_checkable
class SupportsVisible(Protocol):
    """A store, blocking or asynchronous, whose records stand in tables that a host can read by SQL."""

    def visible(self, query: Query, of: Of, on: Any) -> Any:
        """What a query finds, its visibility rule included, as a condition of a SELECT; no I/O.

        Raises:
            InvalidValue: `of` is unknown, or `on` is no column.
        """
        ...


@runtime_checkable
class SupportsHostTransaction(Protocol):
    """A store, blocking or asynchronous, with the capability ``host_transaction``."""

    def bound_to(self, host: Any) -> Any:
        """The same store inside a transaction of the host, which it never begins, commits or rolls back.

        Raises:
            InvalidValue: not what the store can write in.
        """
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """The same contract, awaited.

    A call whose task is cancelled is over when the task is. A commit is then kept whole or not at all, which the next
    read shows, and nothing of it is written later; a read leaves nothing behind. Other calls are not held up.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do beyond this contract."""
        ...

    async def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`."""

    async def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        ...

    async def find(self, query: Query) -> Page:
        """See `Store.find`."""
        ...

    async def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        ...

    async def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        ...

    async def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        ...

    async def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`."""
        ...

    async def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`."""
        ...

    async def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`."""

    async def close(self) -> None:
        """See `Store.close`."""
