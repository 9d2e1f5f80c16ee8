"""The relay: every entry handed out, in order for each record, whoever fails and whoever dies."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    Entry,
    InvalidValue,
    MemoryStore,
    MissingExtra,
    Record,
    Relay,
    StorageUnavailable,
    Store,
    open_store,
)
from reportflow.errors import BrokerUnavailable
from reportflow.outbox.cloudevents import Message
from reportflow.outbox.nats import NatsPublisher
from reportflow.serialization import plain as wire
from reportflow.storage.base import FeedItem
from reportflow.storage.leases import Delivery, Leases, MemoryLeases
from reportflow.storage.sql.store import SqlStore
from reportflow.testing.acts import Note, acted, created, sample
from tests.servers import Nats, database

START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Died(BaseException):
    """The process is no more: nothing after this line is run."""


class World:
    """A store with some entries, and what came of them outside."""

    def __init__(self, store: Any | None = None) -> None:
        self.store: Any = MemoryStore() if store is None else store
        self.clock = Clock()
        self.received: list[Message] = []
        self._records: dict[str, Record] = {}

    def write(self, *ids: str, store: Store | None = None) -> None:
        """An entry more in each of these records."""
        for id in ids:
            before = self._records.get(id)
            change = created(sample(id)) if before is None else acted(before, "note", Note())
            (store or self.store).commit([change])
            self._records[id] = change.record

    def relay(self, publish: Callable[[Message], object] | None = None, **options: Any) -> Relay:
        return Relay(self.store, publish or self.received.append, clock=self.clock, **options)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]

    @property
    def position(self) -> int:
        held = self.store.leases.current("relay")
        return 0 if held is None or held.position is None else int(held.position)

    def deliveries(self) -> list[Delivery]:
        leases: Leases = self.store.leases
        return [*leases.deliveries("relay", dead=True), *leases.deliveries("relay", dead=False)]


def failing(world: World, *ids: str) -> Callable[[Message], None]:
    """A publisher that takes all messages but some."""

    def publish(message: Message) -> None:
        if message.id in ids:
            raise ValueError(f"no {message.id}")
        world.received.append(message)

    return publish


@contextmanager
def opened(engine: str, folder: Path) -> Iterator[SqlStore]:
    """A fresh store on one of the engines."""
    with ExitStack() as around:
        url = f"sqlite:///{folder}/office.db" if engine == "sqlite" else around.enter_context(database(engine))
        store = SqlStore(url)
        around.callback(store.close)
        yield store


ENGINES: Final = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
    pytest.param("mariadb", marks=pytest.mark.xdist_group("mariadb")),
]


@pytest.fixture(params=ENGINES)
def sql_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world on each of the engines."""
    with opened(request.param, tmp_path) as store:
        yield World(store)


