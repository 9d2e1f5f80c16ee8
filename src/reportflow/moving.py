"""One database into another, on any engine: what is sealed is read, restored and compared.

Theory of operation. The source is verified first, so that nothing is written where it is not whole. Its entries are
then read in the order of their records' ids, as they are stored, and restored by some whole records at a time; each
time is kept whole. A copy that was interrupted goes on behind the last record that is there. In the end both sides are
read once more and compared, and only then is the target open for other things. So never more is held than some records
with their entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Final, NamedTuple

import attrs

from reportflow.errors import InvalidValue, RecordNotFound, StorageUnavailable
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import Sealed
from reportflow.storage.base import Store, SupportsClasses

#: From how many entries on some records are restored, and how many are read at once.
CHUNK: Final = 1000
#: Behind all positions of a feed.
_BEHIND: Final = 2**62


@attrs.frozen(kw_only=True)
class Copying:
    """How far a copy is.

    Attributes:
        stage: ``verifying`` the source, ``copying``, ``comparing`` the two, ``finished``.
        records: How many records this stage has done; in the end, how many both have.
        entries: How many entries they have.
    """

    stage: str
    records: int = 0
    entries: int = 0

    def more(self, part: _Part) -> Copying:
        """The same, some records on."""
        return attrs.evolve(self, records=self.records + len(part.records), entries=self.entries + len(part.sealed))


Progress = Callable[[Copying], object]


class _Part(NamedTuple):
    """Some records, and their whole histories."""

    sealed: list[Sealed]
    records: list[Record]


def copy_store(
    source: Store, target: Store, lifecycles: Lifecycle | Iterable[Lifecycle], *, progress: Progress | None = None
) -> Copying:
    """Copy all records and entries of a store, as they are stored, into one that is empty; and compare the two.

    Digests, salts, keys and places in the feed are the same afterwards. How far relays are is not copied: a consumer
    reads the feed of the copy behind the position that it knows. Nothing may write to the two meanwhile.

    Args:
        source: What is copied.
        target: An empty store, or one into which this copy was begun before; an SQL store is opened for that with
            ``restoring=True``. Neither store is closed.
        lifecycles: The definitions of all records and entries.
        progress: Called after each thousand entries or so.

    Raises:
        InvalidValue: the target is the source, or holds something else; the source is damaged, holds kinds that were
            not given, or was written to. Nothing was written, but where both turn out to differ in the end: then the
            target stays closed for everything else.
        StorageError: one of the two cannot be read or written; the same call goes on later.
    """
    if source is target:
        raise InvalidValue("target", "same")
    tell = progress or _ignore
    classes = _check(source, lifecycles, tell)
    return _copy(source, target, classes, tell)


def copy_database(
    source: str, target: str, lifecycles: Lifecycle | Iterable[Lifecycle], *, progress: Progress | None = None
) -> Copying:
    """`copy_store` for two databases by their URLs; the tables of the target are made where there are none.

    Raises:
        InvalidValue, StorageError: see `copy_store`.
        InvalidURL, MissingExtra, StorageUnavailable, SchemaMismatch: see `open_store`; the source has no tables, or is
            itself a copy that is under way.
    """
    from reportflow.storage.sql.store import SqlStore  # SQLAlchemy takes longer to import than all the rest

    if _address(source) == _address(target):
        raise InvalidValue("target", "same")
    tell = progress or _ignore
    with closing(SqlStore(source, create=False)) as one:
        try:
            with closing(SqlStore(target, create=False)) as other:
                other.restore((), ())  # does nothing to an empty one, and refuses any other
        except StorageUnavailable as error:
            if error.advice not in ("create", "restoring"):
                raise
        classes = _check(one, lifecycles, tell)
        with closing(SqlStore(target, restoring=True)) as other:
            return _copy(one, other, classes, tell)


def _address(url: str) -> object:
    """What two URLs of one database have in common."""
    from reportflow.storage.sql.dialects import engine_name, parse_url

    parsed = parse_url(url, asynchronous=False)
    engine = engine_name(parsed)
    if engine == "sqlite":
        return engine, Path(str(parsed.database).removeprefix("file:")).resolve()
    return engine, parsed.host, parsed.port, parsed.database, tuple(sorted(parsed.query.items()))


def _ignore(_: Copying) -> None:
    """Where nobody watches."""


def _check(source: Store, lifecycles: Lifecycle | Iterable[Lifecycle], tell: Progress) -> Classes:
    """See that the source is whole, before anything is written; the classes of what it holds.

    Raises:
        InvalidValue: it is not, or there are kinds without a definition.
    """
    flow = ReportFlow(source, lifecycles)
    given = [(one.name, one.version) for one in flow.lifecycles]
    counted = source.count(Query(), "records", ("kind", "lifecycle_version"))
    unknown = {(str(name), int(number or 0)): count for (name, number), count in counted.items()}
    for kind in given:
        unknown.pop(kind, None)
    if not unknown:
        found = flow.verify(
            limit=1, progress=lambda now: tell(Copying(stage="verifying", records=now.records, entries=now.entries))
        )
        for flaw in found.flaws:
            place = flaw.record_id if flaw.sequence is None else f"{flaw.record_id}@{flaw.sequence}"
            raise InvalidValue("source", "damaged", {"given": f"{place} ({flaw.code})"})
        unknown.update(found.unknown)
    if unknown:
        kinds = ", ".join(f"{name} {version} ({number})" for (name, version), number in sorted(unknown.items()))
        raise InvalidValue("source", "unknown_kinds", {"given": kinds})
    return Classes(*flow.lifecycles)


def _copy(source: Store, target: Store, classes: Classes, tell: Progress) -> Copying:
    """Copy what is not there yet, compare the two, and open the target.

    Raises:
        InvalidValue: the target is not empty, or the two differ.
    """
    if isinstance(target, SupportsClasses):
        target.add_classes(classes)
    target.restore((), (), more=True)
    source.feed(_BEHIND, 1)  # where entries get their places when the feed is read, all have one now
    now = Copying(stage="copying")
    for part in _parts(source, _reached(source, target)):
        target.restore(part.sealed, part.records, more=True)
        now = now.more(part)
        tell(now)
    now = Copying(stage="comparing")
    for one, other in zip_longest(_parts(source, None), _parts(target, None), fillvalue=_Part([], [])):
        if one != other:
            raise InvalidValue("target", "differs", {"given": _first_difference(one, other)})
        now = now.more(one)
        tell(now)
    target.restore((), ())
    now = attrs.evolve(now, stage="finished")
    tell(now)
    return now


def _reached(source: Store, target: Store) -> Record | None:
    """The last record that was copied before.

    Raises:
        InvalidValue: it is not the source's.
    """
    last = next(iter(target.find(Query(order="-id", limit=1))), None)
    if last is not None:
        try:
            known = source.get([last.id]) == [last]
        except RecordNotFound:
            known = False
        if not known:
            raise InvalidValue("target", "differs", {"given": last.id})
    return last


def _parts(store: Store, after: Record | None) -> Iterator[_Part]:
    """Some whole records at a time, behind a record.

    Raises:
        InvalidValue: the store is being written to.
    """
    rows: list[Sealed] = []
    place = None if after is None else (after.id, after.version)
    while some := store.sealed(place, CHUNK):
        place = some[-1].record_id, some[-1].sequence
        rows += some
        # the last record may go on behind them
        whole = len(rows) if len(some) < CHUNK else _place_of_last(rows)
        if whole:
            yield _part(store, rows[:whole])
            rows = rows[whole:]
    if rows:
        yield _part(store, rows)


def _place_of_last(rows: Sequence[Sealed]) -> int:
    """Where the entries of the last record begin."""
    place = len(rows) - 1
    while place and rows[place - 1].record_id == rows[-1].record_id:
        place -= 1
    return place


def _part(store: Store, rows: list[Sealed]) -> _Part:
    heads = {one.record_id: (one.sequence, one.digest) for one in rows}
    records = store.get(list(heads))
    for record in records:
        if record.seen != heads[record.id]:
            raise InvalidValue("source", "written", {"given": record.id})
    return _Part(rows, records)


def _first_difference(one: _Part, other: _Part) -> str:
    """The id of the first record that is not the same."""
    pairs = zip_longest(one.sealed, other.sealed)
    ids = [row.record_id for row in next((pair for pair in pairs if pair[0] != pair[1]), ()) if row is not None]
    ids += [mine.id for mine, theirs in zip(one.records, other.records, strict=False) if mine != theirs]
    return min(ids)
