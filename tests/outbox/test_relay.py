"""The relay: every entry is published, in order for each record, in spite of failures and crashes."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import (
    Entry,
    FeedItem,
    InvalidValue,
    MemoryStore,
    MissingExtra,
    Relay,
    SqlStore,
    StorageUnavailable,
    open_store,
)
from reportflow.errors import BrokerUnavailable
from reportflow.outbox.cloudevents import Message
from reportflow.outbox.nats import NatsPublisher
from reportflow.serialization.plain import from_plain
from reportflow.storage.leases import Delivery, Leases, MemoryLeases
from tests.outbox.world import LETTERS, START, Clock, Crash, World, failing
from tests.servers import Nats, database


@contextmanager
def opened(engine: str, folder: Path) -> Iterator[SqlStore]:
    """A fresh store on one of the engines."""
    with ExitStack() as around:
        url = f"sqlite:///{folder}/office.db" if engine == "sqlite" else around.enter_context(database(engine))
        store = SqlStore(url, LETTERS.classes)
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


# -- failures and crashes in any order ------------------------------------------------------------------------------

#: The outcome of one message: accepted, failed, the broker unavailable, a crash before or after it was accepted, or a
#: delay until another relay has the lease, before or after.
OUTCOMES: Final = (
    "accepted", "failed", "unavailable", "crash before", "crash after", "delay before", "delay after"
)  # fmt: skip
LEASE: Final = 30.0


class Story:
    """Two relays, a publisher with scripted outcomes, and checks after each batch."""

    def __init__(self, world: World, tries: int, outcomes: list[str]) -> None:
        self.world = world
        self.tries = tries
        self.outcomes = outcomes
        self.failures: Counter[str] = Counter()
        self.positions = [0]
        self.relays = [self.new(), self.new()]
        self.overtaken = False

    def new(self) -> Relay:
        return self.world.relay(self.publish, tries=self.tries, lease=LEASE, batch=4, max_in_flight=6)

    def publish(self, message: Message) -> None:
        outcome = self.outcomes.pop(0) if self.outcomes else "accepted"
        if outcome == "failed":
            self.failures[message.id] += 1
            raise ValueError("scripted")
        if outcome == "unavailable":
            raise BrokerUnavailable("nats://nowhere", "scripted")
        if outcome == "crash before":
            raise Crash
        if outcome == "delay before":
            self.overtake()
        self.accept(message)
        if outcome == "crash after":
            raise Crash
        if outcome == "delay after":
            self.overtake()

    def accept(self, message: Message) -> None:
        """In order: all earlier entries of the record were accepted before, or are dead letters."""
        seen = set(self.world.ids)
        for earlier in range(1, message.entry.sequence):
            ref = f"{message.subject}@{earlier}"
            assert ref in seen or self.failures[ref] >= self.tries
        self.world.received.append(message)

    def overtake(self) -> None:
        """The lease expires while a message is being published, and another relay acquires it."""
        if not self.overtaken:
            self.overtaken = True
            self.world.clock.move(LEASE + 1)
            self.step(self.new())
            self.overtaken = False

    def step(self, relay: Relay) -> bool:
        """One batch; whether the relay survived. No entry is lost, and the position never decreases."""
        alive = True
        try:
            relay.run_once()
        except Crash:
            alive = False
        position = self.world.position
        assert position >= self.positions[-1]
        self.positions.append(position)
        known = {*self.world.ids, *(one.id for one in self.world.deliveries())}
        assert {one.entry.ref for one in self.world.store.feed() if one.position <= position} <= known
        return alive

    def recover(self) -> None:
        """Recover: a new relay, a publisher that accepts everything, and no valid lease."""
        self.outcomes.clear()
        relay = self.new()
        for _ in range(50):
            self.world.clock.move(1000)
            for one in relay.dead_letters():
                assert relay.requeue(one.id)
            if not relay.run_once() and not self.world.deliveries():
                return
        raise AssertionError("it does not end")


def check_story(store: Any, ids: list[str], outcomes: list[str], steps: list[tuple[int, float]], tries: int) -> None:
    """Run a story, and check its end: everything was published, in order."""
    world = World(store)
    story = Story(world, tries, list(outcomes))
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
SCRIPT: Final = st.lists(st.sampled_from(OUTCOMES), max_size=25)


@given(ids=IDS, outcomes=SCRIPT, steps=STEPS, tries=st.sampled_from([1, 2, 1000]))
def test_nothing_is_lost(ids: list[str], outcomes: list[str], steps: list[tuple[int, float]], tries: int) -> None:
    """With any failures, crashes and delays, all entries are published in the end, in order."""
    check_story(MemoryStore(), ids, outcomes, steps, tries)


@given(ids=IDS, outcomes=SCRIPT, steps=STEPS, tries=st.sampled_from([1, 2, 1000]))
def test_nothing_is_lost_on_a_database(
    ids: list[str], outcomes: list[str], steps: list[tuple[int, float]], tries: int
) -> None:
    """The same where position, lease and deliveries are in tables."""
    store = open_store("sqlite://")
    try:
        check_story(store, ids, outcomes, steps, tries)
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


# -- one relay --------------------------------------------------------------------------------------------


def test_entries_are_published_once_in_order(world: World) -> None:
    """Without failures, each entry is published once, in the order of the feed, a batch at a time."""
    world.write("a", "b", "a", "c", "b")
    relay = world.relay(batch=2)
    assert [relay.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert world.ids == ["a@1", "b@1", "a@2", "c@1", "b@2"]
    world.write("a")
    assert (relay.run_once(), world.ids[-1]) == (1, "a@3")


def test_a_message_is_a_cloud_event() -> None:
    """The body is a CloudEvents 1.0 event in structured JSON, and its data is the entry."""
    from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

    world = World()
    world.write("记录", "记录")
    world.relay(source="urn:office:yulin").run_once()
    message = world.received[1]
    event: Any = from_structured_event(HTTPMessage({"content-type": message.content_type}, message.body))
    entry = world.store.history(["记录"])[1]
    assert message.content_type == "application/cloudevents+json"
    assert (event.get_specversion(), event.get_id(), event.get_source()) == ("1.0", "记录@2", "urn:office:yulin")
    assert event.get_type() == message.type == "reportflow.letter.note"
    assert (event.get_subject(), event.get_time()) == ("记录", entry.recorded_at)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == "0000000002"
    assert json.loads(message.body)["data"]["kind"] == "letter"
    assert from_plain(event.get_data()["entry"], Entry, LETTERS.classes) == message.entry == entry


def test_relays_of_two_names_each_publish_everything(world: World) -> None:
    """Relays of different names have positions of their own."""
    world.write("a", "b")
    assert [world.relay(name=name).run_once() for name in ("mail", "search")] == [2, 2]


def test_a_failing_message_holds_up_its_record_only(world: World) -> None:
    """While a message fails, later ones of its record wait, in order, and others are published."""
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


def test_a_message_that_fails_again_still_holds_up_its_record(world: World) -> None:
    """A message that fails once more keeps the later ones of its record waiting."""
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
    """A failing message is retried after pauses that double up to the longest."""
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
    assert [one.id for one in relay.dead_letters()] == ["a@1"]


def test_a_message_becomes_a_dead_letter_and_its_record_goes_on(world: World) -> None:
    """After its last try a message is a dead letter with its error; later ones of its record are published."""
    world.write("a", "a", "b")
    relay = world.relay(failing(world, "a@1"), tries=2, pause=1)
    relay.run_once()
    assert relay.dead_letters() == []
    world.clock.move(1)
    relay.run_once()
    assert world.ids == ["b@1", "a@2"]
    (dead,) = relay.dead_letters()
    assert (dead.id, dead.state, dead.tries, dead.error) == ("a@1", "dead", 2, "ValueError: no a@1")
    world.write("a")
    assert (relay.run_once(), world.ids[-1]) == (1, "a@3")
    world.clock.move(10_000)
    assert relay.run_once() == 0


def test_a_dead_letter_can_be_requeued(world: World) -> None:
    """A dead letter that any relay of the name requeues is due at once, with all its tries."""
    world.write("a")
    bad = ["a@1"]
    relay = world.relay(lambda message: failing(world, *bad)(message), tries=1)
    relay.run_once()
    other = world.relay()
    assert [one.id for one in other.dead_letters()] == ["a@1"]
    assert other.requeue("a@1")
    assert other.dead_letters() == []
    assert not any(other.requeue(id) for id in ("a@1", "a@2", "b@1", "a", "", "a@\0", "\ud800@1"))
    relay.run_once()
    assert [one.tries for one in relay.dead_letters()] == [1]
    assert relay.requeue("a@1")
    bad.clear()
    assert relay.run_once() == 1
    assert (world.ids, relay.dead_letters(), world.deliveries()) == (["a@1"], [], [])


def test_a_dead_letter_can_be_requeued_during_its_batch(world: World) -> None:
    """A dead letter that is requeued while the batch that made it still runs stays requeued."""
    world.write("a", "b")

    def publish(message: Message) -> None:
        world.clock.move(20)
        if message.id == "a@1":
            raise ValueError
        assert world.relay().requeue("a@1")

    relay = world.relay(publish, tries=1, lease=30)
    assert relay.run_once() == 1
    assert (relay.dead_letters(), [one.id for one in world.deliveries()]) == ([], ["a@1"])


def test_any_text_of_an_error_is_stored(world: World) -> None:
    """The text of an error may have characters that no database stores, and any length."""

    def publish(_: Message) -> None:
        raise ValueError("不行\0\ud800" + "x" * 10_000)

    world.write("a")
    relay = world.relay(publish, tries=1)
    relay.run_once()
    assert relay.dead_letters()[0].error.startswith("ValueError: 不行\\0\\ud800xxx")


def test_deliveries_in_flight_are_bounded() -> None:
    """With `max_in_flight` deliveries failing or waiting, no new entries are read."""
    world = World()
    world.write(*"abcdefgh")
    unavailable = [True]

    def publish(message: Message) -> None:
        if unavailable[0]:
            raise ValueError
        world.received.append(message)

    relay = world.relay(publish, batch=2, max_in_flight=3, pause=1)
    for _ in range(5):
        relay.run_once()
    assert len(world.deliveries()) == 4
    unavailable[0] = False
    world.clock.move(1)
    for _ in range(5):
        relay.run_once()
    assert sorted(world.ids) == [f"{id}@1" for id in "abcdefgh"]


def test_an_unavailable_broker_is_not_counted_against_a_message(world: World) -> None:
    """Without the broker no failure is counted; the relay gives up its lease, and tries again after a pause."""
    world.write("a", "b")
    unavailable = [True]

    def publish(message: Message) -> None:
        if unavailable[0] and message.id == "b@1":
            raise BrokerUnavailable("nats://x", "refused")
        world.received.append(message)

    relay = world.relay(publish, tries=1, pause=5)
    assert relay.run_once() == 1
    assert (world.deliveries(), world.position) == ([], world.store.feed()[0].position)
    assert relay.run_once() == 0
    world.clock.move(5)
    relay.run_once()  # the second pause is longer
    unavailable[0] = False
    world.clock.move(5)
    assert relay.run_once() == 0
    world.clock.move(5)
    assert relay.run_once() == 1
    assert world.ids == ["a@1", "b@1"]


def test_the_pause_for_a_broker_starts_again_after_a_success() -> None:
    """After the broker accepted a message, its next outage begins with the first pause again."""
    world = World()
    unavailable = [True]

    def publish(message: Message) -> None:
        if unavailable[0]:
            raise BrokerUnavailable("nats://x", "refused")
        world.received.append(message)

    relay = world.relay(publish, pause=5)
    for number in range(1, 4):
        world.write("a")
        unavailable[0] = True
        assert relay.run_once() == 0
        unavailable[0] = False
        world.clock.move(5)
        assert (relay.run_once(), len(world.ids)) == (1, number)


# -- several relays ------------------------------------------------------------------------------------------------


def test_one_works_and_the_others_stand_by(world: World) -> None:
    """While one relay has the lease, others of its name publish nothing; when it is closed, another goes on."""
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


def test_an_expired_lease_is_taken_over(world: World) -> None:
    """Another relay acquires the lease of a crashed one when it has expired, and not before."""
    world.write("a", "b")

    def crash(_: Message) -> None:
        raise Crash

    with pytest.raises(Crash):
        world.relay(crash, lease=30).run_once()
    second = world.relay(lease=30)
    world.clock.move(29.999)
    assert second.run_once() == 0
    world.clock.move(0.001)
    assert second.run_once() == 2


def test_a_lease_is_renewed_during_a_batch(world: World) -> None:
    """A batch may take longer than a lease: the lease is renewed between messages, and the position advanced."""
    world.write(*"abcdef")
    second = world.relay(lease=30)

    def slow(message: Message) -> None:
        world.received.append(message)
        world.clock.move(20)
        assert second.run_once() == 0

    assert world.relay(slow, lease=30).run_once() == 6


def test_a_relay_whose_lease_was_lost_writes_nothing(world: World) -> None:
    """A relay that is delayed beyond its lease publishes no further message, and does not write the position."""
    world.write("a", "b", "c")
    second = world.relay(lease=30, batch=1)
    positions = []

    def delayed(message: Message) -> None:
        world.clock.move(31)
        assert second.run_once() == 1
        positions.append(world.position)
        world.received.append(message)

    first = world.relay(delayed, lease=30)
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
    """Relays in threads, beside writers, publish each entry once while leases are valid, in order for each record."""
    world, stop = sql_world, threading.Event()
    relays = [world.relay(batch=7) for _ in range(3)]
    threads = [threading.Thread(target=relay.run, args=(stop, 0.001)) for relay in relays]
    for thread in threads:
        thread.start()
    for number in range(60):
        world.write("abcde"[number % 5])
    for relay in relays:  # the one with the lease gives it up in the middle, and another goes on
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
    """One process: publish to a file, by a clock in a file, until it is killed or stopped."""
    out = Path(folder, "out")

    def publish(message: Message) -> None:
        with out.open("a", encoding="utf-8") as file:  # appended as one line, also beside other processes
            file.write(f"{name} {message.id}\n")
        if Path(folder, "pause").exists():
            threading.Event().wait()  # until it is killed

    def clock() -> datetime:
        return START + timedelta(seconds=int(Path(folder, "clock").read_text()))

    class Stop(threading.Event):
        def is_set(self) -> bool:
            return Path(folder, "stop").exists()

    store: Any = open_store(url, create=False, lifecycles=LETTERS)
    Relay(store, publish, clock=clock, lease=30, batch=3).run(Stop(), poll=0.02)
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
    """An entry whose transaction stays open while others commit is published after its own commit."""
    world = sql_world
    relay = world.relay()
    world.write("a")
    assert relay.run_once() == 1
    engine = world.store.engine
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"
    with engine.connect().execution_options(isolation_level=level) as connection:
        slow = connection.begin()
        world.write("slow", store=world.store.bound_to(connection))
        if engine.dialect.name != "sqlite":  # SQLite allows one writer at a time
            world.write("quick")
            assert relay.run_once() == 1
        assert relay.run_once() == 0
        slow.commit()
    world.write("last")
    assert relay.run_once() == 2
    quick = [] if engine.dialect.name == "sqlite" else ["quick@1"]
    assert world.ids == ["a@1", *quick, "slow@1", "last@1"]


# -- running, and arguments -----------------------------------------------------------------------------------------


def test_a_relay_outlives_its_database() -> None:
    """While the store is unavailable the relay tries again; when it is stopped it gives up its lease."""

    class Unavailable(MemoryStore):
        times = 3

        def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
            if self.times:
                self.times -= 1
                raise StorageUnavailable("db", "gone", "server")
            return super().feed(after, limit)

    world, stop = World(Unavailable()), threading.Event()
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
    """If the lease cannot be given up, stopping is no error: the lease expires by itself."""

    class Unavailable(MemoryLeases):
        def current(self, name: str) -> Any:
            raise StorageUnavailable("db", "gone", "server")

    stop = threading.Event()
    stop.set()
    World().relay(leases=Unavailable()).run(stop)


def test_leases_may_be_kept_elsewhere() -> None:
    """A relay takes leases of another kind, beside any store."""
    world, leases = World(), MemoryLeases()
    world.write("a")
    assert world.relay(leases=leases).run_once() == 1
    current = leases.current("relay")
    assert current is not None
    assert current.position == 1
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
def test_a_relay_refuses_invalid_arguments(options: dict[str, Any]) -> None:
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
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, extra: str, make: Callable[[], object]
) -> None:
    """Without the package of an extra, `MissingExtra` names the extra to install."""
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
    """The answer of JetStream."""
    import nats

    async def work() -> Any:
        client = await nats.connect(server.url)
        try:
            return await ask(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(work())


def in_stream(server: Nats) -> list[Any]:
    """The messages of the stream."""

    async def read(stream: Any) -> list[Any]:
        number = (await stream.stream_info("OFFICE")).state.messages
        return [await stream.get_msg("OFFICE", one) for one in range(1, number + 1)]

    found: list[Any] = on_server(server, read)
    return found


def test_nats_stores_each_message_once(nats: Nats) -> None:
    """A message that is published again, after a crash before the position was written, is in the stream once."""
    world = World()
    world.write("a", "b", "a")
    with NatsPublisher(nats.url) as publish:

        def crash(message: Message) -> None:
            publish(message)
            if message.id == "b@1":
                raise Crash

        with pytest.raises(Crash):
            world.relay(crash).run_once()
        assert len(in_stream(nats)) == 2
        world.clock.move(60)
        assert world.relay(publish).run_once() == 3
    stored = in_stream(nats)
    assert [one.headers["Nats-Msg-Id"] for one in stored] == ["a@1", "b@1", "a@2"]
    assert {one.headers["Content-Type"] for one in stored} == {"application/cloudevents+json"}
    read: list[Entry] = [from_plain(json.loads(one.data)["data"]["entry"], Entry, LETTERS.classes) for one in stored]
    assert read == [one.entry for one in world.store.feed()]


def test_a_nats_server_that_restarts(nats: Nats) -> None:
    """While the server is down nothing is counted against a message; after its restart, the rest is published."""
    world = World()
    with NatsPublisher(nats.url, timeout=2) as publish:
        relay = world.relay(publish, tries=1)
        world.write("a")
        assert relay.run_once() == 1
        nats.stop()
        world.write("a", "b")
        assert relay.run_once() == 0
        assert (relay.dead_letters(), world.deliveries()) == ([], [])
        world.clock.move(60)
        assert relay.run_once() == 0
        nats.start()
        world.clock.move(60)
        assert relay.run_once() == 2
    assert [one.headers["Nats-Msg-Id"] for one in in_stream(nats)] == ["a@1", "a@2", "b@1"]


def test_nats_without_a_stream_is_an_unavailable_broker(nats: Nats) -> None:
    """A missing stream is `BrokerUnavailable`; a message that is too long is an error of the message."""
    world = World()
    world.write("a")
    world.relay().run_once()
    (message,) = world.received
    with NatsPublisher(nats.url, subject="other.subject") as publish, pytest.raises(BrokerUnavailable, match="Stream"):
        publish(message)
    import nats as package

    with NatsPublisher(nats.url) as publish, pytest.raises(package.errors.MaxPayloadError):
        publish(attrs.evolve(message, body=b"x" * 2_000_000))


def test_a_closed_publisher_is_an_unavailable_broker() -> None:
    """A publisher that is closed, also twice, raises `BrokerUnavailable`, without the password."""
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
def test_an_invalid_subject_is_refused(subject: Any) -> None:
    """Blanks, wildcards and empty parts are refused when the publisher is made."""
    with pytest.raises(InvalidValue, match="subject"):
        NatsPublisher("nats://127.0.0.1:1", subject)