@pytest.fixture(params=["memory", *ENGINES])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world on each of the stores."""
    if request.param == "memory":
        yield World()
        return
    with opened(request.param, tmp_path) as store:
        yield World(store)


# -- whatever happens -----------------------------------------------------------------------------------------------

#: What comes of one message: taken, refused, the broker gone, the relay dead before or after it was taken, or asleep
#: until another relay has taken over, before or after.
FATES: Final = ("taken", "failed", "away", "dead before", "dead after", "late before", "late after")
LEASE: Final = 30.0


class Story:
    """Two relays, a publisher with a script, and what must hold at every moment."""

    def __init__(self, world: World, tries: int, fates: list[str]) -> None:
        self.world = world
        self.tries = tries
        self.fates = fates
        self.failures: Counter[str] = Counter()
        self.positions = [0]
        self.relays = [self.new(), self.new()]
        self.overtaken = False

    def new(self) -> Relay:
        return self.world.relay(self.publish, tries=self.tries, lease=LEASE, batch=4, max_in_flight=6)

    def publish(self, message: Message) -> None:
        fate = self.fates.pop(0) if self.fates else "taken"
        if fate == "failed":
            self.failures[message.id] += 1
            raise ValueError("it was said so")
        if fate == "away":
            raise BrokerUnavailable("nats://nowhere", "it was said so")
        if fate == "dead before":
            raise Died
        if fate == "late before":
            self.overtake()
        self.take(message)
        if fate == "dead after":
            raise Died
        if fate == "late after":
            self.overtake()

    def take(self, message: Message) -> None:
        """In order: of one record nothing is new before all that came before it was taken, or given up."""
        seen = set(self.world.ids)
        for earlier in range(1, message.entry.sequence):
            ref = f"{message.subject}@{earlier}"
            assert ref in seen or self.failures[ref] >= self.tries
        self.world.received.append(message)

    def overtake(self) -> None:
        """The lease runs out while a message is on its way, and another relay comes."""
        if not self.overtaken:
            self.overtaken = True
            self.world.clock.move(LEASE + 1)
            self.step(self.new())
            self.overtaken = False

    def step(self, relay: Relay) -> bool:
        """One batch; whether the relay lives. Nothing that was passed over is lost, and no position runs back."""
        alive = True
        try:
            relay.run_once()
        except Died:
            alive = False
        position = self.world.position
        assert position >= self.positions[-1]
        self.positions.append(position)
        known = {*self.world.ids, *(one.id for one in self.world.deliveries())}
        assert {one.entry.ref for one in self.world.store.feed() if one.position <= position} <= known
        return alive

    def recover(self) -> None:
        """All is well again: a fresh relay, a publisher that takes everything, and nobody holds a lease."""
        self.fates.clear()
        relay = self.new()
        for _ in range(50):
            self.world.clock.move(1000)
            for one in relay.parked():
                assert relay.release(one.id)
            if not relay.run_once() and not self.world.deliveries():
                return
        raise AssertionError("it does not come to an end")


def check_story(store: Any, ids: list[str], fates: list[str], steps: list[tuple[int, float]], tries: int) -> None:
    """Play a story, and hold the end against it: everything was handed out, in order."""
    world = World(store)
    story = Story(world, tries, list(fates))
    rest = list(ids)
    for which, seconds in steps:
        world.write(*rest[:3])
        del rest[:3]
        world.clock.move(seconds)
        if not story.step(story.relays[which]):
            story.relays[which] = story.new()
    world.write(*rest)
    story.recover()
    feed = world.store.feed(limit=1000)
    assert set(world.ids) == {one.entry.ref for one in feed}
    assert world.position == (feed[-1].position if feed else 0)


IDS: Final = st.lists(st.sampled_from("abc"), max_size=12)
STEPS: Final = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 1.0, 20.0, 31.0])), max_size=10)
SCRIPT: Final = st.lists(st.sampled_from(FATES), max_size=25)


@given(ids=IDS, fates=SCRIPT, steps=STEPS, tries=st.sampled_from([1, 2, 1000]))
def test_nothing_is_lost_whatever_fails_and_whoever_dies(
    ids: list[str], fates: list[str], steps: list[tuple[int, float]], tries: int
) -> None:
    """Whatever fails, dies or comes late, all entries go out at last, in order; no position ever runs back."""
    check_story(MemoryStore(), ids, fates, steps, tries)


@given(ids=IDS, fates=SCRIPT, steps=STEPS, tries=st.sampled_from([1, 2, 1000]))
def test_nothing_is_lost_on_a_database(
    ids: list[str], fates: list[str], steps: list[tuple[int, float]], tries: int
) -> None:
    """The same where position, lease and deliveries are in tables."""
    store = open_store("sqlite://")
    try:
        check_story(store, ids, fates, steps, tries)
    finally:
        store.close()


@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["acquire", "advance", "requeue", "current", "open", "dead"]),
            st.integers(0, 2),
            st.integers(0, 40),
        ),
        max_size=30,
    )
)
def test_the_tables_mean_what_memory_means(calls: list[tuple[str, int, int]]) -> None:
    """Leases in tables give the same answers as those in memory, to any calls in any order."""
    store: Any = open_store("sqlite://")
    two: list[Leases] = [MemoryLeases(), store.leases]
    held: list[dict[int, Any]] = [{}, {}]
    clock = Clock()

    def call(which: int, name: str, who: int, number: int) -> object:
        leases, until = two[which], clock() + timedelta(seconds=number)
        if name == "acquire":
            lease = leases.acquire("relay", f"holder {who}", now=clock(), until=until)
            if lease is not None:
                held[which][who] = lease
            return lease
        if name == "advance" and who in held[which]:
            states: Any = ("waiting", "failing", "dead")
            one = Delivery(
                position=number, record_id="r", sequence=number, state=states[number % 3], tries=who, due_at=until
            )
            lease = leases.advance(held[which][who], position=number, until=until, put=[one], drop=[number - 3])
            held[which][who] = lease or held[which][who]
            return lease
        if name == "requeue":
            return leases.requeue("relay", f"r@{number}", now=clock())
        if name == "current":
            return leases.current("relay")
        return leases.deliveries("relay", dead=name == "dead")

    try:
        for name, who, number in calls:
            assert call(0, name, who, number) == call(1, name, who, number)
            clock.move(5)
    finally:
        store.close()


# -- one after the other --------------------------------------------------------------------------------------------


def test_entries_go_out_once_in_order(world: World) -> None:
    """Where nothing fails, each entry goes out once, in the order of the feed, a batch at a time."""
    world.write("a", "b", "a", "c", "b")
    relay = world.relay(batch=2)
    assert [relay.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert world.ids == ["a@1", "b@1", "a@2", "c@1", "b@2"]
    world.write("a")
    assert (relay.run_once(), world.ids[-1]) == (1, "a@3")


def test_a_message_is_a_cloud_event() -> None:
    """The body is a CloudEvents 1.0 event in structured JSON, which any reader can check; its data are the entry."""
    from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

    world = World()
    world.write("记录", "记录")
    world.relay(source="urn:office:yulin").run_once()
    message = world.received[1]
    event: Any = from_structured_event(HTTPMessage({"content-type": message.content_type}, message.body))
    entry = world.store.history(["记录"])[1]
    assert message.content_type == "application/cloudevents+json"
    assert (event.get_specversion(), event.get_id(), event.get_source()) == ("1.0", "记录@2", "urn:office:yulin")
    assert event.get_type() == message.type == "reportflow.conformance.note"
    assert (event.get_subject(), event.get_time()) == ("记录", entry.recorded_at)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == "0000000002"
    assert json.loads(message.body)["data"]["kind"] == "conformance"
    assert wire.from_plain(event.get_data()["entry"]) == message.entry == entry


def test_relays_of_two_names_each_hand_out_everything(world: World) -> None:
    """Relays of different names know nothing of each other."""
    world.write("a", "b")
    assert [world.relay(name=name).run_once() for name in ("mail", "search")] == [2, 2]


def test_a_failing_message_holds_up_its_record_only(world: World) -> None:
    """While one fails, later ones of its record wait, in order; all others go on; then they come in one go."""
    world.write("a", "b", "a", "b", "a")
    bad = ["a@1"]
    relay = world.relay(lambda message: failing(world, *bad)(message), pause=10)
    assert relay.run_once() == 2
    world.write("a", "c")
    assert relay.run_once() == 1
    assert world.ids == ["b@1", "b@2", "c@1"]
    assert [one.state for one in world.deliveries()] == ["failing", "waiting", "waiting", "waiting"]
    bad.clear()
    assert relay.run_once() == 0  # not due yet
    world.clock.move(10)
    assert relay.run_once() == 4
    assert world.ids[3:] == ["a@1", "a@2", "a@3", "a@4"]
    assert world.deliveries() == []


def test_what_fails_again_goes_on_holding_up_its_record(world: World) -> None:
    """A message that fails once more keeps those behind it waiting once more."""
    world.write("a", "a")
    relay = world.relay(failing(world, "a@1"), pause=1)
    for _ in range(3):
        relay.run_once()
        world.clock.move(10)
    assert world.ids == []
    assert [(one.id, one.state, one.tries) for one in world.deliveries()] == [
        ("a@1", "failing", 3),
        ("a@2", "waiting", 0),
    ]


def test_the_pause_doubles_up_to_the_longest() -> None:
    """A failing message is tried again after pauses that double, and never grow beyond the longest."""
    world = World()
    tried: list[float] = []

    def publish(message: Message) -> None:
        tried.append((world.clock() - START).total_seconds())
        raise ValueError

    world.write("a")
    relay = world.relay(publish, pause=2, longest_pause=10, tries=6)
    for _ in range(60):
        relay.run_once()
        world.clock.move(1)
    assert tried == [0, 2, 6, 14, 24, 34]
    assert [one.id for one in relay.parked()] == ["a@1"]


def test_a_message_is_parked_and_listed_and_its_record_goes_on(world: World) -> None:
    """After its last try a message is parked, with its error; the later ones of its record go on without it."""
    world.write("a", "a", "b")
    relay = world.relay(failing(world, "a@1"), tries=2, pause=1)
    relay.run_once()
    assert relay.parked() == []
    world.clock.move(1)
    relay.run_once()
    assert world.ids == ["b@1", "a@2"]
    (parked,) = relay.parked()
    assert (parked.id, parked.state, parked.tries, parked.error) == ("a@1", "dead", 2, "ValueError: no a@1")
    world.write("a")
    assert (relay.run_once(), world.ids[-1]) == (1, "a@3")
    world.clock.move(10_000)
    assert relay.run_once() == 0


def test_a_parked_message_can_be_released(world: World) -> None:
    """Released, by any relay of the name, a message is due at once and has all its tries again."""
    world.write("a")
    bad = ["a@1"]
    relay = world.relay(lambda message: failing(world, *bad)(message), tries=1)
    relay.run_once()
    other = world.relay()
    assert [one.id for one in other.parked()] == ["a@1"]
    assert other.release("a@1")
    assert other.parked() == []
    assert not any(other.release(id) for id in ("a@1", "a@2", "b@1", "a", "", "a@\0", "\ud800@1"))
    relay.run_once()
    assert [one.tries for one in relay.parked()] == [1]
    assert relay.release("a@1")
    bad.clear()
    assert relay.run_once() == 1
    assert (world.ids, relay.parked(), world.deliveries()) == (["a@1"], [], [])


def test_a_release_in_the_middle_of_a_batch_holds(world: World) -> None:
    """What is released while the batch that parked it goes on stays released."""
    world.write("a", "b")

    def publish(message: Message) -> None:
        world.clock.move(20)
        if message.id == "a@1":
            raise ValueError
        assert world.relay().release("a@1")

    relay = world.relay(publish, tries=1, lease=30)
    assert relay.run_once() == 1
    assert (relay.parked(), [one.id for one in world.deliveries()]) == ([], ["a@1"])


def test_what_an_error_says_is_kept_whatever_it_says(world: World) -> None:
    """An error's text may hold what no database keeps, and be of any length."""

    def publish(_: Message) -> None:
        raise ValueError("不行\0\ud800" + "x" * 10_000)

    world.write("a")
    relay = world.relay(publish, tries=1)
    relay.run_once()
    assert relay.parked()[0].error.startswith("ValueError: 不行\\0\\ud800xxx")


