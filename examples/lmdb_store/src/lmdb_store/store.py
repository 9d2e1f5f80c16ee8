"""Records and their histories in an LMDB folder.

LMDB keeps bytes under ordered keys of at most 511 bytes, lets one writer in at a time, and gives a reader one moment.
So a record is kept under the hash of its id, which may be longer; its entries under the same hash and their sequence;
an idempotency key under the hash of actor and key, and a position in the feed under its number: one key is never the
beginning of another. `reportflow.storage.matching` answers `find` and `count`.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

import lmdb

from reportflow import (
    Capabilities,
    Change,
    Entry,
    FeedItem,
    InvalidValue,
    Page,
    Query,
    Record,
    RecordNotFound,
    StorageClosed,
    StorageUnavailable,
)
from reportflow.model.checks import text_problem
from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.serialization.digest import Sealed
from reportflow.serialization.plain import to_json
from reportflow.serialization.stored import load_stored
from reportflow.serialization.unsealing import unseal
from reportflow.storage import matching
from reportflow.storage.base import Group, Of
from reportflow.storage.refusing import check_changes, keys_of, refuse_stale, refuse_used
from reportflow.storage.restoring import check_restored, sealed_keys

#: As far as the file may grow, in bytes; it takes no more room than it needs.
MOST_BYTES = 1 << 32
#: The mark of a folder into which more is to be restored, among the records.
RESTORING = b"restoring"


class Environment:
    """One open LMDB folder, closed when the last store has let go of it."""

    def __init__(self, path: Path) -> None:
        self.lmdb = lmdb.open(str(path), max_dbs=4, map_size=MOST_BYTES, max_readers=512)
        self.records, self.entries, self.keys, self.feed = map(
            self.lmdb.open_db, (b"record", b"entry", b"key", b"feed")
        )

    def __del__(self) -> None:
        if hasattr(self, "lmdb"):
            self.lmdb.close()


#: A process may open a folder of LMDB only once: its stores share the environment.
_OPEN: WeakValueDictionary[Path, Environment] = WeakValueDictionary()
_OPENING = threading.Lock()


class LmdbStore:
    """A store in one LMDB folder, which is made where it is not there.

    Args:
        path: The folder.
        classes: The classes of the records and details that it reads; a flow adds those of its lifecycles.
        restoring: Whether to open it also while a `restore` into it is under way, to go on with that.

    Raises:
        StorageUnavailable: the folder cannot be opened, or something is being restored into it.
    """

    capabilities = Capabilities(durable=True, shared=True)

    def __init__(self, path: str | os.PathLike[str], classes: Classes = NO_CLASSES, *, restoring: bool = False) -> None:
        self.path = Path(path).absolute()
        self.classes = NO_CLASSES
        self.add_classes(classes)
        self._environment: Environment | None = None
        with _OPENING, self._translated():
            self._environment = _OPEN.get(self.path) or Environment(self.path)
            _OPEN[self.path] = self._environment
        with self._moment() as moment:
            under_way = moment.is_restoring()
        if under_way and not restoring:
            self.close()
            raise StorageUnavailable(str(self.path), "a copy into it is under way", "restoring")

    def add_classes(self, classes: Classes) -> None:
        """See `SupportsClasses.add_classes`. The same bytes are the same value: each is read once."""
        self.classes = known = self.classes | classes
        self._record = functools.lru_cache(10_000)(lambda body: load_stored(json.loads(body), Record, known))
        self._entry = functools.lru_cache(10_000)(lambda body: unseal(_sealed(body), known))

    def close(self) -> None:
        """See `Store.close`. A call that is under way ends first; one that comes later is refused."""
        with _OPENING:
            self._environment = None

    @contextmanager
    def _moment(self, *, write: bool = False) -> Iterator[Moment]:
        """One moment of the folder: what is written is kept where it ends well, nothing where something is raised."""
        environment = self._environment
        if environment is None:
            raise StorageClosed(str(self.path))
        with self._translated(), environment.lmdb.begin(write=write) as transaction:
            yield Moment(environment, transaction)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except lmdb.Error as error:
            raise StorageUnavailable(str(self.path), str(error)) from error

    # -- writing ------------------------------------------------------------------------------------------------

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store.commit`. There is one writer at a time, in all processes: what it compared stays as it is."""
        check_changes(changes)
        with self._moment(write=True) as moment:
            bodies = {change.record.id: moment.record(change.record.id) for change in changes}
            stored = {id: self._record(body) for id, body in bodies.items() if body is not None}
            refuse_stale(changes, {id: (one.version, one.head) for id, one in stored.items()})
            moment.refuse_used(keys_of(changes))
            for change in changes:
                for _, remains in change.erased:
                    moment.put(remains, moment.sealed(_name(remains)).position)
                for one in change.sealed:
                    moment.put(one, moment.last() + 1)
                moment.put_record(change.record)

    def restore(self, sealed: Sequence[Sealed], records: Sequence[Record], *, more: bool = False) -> None:
        """See `Store.restore`. What has no place in the feed gets one with the last part."""
        with self._moment(write=True) as moment:
            last = max(self._ids(moment), default=None)
            if last is not None and not moment.is_restoring():
                raise InvalidValue("store", "not_empty")
            check_restored(sealed, records, last)
            moment.refuse_used(sealed_keys(sealed))
            for one in sealed:
                moment.put(one, one.position)
            for record in records:
                moment.put_record(record)
            unplaced = [] if more else [one for one in self._by_id(moment) if one.position is None]
            for position, one in enumerate(unplaced, moment.last() + 1):
                moment.put(one, position)
            moment.mark_restoring(more)

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> list[Record]:
        """See `Store.get`."""
        with self._moment() as moment:
            found = {id: moment.record(id) for id in ids}
        if missing := [id for id, body in found.items() if body is None]:
            raise RecordNotFound(missing)
        return [self._record(found[id]) for id in ids]

    def find(self, query: Query) -> Page:
        """See `Store.find`."""
        with self._moment() as moment:
            return matching.page(query, map(self._record, moment.records()), lambda id: self._history(moment, id))

    def count(self, query: Query, of: Of = "records", group: Sequence[str] = ()) -> dict[Group, int]:
        """See `Store.count`."""
        with self._moment() as moment:
            records = map(self._record, moment.records())
            return matching.count(query, records, lambda id: self._history(moment, id), of, group)

    def history(self, ids: Sequence[str]) -> list[Entry]:
        """See `Store.history`."""
        with self._moment() as moment:
            return [entry for id in ids for entry in self._history(moment, id)]

    def by_key(self, actor_id: str, key: str) -> Entry | None:
        """See `Store.by_key`."""
        with self._moment() as moment:
            body = moment.keyed(actor_id, key)
        return None if body is None else self._entry(body)

    def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
        """See `Store.feed`. There is one writer at a time, so positions are given in the order of the commits."""
        with self._moment() as moment:
            behind = itertools.islice(moment.feed(after or 0), limit)
            return [FeedItem(position, self._entry(body)) for position, body in behind]

    def sealed(self, after: tuple[str, int] | None = None, limit: int = 1000) -> list[Sealed]:
        """See `Store.sealed`."""
        behind = after or ("", 0)
        with self._moment() as moment:
            rows = self._by_id(moment, behind[0])
            return list(itertools.islice((one for one in rows if (one.record_id, one.sequence) > behind), limit))

    def _history(self, moment: Moment, id: str) -> list[Entry]:
        return [self._entry(body) for body in moment.history(id)]

    def _ids(self, moment: Moment) -> Iterable[str]:
        return (self._record(body).id for body in moment.records())

    def _by_id(self, moment: Moment, start: str = "") -> Iterable[Sealed]:
        ids = sorted(id for id in self._ids(moment) if id >= start)
        return (_sealed(body) for id in ids for body in moment.history(id))


