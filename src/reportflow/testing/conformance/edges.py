"""The promises that hold between two calls: refusals, other handles, cancelled tasks, and closed stores."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import attrs

from reportflow.errors import AlreadyExists, Conflict, DuplicateKey, RecordNotFound, ReportflowError, StorageError
from reportflow.model.actor import Actor
from reportflow.model.query import LIMIT, Happened, Query
from reportflow.office.report import Adoption, Comment, Level, Revision
from reportflow.storage.base import AsyncStore, Change, Store
from reportflow.storage.memory import MemoryStore
from reportflow.testing.acts import CLASSES, CLERK, Note, acted, created, erased, joined, report, sample
from reportflow.testing.axes.attempts import MANY, attempts, many_creations
from reportflow.testing.axes.question import Question, answer, committed, compare, counted, found, kept
from reportflow.testing.broken import Raised, outcome
from reportflow.testing.conformance.races import ROUNDS, THREADS, insist, together
from reportflow.testing.conformance.suite import (
    Skipped,
    StoreFixtures,
    Stores,
    bounded,
    everything,
    keep,
    needs,
    raised,
    seen,
)
from reportflow.testing.loop import AwaitedStore

#: After how many steps of the event loop, and after how many seconds, a task is cancelled.
_STEPS: Final = (*range(12), 16, 24, 40)
_SECONDS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.004)


@bounded
class EdgeTests(StoreFixtures):
    """What one call leaves to the next: of another handle, after a refusal, a cancelled task or a close."""

    def test_keys_and_ids_are_used_once(self, stores: Stores, store: Store) -> None:
        """An actor's key and an id are used once, for whatever kind, and no other is taken for them."""
        oracle, handles = MemoryStore(CLASSES), [store]
        for words, changes in attempts():
            handles.reverse()
            given, due = committed(handles[0], changes), committed(oracle, changes)
            compare("keys and ids", "as it is written", words, given, due)
            if store.capabilities.shared and len(handles) == 1:
                handles.append(stores.again(store))
        compare("keys and ids", "as it was written", "everything", _shown(store), _shown(oracle))

    def test_ids_far_apart(self, store: Store) -> None:
        """A call takes thousands of ids, and names all that are concerned, however far apart they are."""
        creations = many_creations("s", "k")
        keep(store, *creations)
        ids, far = [change.record.id for change in creations], (0, MANY // 2, MANY - 1)
        missing = [f"none{number}" for number in range(2_600)]
        asked = [*missing[:1], ids[0], *missing[1:1300], ids[-1], *missing[1300:], ids[500]]
        assert raised(RecordNotFound, store.get, asked).ids == tuple(missing)
        assert [entry.record_id for entry in store.history(asked)] == [ids[0], ids[-1], ids[500]]
        assert [one.id for one in store.find(Query(id=set(asked), order="id"))] == [ids[0], ids[500], ids[-1]]
        assert store.count(Query(id=set(asked))) == {(): 3}
        assert [one.id for one in store.get(ids[::-1])] == ids[::-1]
        assert [one.id for one in store.find(Query(order="id", limit=LIMIT))] == ids
        assert [item.entry.record_id for item in store.feed(limit=LIMIT)] == ids
        assert [one.record_id for one in store.sealed(limit=LIMIT)] == ids
        assert raised(AlreadyExists, store.commit, creations).ids == tuple(ids)
        others = many_creations("t")
        mixed = [creations[place] if place in far else change for place, change in enumerate(others)]
        assert raised(AlreadyExists, store.commit, mixed).ids == tuple(ids[place] for place in far)
        used = [
            created(sample(f"u{place}"), key=f"k{place}") if place in far else one for place, one in enumerate(others)
        ]
        assert raised(DuplicateKey, store.commit, used).ids == tuple(f"u{place}" for place in far)
        late = [acted(change.record, "close") for change in creations]
        keep(store, *(late[place] for place in far))
        assert raised(Conflict, store.commit, late).ids == tuple(ids[place] for place in far)
        gone = [acted(others[place].record, "close") if place in far else one for place, one in enumerate(late)]
        assert raised(RecordNotFound, store.commit, gone).ids == tuple(others[place].record.id for place in far)

    def test_every_read_between_commits(self, stores: Stores, store: Store) -> None:
        """What a read showed does not stand in for what is stored: not to this handle, nor to another."""
        oracle, handles = MemoryStore(CLASSES), [store]
        commits: list[list[Change]] = []
        for changes in _steps(oracle):
            for one in (oracle, handles[-1]):
                one.commit(changes)
            commits.append(changes)
            if store.capabilities.shared and len(handles) == 1:
                handles.append(stores.again(store))
            for question in (*kept(commits), *_between()):
                due = answer(question, lambda: oracle)
                for handle in handles:
                    moment = f"after commit {len(commits)}"
                    given = answer(question, lambda handle=handle: handle)  # type: ignore[misc]  # a lambda's default has no type
                    compare("reads between commits", moment, question.text, given, due)
            handles.reverse()

    def test_a_change_that_cannot_be_written(self, stores: Stores) -> None:
        """All or nothing, whatever raises: a second change that no store could write leaves nothing of the first."""
        for part, change in _unwritable():
            store = stores.fresh()
            keep(store, created(report("r1")))
            before = everything(store), store.sealed()
            good = [created(sample("good"), key="k"), acted(store.get(["r1"])[0], "comment", Comment(text="x"))]
            try:
                store.commit([*good, change])
            except Exception:  # of any class: the values are checked when they are built, and these were forced
                after = everything(store), store.sealed()
                compare("a change that cannot be written", part, "everything", after, before)
                keep(store, *good)
            else:
                assert [one.id for one in store.get(["good", "bad"])] == ["good", "bad"], part

    def test_what_was_committed_needs_no_close(self, stores: Stores, store: Store) -> None:
        """Where `durable` is declared, what was committed is there though the store was never closed."""
        needs(store, "durable")
        for number in range(3):
            keep(store, created(report(f"r{number}"), key=f"k{number}"))
            before = everything(store)
            after = everything(stores.again(store))
            assert after == before

    def test_what_a_cancelled_commit_leaves(self, store: Store) -> None:
        """A commit whose task is cancelled is kept whole or not at all when the task has ended; the store goes on."""
        if not isinstance(store, AwaitedStore):
            raise Skipped("skip.blocking")
        records = [keep(store, created(report(id))) for id in ("r1", "r2")]
        for number, (steps, seconds) in enumerate([*((one, 0.0) for one in _STEPS), *((0, one) for one in _SECONDS)]):
            changes = [acted(one, "comment", Comment(text="x"), key=f"{one.id}.{number}") for one in records]
            new = created(sample(f"s{number}"), key=f"s{number}")
            store.cancelled(lambda one, all=(*changes, new): one.commit(all), steps, seconds)  # type: ignore[misc]  # a lambda's default has no type
            first, second = _left(store, number), _left(store, number)
            moment = f"cancelled after {steps} steps and {seconds} s"
            version = first[0]
            whole = [version] * 8
            compare("a cancelled commit", moment, "every read", first, whole)
            compare("a cancelled commit", moment, "every read, once more", second, first)
            if version:
                records = [change.record for change in changes]
            records = [keep(store, acted(one, "comment", Comment(text="on"))) for one in records]

    def test_what_a_cancelled_read_leaves(self, store: Store) -> None:
        """A read whose task is cancelled leaves nothing behind: every call goes on as before."""
        if not isinstance(store, AwaitedStore):
            raise Skipped("skip.blocking")
        first = created(report("r1"), key="k0")
        keep(store, first)
        for number, (steps, read) in enumerate(itertools.product((0, 1, 2, 3, 5, 9), _READS), 1):
            store.cancelled(read, steps, 0.0)
            first = acted(first.record, "comment", Comment(text="x"), key=f"k{number}")
            keep(store, first)
            assert seen(store, "r1", f"k{number}") == (number + 1,) * 6

    def test_a_store_that_was_closed(self, stores: Stores, store: Store) -> None:
        """A call after close is refused by a StorageError, or does all that it says; other handles go on."""
        needs(store, "durable")
        first = keep(store, created(report("r1"), key="k1"))
        other = stores.again(store) if store.capabilities.shared else None
        store.close()
        if other is not None:
            first = keep(other, acted(first, "comment", Comment(text="x"), key="k2"))
            assert seen(other, "r1", "k2") == (2,) * 6
        version = first.version
        change = acted(first, "comment", Comment(text="x"), key="late")
        ended = outcome(lambda: store.commit([change]))
        if isinstance(ended, Raised):
            assert isinstance(ended.error, StorageError), ended
        else:
            version += 1
        for name, read in _VERSIONS.items():
            given = outcome(lambda read=read: read(store))  # type: ignore[misc]  # a lambda's default has no type
            assert given == version or isinstance(getattr(given, "error", None), StorageError), name
        anew = other or stores.again(store)
        assert [read(anew) for read in _VERSIONS.values()] == [version] * len(_VERSIONS)
        assert (anew.by_key(CLERK.id, "late") is not None) is not isinstance(ended, Raised)

    def test_two_stores_use_a_key_and_an_id_once(self, stores: Stores, store: Store) -> None:
        """Where `shared` is declared, an id and a key are used once, whichever stores the writers go through."""
        needs(store, "shared")
        keep(store, created(report("r1")))
        handles = [store, stores.again(store)]
        for turn in range(ROUNDS // 3):
            kinds: dict[type[Exception], Callable[[int], Change]] = {
                AlreadyExists: lambda number, turn=turn: created(sample(f"id{turn}"), by=Actor(id=f"a{number}")),  # type: ignore[misc]  # a lambda's default has no type
                DuplicateKey: lambda number, turn=turn: created(sample(f"s{turn}.{number}"), key=f"k{turn}"),  # type: ignore[misc]  # the same
            }
            for kind, make in kinds.items():
                changes = [make(number) for number in range(THREADS)]
                answers = together(
                    [lambda n=n, one=one: handles[n % 2].commit([one]) for n, one in enumerate(changes)]  # type: ignore[misc]  # the same
                )
                assert Counter(type(one) for one in answers) == {type(None): 1, kind: THREADS - 1}
                assert _shown(handles[0]) == _shown(handles[1])

    def test_names_longer_than_promised(self, store: Store) -> None:
        """A name of more than 255 characters is kept whole, or refused by an error of reportflow; it is never cut."""
        for length, letter in itertools.product((256, 300, 1_000, 5_000), "x长"):
            long = letter * length
            for number, name in enumerate(("id", "unit", "parent", "category", "assignee", "topic", "actor", "key")):
                id = long if name == "id" else f"{length}{letter}{number}"
                fields: dict[str, Any] = {name: long} if name in ("unit", "parent", "category", "assignee") else {}
                fields |= {"topics": [long]} if name == "topic" else {}
                by = attrs.evolve(CLERK, id=long) if name == "actor" else CLERK
                change = created(sample(id, **fields), by=by, key=long if name == "key" else None)
                given = outcome(lambda change=change: store.commit([change]))  # type: ignore[misc]  # a lambda's default has no type
                there = store.history([id]), store.find(Query(created_by=by.id, id=id)).records
                if isinstance(given, Raised):
                    assert isinstance(given.error, ReportflowError), (name, length, given)
                    assert there == ([], ()), (name, length)
                else:
                    assert there == ([*change.entries], (change.record,)), (name, length)
                if name == "key":
                    other = created(sample(f"{id}+"), key=long[:-1])
                    given = outcome(lambda other=other: store.commit([other]))  # type: ignore[misc]  # the same
                    assert not (isinstance(given, Raised) and given.kind is DuplicateKey), length

    def test_no_read_goes_back(self, stores: Stores, store: Store) -> None:
        """What one read showed, every later one shows: what stands in the feed can be got, found and counted."""
        steps = [created(report("r1"), key="k0")]
        while len(steps) <= 2 * ROUNDS:
            steps.append(acted(steps[-1].record, "comment", Comment(text="x"), key=f"k{len(steps)}"))
        keep(store, steps[0])
        reader = stores.again(store) if store.capabilities.shared else store

        def write() -> list[str]:
            for change in steps[1:]:
                insist(lambda change=change: store.commit([change]))  # type: ignore[misc]  # a lambda's default has no type
            return []

        def read(start: int) -> list[str]:
            reads = [*_VERSIONS.items()]
            known, by = 0, ""
            for name, version in itertools.islice(itertools.cycle(reads), start, None):
                now = insist(lambda version=version: version(reader))  # type: ignore[misc]  # the same
                if now < known:
                    return [f"{by} showed version {known}, and {name} then {now}"]
                known, by = now, name
                if known == len(steps):
                    return []
            return []

        answers = together([*(lambda start=start: read(start) for start in range(len(_VERSIONS))), write])
        assert answers == [[]] * (len(_VERSIONS) + 1)


#: Each read, awaited.
_READS: Final[tuple[Callable[[AsyncStore], Coroutine[Any, Any, object]], ...]] = (
    lambda store: store.get(["r1"]),
    lambda store: store.find(Query()),
    lambda store: store.count(Query(), "entries"),
    lambda store: store.history(["r1"]),
    lambda store: store.by_key(CLERK.id, "k0"),
    lambda store: store.feed(),
    lambda store: store.sealed(),
)
#: The version of the one record by each read.
_VERSIONS: Final[dict[str, Callable[[Store], int]]] = {
    "feed": lambda store: store.feed(limit=LIMIT)[-1].entry.sequence,
    "get": lambda store: store.get(["r1"])[0].version,
    "sealed": lambda store: store.sealed(limit=LIMIT)[-1].sequence,
    "history": lambda store: len(store.history(["r1"])),
    "find": lambda store: store.find(Query()).records[0].version,
    "count": lambda store: store.count(Query(), "entries")[()],
}


def _left(store: Store, number: int) -> list[object]:
    """Whether a cancelled commit is there, according to each read."""
    keys = [f"{id}.{number}" for id in ("r1", "r2")] + [f"s{number}"]
    fed = {item.entry.key for item in store.feed(limit=LIMIT)}
    known = {entry.key for entry in store.history(["r1", "r2", f"s{number}"])}
    there = bool(store.find(Query(id=f"s{number}")).records)
    keyed = [store.by_key(CLERK.id, key) is not None for key in keys]
    return [
        there,
        *keyed,
        keys[0] in fed,
        keys[2] in fed,
        keys[1] in known,
        bool(store.count(Query(id=f"s{number}"))[()]),
    ]


def _shown(store: Store) -> object:
    """All that a store shows, without positions."""
    shown = everything(store)
    return [*shown[:2], [item.entry for item in shown[2]], *shown[3:]]


def _steps(oracle: Store) -> Iterator[list[Change]]:
    """A report and a sample change, gain and lose what they are found by, and are erased in part."""
    first = created(report("r1", title="first", topics=["ice"], text="token"), key="k1")
    other = created(sample("s1", category="c1", topics=["ice"], authors=["li"], numbers={"n": 1}))
    adopted = created(report("r2"))
    for trigger, details in (
        ("edit", Revision(text="x")),
        ("review", None),
        ("adopt", Adoption(body="council", level=Level.CITY)),
    ):
        by = Actor(id=f"who can {trigger}")
        adopted = joined(adopted, acted(adopted.record, trigger, details, by=by))
    yield [first, other, adopted]
    yield [acted(first.record, "comment", Comment(text="token"), key="k2")]
    yield [acted(other.record, "note", Note(party="p", level="l"), key="k3")]
    (record,) = oracle.get(["r1"])
    yield [joined(mid := acted(record, "return"), acted(mid.record, "comment", Comment(text="more")))]
    yield [_erased(oracle, "r1", "text", "topics", "comment.text"), _erased(oracle, "r2", "adopt.body")]
    (record, other_record) = oracle.get(["r1", "s1"])
    yield [acted(other_record, "close"), acted(record, "comment", Comment(text="last"), key="k4")]


def _erased(store: Store, id: str, *names: str) -> Change:
    (record,) = store.get([id])
    return erased(record, store.history([id]), [one for one in store.sealed() if one.record_id == id], *names)


def _between() -> list[Question]:
    queries: list[dict[str, Any]] = [{"topic": "ice"}, {"text": "token"}, {"state": "draft"}, {"kind": "conformance"}]
    queries += [{"happened": Happened(party=party)} for party in ("council", "p", None)]
    keys = [Question(f"by_key({key!r})", lambda turn, key=key: turn().by_key(CLERK.id, key)) for key in ("k3", "k4")]  # type: ignore[misc]  # a lambda's default has no type
    return [
        *(found(**asked) for asked in queries),
        *(counted("entries", [name]) for name in ("trigger", "topic", "state", "party")),
        *keys,
        Question("get(['r1', 'gone'])", lambda turn: turn().get(["r1", "gone"])),
    ]


def _unwritable() -> Iterator[tuple[str, Change]]:
    """A creation of which a part is no text, forced past all checks: the record, a mapping in it, the entry's seal."""
    odd = object()
    for name in ("title", "category", "numbers"):
        change = created(sample("bad"))
        forced = attrs.evolve(change.record)
        object.__setattr__(forced, name, {"n": odd} if name == "numbers" else odd)
        yield f"in the record's {name}", attrs.evolve(change, record=forced)
    change = created(sample("bad"))
    for name in ("details", "actor", "reason"):
        fields: Any = {name: odd}
        yield f"in what is sealed of the {name}", attrs.evolve(change, sealed=[change.sealed[0]._replace(**fields)])
    entry = attrs.evolve(change.entries[0])
    object.__setattr__(entry, "reason", odd)
    yield "in the entry's reason", attrs.evolve(change, entries=[entry])