def test_what_fails_has_a_bound() -> None:
    """With so many failing or waiting, nothing more is read until they are gone: the tables do not fill up."""
    world = World()
    world.write(*"abcdefgh")
    away = [True]

    def publish(message: Message) -> None:
        if away[0]:
            raise ValueError
        world.received.append(message)

    relay = world.relay(publish, batch=2, max_in_flight=3, pause=1)
    for _ in range(5):
        relay.run_once()
    assert len(world.deliveries()) == 4
    away[0] = False
    world.clock.move(1)
    for _ in range(5):
        relay.run_once()
    assert sorted(world.ids) == [f"{id}@1" for id in "abcdefgh"]


def test_a_broker_that_is_away_is_no_fault_of_a_message(world: World) -> None:
    """Without the broker nothing is counted and nothing parked; the relay gives way, and comes back after a pause."""
    world.write("a", "b")
    away = [True]

    def publish(message: Message) -> None:
        if away[0] and message.id == "b@1":
            raise BrokerUnavailable("nats://x", "refused")
        world.received.append(message)

    relay = world.relay(publish, tries=1, pause=5)
    assert relay.run_once() == 1
    assert (world.deliveries(), world.position) == ([], world.store.feed()[0].position)
    assert relay.run_once() == 0
    world.clock.move(5)
    relay.run_once()  # the second pause is longer
    away[0] = False
    world.clock.move(5)
    assert relay.run_once() == 0
    world.clock.move(5)
    assert relay.run_once() == 1
    assert world.ids == ["a@1", "b@1"]