class Moment:
    """One transaction: the bytes that the folder holds at that moment, and what is put into it."""

    def __init__(self, environment: Environment, transaction: lmdb.Transaction) -> None:
        self._in, self._transaction = environment, transaction

    def put_record(self, record: Record) -> None:
        """Put a record in the place of the one before."""
        self._transaction.put(_hash(record.id), to_json(record).encode(), db=self._in.records)

    def put(self, one: Sealed, position: int | None) -> None:
        """Put an entry, which may be there, under its name, its key and its position."""
        name = _name(one)
        self._transaction.put(name, json.dumps(one._replace(position=position)).encode(), db=self._in.entries)
        if one.key is not None:
            self._transaction.put(_hash(one.actor_id, one.key), name, db=self._in.keys)
        if position is not None:
            self._transaction.put(position.to_bytes(8), name, db=self._in.feed)

    def refuse_used(self, keys: Sequence[tuple[tuple[str, str], str]]) -> None:
        """Refuse keys that were used before, or twice here."""
        refuse_used(keys, {pair for pair, _ in keys if self.keyed(*pair) is not None})

    def mark_restoring(self, more: bool) -> None:
        """Note whether more is to be restored."""
        self._transaction.put(RESTORING, b"1" if more else b"", db=self._in.records)

    def is_restoring(self) -> bool:
        """Whether more is to be restored."""
        return bool(self._get(self._in.records, RESTORING))

    def record(self, id: str) -> bytes | None:
        """The record of an id, if it is there."""
        return None if text_problem(id) else self._get(self._in.records, _hash(id))

    def records(self) -> Iterator[bytes]:
        """All records, in any order."""
        return (body for name, body in self._from(self._in.records, b"") if name != RESTORING)

    def history(self, id: str) -> Iterator[bytes]:
        """The entries of a record, by sequence."""
        if not text_problem(id):
            start = _hash(id)
            for name, body in self._from(self._in.entries, start):
                if not name.startswith(start):
                    break
                yield body

    def keyed(self, actor_id: str, key: str) -> bytes | None:
        """The entry of an actor's key, if it is there."""
        if text_problem(actor_id) or text_problem(key):
            return None
        name = self._get(self._in.keys, _hash(actor_id, key))
        return None if name is None else self._get(self._in.entries, name)

    def sealed(self, name: bytes) -> Sealed:
        """The entry of a name."""
        return _sealed(self._get(self._in.entries, name) or b"")

    def feed(self, after: int) -> Iterator[tuple[int, bytes]]:
        """The positions behind one, and their entries."""
        for position, name in self._from(self._in.feed, max(after + 1, 0).to_bytes(8)):
            yield int.from_bytes(position), self._get(self._in.entries, name) or b""

    def last(self) -> int:
        """The last position that is taken."""
        with self._transaction.cursor(db=self._in.feed) as cursor:
            return int.from_bytes(cursor.key()) if cursor.last() else 0

    def _get(self, database: lmdb._Database, name: bytes) -> bytes | None:
        body = self._transaction.get(name, db=database)
        return None if body is None else bytes(body)

    def _from(self, database: lmdb._Database, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        cursor = self._transaction.cursor(db=database)
        rows = cursor if cursor.set_range(start) else ()
        return ((bytes(name), bytes(body)) for name, body in rows)


def _sealed(body: bytes) -> Sealed:
    return Sealed(*json.loads(body))


def _hash(*texts: str) -> bytes:
    """The hash of some texts, which no others have: as JSON, one text is never taken for several."""
    return sha256(json.dumps(texts).encode()).digest()


def _name(one: Sealed) -> bytes:
    return _hash(one.record_id) + one.sequence.to_bytes(8)