def test_the_pause_for_a_broker_begins_anew() -> None:
    """Once the broker took something, the next time that it is away is waited for as the first time was."""
    world = World()
    away = [True]

    def publish(message: Message) -> None:
        if away[0]:
            raise BrokerUnavailable("nats://x", "refused")
        world.received.append(message)

    relay = world.relay(publish, pause=5)
    for number in range(1, 4):
        world.write("a")
        away[0] = True
        assert relay.run_once() == 0
        away[0] = False
        world.clock.move(5)
        assert (relay.run_once(), len(world.ids)) == (1, number)


# -- several at once ------------------------------------------------------------------------------------------------


def test_one_works_and_the_others_stand_by(world: World) -> None:
    """While one relay has the lease, others of its name hand out nothing; when it is closed, another goes on."""
    world.write("a")
    first, second = world.relay(), world.relay()
    assert first.run_once() == 1
    world.write("b")
    assert second.run_once() == 0
    second.close()  # it has nothing to give up
    assert second.run_once() == 0
    first.close()
    assert second.run_once() == 1
    assert first.run_once() == 0
    assert world.ids == ["a@1", "b@1"]


def test_a_lease_that_expires_is_taken_over(world: World) -> None:
    """The lease of a relay that died is another's when it has expired, not a moment sooner."""
    world.write("a", "b")

    def die(_: Message) -> None:
        raise Died

    with pytest.raises(Died):
        world.relay(die, lease=30).run_once()
    second = world.relay(lease=30)
    world.clock.move(29.999)
    assert second.run_once() == 0
    world.clock.move(0.001)
    assert second.run_once() == 2


def test_a_relay_that_works_keeps_its_lease(world: World) -> None:
    """A batch may take longer than a lease: it is renewed between messages, and the position moved."""
    world.write(*"abcdef")
    second = world.relay(lease=30)

    def slow(message: Message) -> None:
        world.received.append(message)
        world.clock.move(20)
        assert second.run_once() == 0

    assert world.relay(slow, lease=30).run_once() == 6


def test_who_comes_back_late_moves_nothing(world: World) -> None:
    """A relay that was believed dead and wakes up hands out no further message, and does not touch the position."""
    world.write("a", "b", "c")
    second = world.relay(lease=30, batch=1)
    positions = []

    def asleep(message: Message) -> None:
        world.clock.move(31)
        assert second.run_once() == 1
        positions.append(world.position)
        world.received.append(message)

    first = world.relay(asleep, lease=30)
    assert first.run_once() == 1
    assert world.ids == ["a@1", "a@1"]
    assert [world.position] == positions == [world.store.feed()[0].position]
    assert first.run_once() == 0
    assert [second.run_once() for _ in range(3)] == [1, 1, 0]
    assert world.position == world.store.feed()[-1].position


def test_an_old_token_writes_nothing(world: World) -> None:
    """With an old lease neither position nor deliveries can be written, all or nothing."""
    leases: Leases = world.store.leases
    lease = timedelta(seconds=30)
    old = leases.acquire("relay", "old", now=START, until=START + lease)
    assert old is not None
    assert leases.acquire("relay", "new", now=START, until=START + lease) is None
    one = Delivery(position=7, record_id="a", sequence=1, state="failing", tries=1, due_at=START)
    old = leases.advance(old, position=7, until=START + lease, put=[one])
    assert old is not None
    new = leases.acquire("relay", "new", now=START + lease, until=START + 2 * lease)
    assert new is not None
    assert (new.token, new.position) == (old.token + 1, 7)
    late = attrs.evolve(one, state="dead")
    assert leases.advance(old, position=9, until=START + lease, put=[late], drop=[7]) is None
    assert leases.advance(old, position=9, until=START + lease) is None
    assert leases.current("relay") == new
    assert leases.deliveries("relay", dead=False) == [one]


def test_threads_that_lease_at_once(world: World) -> None:
    """Of threads that ask for one lease at the same moment one gets it, a new one or one that has expired."""
    leases: Leases = world.store.leases
    for turn in range(3):
        now = START + timedelta(minutes=turn)
        ready = threading.Barrier(4)
        got: list[Any] = []

        def ask(name: str, now: datetime = now, ready: threading.Barrier = ready, got: list[Any] = got) -> None:
            ready.wait(60)
            got.append(leases.acquire("relay", name, now=now, until=now + timedelta(seconds=30)))

        threads = [threading.Thread(target=ask, args=(f"{turn} {one}",)) for one in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        leased = [one for one in got if one is not None]
        assert [one.token for one in leased] == [turn + 1]
        assert leases.current("relay") == leased[0]


def test_relays_race_in_threads(sql_world: World) -> None:
    """Relays in threads, beside writers, hand out each entry just once while leases hold, in order for each record."""
    world, stop = sql_world, threading.Event()
    relays = [world.relay(batch=7) for _ in range(3)]
    threads = [threading.Thread(target=relay.run, args=(stop, 0.001)) for relay in relays]
    for thread in threads:
        thread.start()
    for number in range(60):
        world.write("abcde"[number % 5])
    for relay in relays:  # whoever works is sent away in the middle, and another goes on
        relay.close()
    enough = threading.Event()
    for _ in range(6000):
        if len(world.ids) >= 60 or enough.wait(0.01):
            break
    stop.set()
    for thread in threads:
        thread.join()
    assert sorted(world.ids) == sorted(one.entry.ref for one in world.store.feed())
    for id in "abcde":
        assert [one.entry.sequence for one in world.received if one.subject == id] == list(range(1, 13))


def test_a_fork_is_another_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that was made before its process forked has no lease in the child: two of it do not work at once."""
    world = World()
    world.write("a")
    relay = world.relay(batch=1)
    assert relay.run_once() == 1
    world.write("b")
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert relay.run_once() == 0
    monkeypatch.undo()
    relay.close()
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert relay.run_once() == 1


def relay_in_process(url: str, folder: str, name: str) -> None:
    """What one process does: hand out to a file, by a clock in a file, until it is killed or told to stop."""
    out = Path(folder, "out")

    def publish(message: Message) -> None:
        with out.open("a", encoding="utf-8") as file:  # appended as one line, whoever else appends
            file.write(f"{name} {message.id}\n")
        if Path(folder, "pause").exists():
            threading.Event().wait()  # until it is killed

    def clock() -> datetime:
        return START + timedelta(seconds=int(Path(folder, "clock").read_text()))

    class Told(threading.Event):
        def is_set(self) -> bool:
            return Path(folder, "stop").exists()

    store: Any = open_store(url, create=False)
    Relay(store, publish, clock=clock, lease=30, batch=3).run(Told(), poll=0.02)
    store.close()


def test_relays_race_in_processes(sql_world: World, tmp_path: Path) -> None:
    """Of several processes one works; it is killed in the middle of a message; another goes on when its lease ends."""
    world, context = sql_world, multiprocessing.get_context("spawn")
    url = world.store.engine.url.render_as_string(hide_password=False)
    (tmp_path / "clock").write_text("0")
    out = tmp_path / "out"
    out.touch()
    processes = {
        name: context.Process(target=relay_in_process, args=(url, str(tmp_path), name)) for name in ("x", "y", "z")
    }

    def lines(least: int) -> list[list[str]]:
        for _ in range(6000):
            found = [line.split() for line in out.read_text("utf-8").splitlines()]
            if len(found) >= least:
                return found
            threading.Event().wait(0.01)
        raise AssertionError(f"only {found}")

    for process in processes.values():
        process.start()
    try:
        world.write("a", "b", "a")
        before = lines(3)
        assert sorted(id for _, id in before) == ["a@1", "a@2", "b@1"]
        (tmp_path / "pause").touch()
        world.write("a", "c")
        caught = lines(4)[3]
        assert caught[1] == "a@3"
        processes[caught[0]].kill()
        processes[caught[0]].join()
        (tmp_path / "pause").unlink()
        (tmp_path / "clock").write_text("31")
        after = lines(6)[4:]
        assert [id for _, id in after][:2] == ["a@3", "c@1"]
        assert caught[0] not in {name for name, _ in after}
    finally:
        (tmp_path / "stop").touch()
        for process in processes.values():
            process.join()
    assert [id for _, id in lines(6)][3:] == ["a@3", "a@3", "c@1"]


def test_a_late_commit_is_not_skipped(sql_world: World) -> None:
    """An entry whose transaction stays open while others commit is handed out after it commits, and not skipped."""
    world = sql_world
    relay = world.relay()
    world.write("a")
    assert relay.run_once() == 1
    engine = world.store.engine
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"
    with engine.connect().execution_options(isolation_level=level) as connection:
        slow = connection.begin()
        world.write("slow", store=world.store.bound_to(connection))
        if engine.dialect.name != "sqlite":  # there nobody else may write meanwhile
            world.write("quick")
            assert relay.run_once() == 1
        assert relay.run_once() == 0
        slow.commit()
    world.write("last")
    assert relay.run_once() == 2
    quick = [] if engine.dialect.name == "sqlite" else ["quick@1"]
    assert world.ids == ["a@1", *quick, "slow@1", "last@1"]


# -- running, and what it is given ----------------------------------------------------------------------------------


def test_a_relay_outlives_its_database() -> None:
    """A store that cannot be used for a while is waited for; when the relay is told to stop it gives up its lease."""

    class Broken(MemoryStore):
        times = 3

        def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
            if self.times:
                self.times -= 1
                raise StorageUnavailable("db", "gone", "server")
            return super().feed(after, limit)

    world, stop = World(Broken()), threading.Event()
    world.write("a")

    def publish(message: Message) -> None:
        world.received.append(message)
        stop.set()

    relay = world.relay(publish)
    relay.run(stop, poll=0.001)
    assert world.ids == ["a@1"]
    world.write("b")
    assert world.relay().run_once() == 1


def test_a_relay_that_stops_without_its_database() -> None:
    """Where the lease cannot be given up, stopping is no error: it expires by itself."""

    class Gone(MemoryLeases):
        def current(self, name: str) -> Any:
            raise StorageUnavailable("db", "gone", "server")

    stop = threading.Event()
    stop.set()
    World().relay(leases=Gone()).run(stop)


def test_leases_may_be_kept_elsewhere() -> None:
    """A relay takes leases of another kind, beside any store."""
    world, kept = World(), MemoryLeases()
    world.write("a")
    assert world.relay(leases=kept).run_once() == 1
    held = kept.current("relay")
    assert held is not None
    assert held.position == 1
    assert world.store.leases.current("relay") is None


@pytest.mark.parametrize(
    "options",
    [
        {"batch": 0}, {"batch": True}, {"batch": 1.5}, {"tries": 0}, {"max_in_flight": -1}, {"lease": 0},
        {"lease": "1"},
        {"pause": float("nan")}, {"pause": -1}, {"longest_pause": float("inf")}, {"name": " "}, {"source": ""},
        {"source": None}, {"leases": object()},
    ],
    ids=lambda options: f"{next(iter(options))}-{type(next(iter(options.values()))).__name__}",
)  # fmt: skip
def test_a_relay_refuses_what_makes_no_sense(options: dict[str, Any]) -> None:
    """Numbers out of range, blank names and what keeps no leases are refused, by the name of the argument."""
    with pytest.raises(InvalidValue) as caught:
        World().relay(**options)
    assert caught.value.field in options
    assert str(caught.value)
    assert caught.value.message("zh")


def test_a_clock_without_a_zone_is_refused() -> None:
    """A naive time is refused before anything is written."""
    world = World()
    relay = Relay(world.store, world.received.append, clock=lambda: datetime(2026, 1, 1))
    with pytest.raises(InvalidValue, match="clock"):
        relay.run_once()


@pytest.mark.parametrize(
    ("module", "extra", "make"),
    [
        ("cloudevents.core", "reportflow[relay]", lambda: World().relay()),
        ("nats.aio.client", "reportflow[nats]", lambda: NatsPublisher("nats://127.0.0.1:1")),
    ],
)
def test_a_missing_package_says_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, extra: str, make: Callable[[], object]
) -> None:
    """Without the package of an extra, the error says which one to install."""
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        make()
    assert caught.value.package == extra


# -- NATS JetStream -------------------------------------------------------------------------------------------------


@pytest.fixture
def nats() -> Iterator[Nats]:
    """A server with JetStream, and a stream that has the subject."""
    with Nats() as server:
        on_server(server, lambda stream: stream.add_stream(name="OFFICE", subjects=["reportflow"]))
        yield server


def on_server(server: Nats, ask: Callable[[Any], Any]) -> Any:
    """What JetStream answers."""
    import nats

    async def work() -> Any:
        client = await nats.connect(server.url)
        try:
            return await ask(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(work())


def in_stream(server: Nats) -> list[Any]:
    """The messages that the stream has."""

    async def read(stream: Any) -> list[Any]:
        number = (await stream.stream_info("OFFICE")).state.messages
        return [await stream.get_msg("OFFICE", one) for one in range(1, number + 1)]

    found: list[Any] = on_server(server, read)
    return found


def test_nats_keeps_each_message_once(nats: Nats) -> None:
    """A message that is published again, by a relay that died before it wrote it down, is in the stream once."""
    world = World()
    world.write("a", "b", "a")
    with NatsPublisher(nats.url) as publish:

        def die(message: Message) -> None:
            publish(message)
            if message.id == "b@1":
                raise Died

        with pytest.raises(Died):
            world.relay(die).run_once()
        assert len(in_stream(nats)) == 2
        world.clock.move(60)
        assert world.relay(publish).run_once() == 3
    kept = in_stream(nats)
    assert [one.headers["Nats-Msg-Id"] for one in kept] == ["a@1", "b@1", "a@2"]
    assert {one.headers["Content-Type"] for one in kept} == {"application/cloudevents+json"}
    read: list[Entry] = [wire.from_plain(json.loads(one.data)["data"]["entry"]) for one in kept]
    assert read == [one.entry for one in world.store.feed()]


def test_nats_comes_back(nats: Nats) -> None:
    """While the server is away nothing is counted against a message; when it is back, the rest goes out."""
    world = World()
    with NatsPublisher(nats.url, timeout=2) as publish:
        relay = world.relay(publish, tries=1)
        world.write("a")
        assert relay.run_once() == 1
        nats.stop()
        world.write("a", "b")
        assert relay.run_once() == 0
        assert (relay.parked(), world.deliveries()) == ([], [])
        world.clock.move(60)
        assert relay.run_once() == 0
        nats.start()
        world.clock.move(60)
        assert relay.run_once() == 2
    assert [one.headers["Nats-Msg-Id"] for one in in_stream(nats)] == ["a@1", "a@2", "b@1"]


def test_nats_without_a_stream_is_no_fault_of_a_message(nats: Nats) -> None:
    """No stream of the subject is the host's to mend; a message that is too long is the message's own fault."""
    world = World()
    world.write("a")
    world.relay().run_once()
    (message,) = world.received
    with NatsPublisher(nats.url, subject="other.subject") as publish, pytest.raises(BrokerUnavailable, match="Stream"):
        publish(message)
    import nats as package

    with NatsPublisher(nats.url) as publish, pytest.raises(package.errors.MaxPayloadError):
        publish(attrs.evolve(message, body=b"x" * 2_000_000))


def test_a_closed_publisher_says_so() -> None:
    """Closed, also twice, a publisher takes no message; no password is told."""
    world = World()
    world.write("a")
    publish = NatsPublisher("nats://office:geheim@127.0.0.1:1")
    publish.close()
    publish.close()
    world.relay().run_once()
    with pytest.raises(BrokerUnavailable) as caught:
        publish(world.received[0])
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("subject", ["", "a b", "a.*", "a.>", ".a", "a..b", None])
def test_a_subject_that_cannot_be_published_under(subject: Any) -> None:
    """Blanks, wildcards and empty parts are refused when the publisher is made."""
    with pytest.raises(InvalidValue, match="subject"):
        NatsPublisher("nats://127.0.0.1:1", subject)
