"""Incidents of a relay: in the log ``reportflow.outbox`` and to the hook `observe`, without any text of an error."""

from __future__ import annotations

import logging
import threading

import pytest

from reportflow import FeedItem, MemoryStore, StorageUnavailable
from reportflow.errors import BrokerUnavailable
from reportflow.flow.incidents import Incident
from reportflow.outbox.cloudevents import Message
from reportflow.storage.leases import MemoryLeases
from tests.outbox.world import CLERK, World

LOG = "reportflow.outbox"
#: Texts of the errors, the broker and the actor, which no incident may have.
TEXTS = ("private text", "broker-host", "db-host", "refused by policy", CLERK.name)


def check_log(caplog: pytest.LogCaptureFixture, incidents: list[Incident], level: int) -> None:
    """The log has one line for each incident, with its kind, code, ids and relay, and without any text."""
    assert incidents
    assert [(one.name, one.levelno) for one in caplog.records] == [(LOG, level)] * len(incidents)
    for line, incident in zip(caplog.messages, incidents, strict=True):
        assert all(part in line for part in (incident.kind, incident.code, incident.relay, *incident.ids))
        assert not [text for text in TEXTS if text in line]
    assert not [text for text in TEXTS if text in repr(incidents)]


def test_a_dead_letter_is_logged_and_observed(caplog: pytest.LogCaptureFixture) -> None:
    """A dead letter is an incident with the message's id, the class of its error and the tries, once it is written."""
    world, incidents = World(), list[Incident]()
    world.write("a", "b")

    def publish(message: Message) -> None:
        if message.subject == "a":
            raise ValueError("private text")

    relay = world.relay(publish, name="mail", tries=2, pause=1, observe=incidents.append)
    with caplog.at_level(logging.INFO, LOG):
        relay.run_once()
        assert incidents == []
        world.clock.move(1)
        relay.run_once()
    assert incidents == [Incident(kind="dead_letter", code="ValueError", ids=("a@1",), attempt=2, relay="mail")]
    assert [one.error for one in relay.dead_letters()] == ["ValueError: private text"]
    check_log(caplog, incidents, logging.ERROR)


def test_a_dead_letter_of_an_error_of_the_tree_has_its_code() -> None:
    """The code of a dead letter whose error is one of the library is that error's code."""
    world, incidents = World(), list[Incident]()
    world.write("a")

    def publish(_: Message) -> None:
        raise StorageUnavailable("db-host", "gone")

    world.relay(publish, tries=1, observe=incidents.append).run_once()
    assert [(one.kind, one.code) for one in incidents] == [("dead_letter", "storage_unavailable")]


def test_an_unavailable_broker_is_logged_and_observed(caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt that finds the broker unavailable is an incident with the number of the attempt."""
    world, incidents = World(), list[Incident]()
    world.write("a")

    def publish(_: Message) -> None:
        raise BrokerUnavailable("nats://broker-host", "refused by policy")

    relay = world.relay(publish, pause=1, observe=incidents.append)
    with caplog.at_level(logging.INFO, LOG):
        relay.run_once()
        world.clock.move(1)
        relay.run_once()
    assert incidents == [
        Incident(kind="broker_unavailable", code="broker_unavailable", attempt=attempt, relay="relay")
        for attempt in (1, 2)
    ]
    check_log(caplog, incidents, logging.WARNING)


def test_a_lost_lease_is_logged_and_observed(caplog: pytest.LogCaptureFixture) -> None:
    """A relay whose fencing token is an old one when it writes has one incident, and makes no dead letter."""
    world, incidents = World(), list[Incident]()
    world.write("a")
    second = world.relay()

    def delayed(_: Message) -> None:
        world.clock.move(31)
        assert second.run_once() == 1
        raise ValueError("private text")

    with caplog.at_level(logging.INFO, LOG):
        assert world.relay(delayed, lease=30, tries=1, observe=incidents.append).run_once() == 0
    assert incidents == [Incident(kind="lease_lost", code="stale_token", relay="relay")]
    assert second.dead_letters() == []
    check_log(caplog, incidents, logging.WARNING)


def test_an_unavailable_store_is_logged_and_observed(caplog: pytest.LogCaptureFixture) -> None:
    """In `run`, each failed attempt to read the store, and a lease that cannot be given up, is an incident."""
    incidents, stop = list[Incident](), threading.Event()

    class UnavailableFeed(MemoryStore):
        def feed(self, after: int | None = None, limit: int = 100) -> list[FeedItem]:
            raise StorageUnavailable("db-host", "gone", "server")

    class UnavailableLeases(MemoryLeases):
        def current(self, name: str) -> None:
            raise StorageUnavailable("db-host", "gone", "server")

    def observe(incident: Incident) -> None:
        incidents.append(incident)
        if len(incidents) == 2:
            stop.set()

    with caplog.at_level(logging.INFO, LOG):
        World(UnavailableFeed()).relay(leases=UnavailableLeases(), observe=observe).run(stop, poll=0.001)
    assert incidents == [Incident(kind="store_unavailable", code="storage_unavailable", relay="relay")] * 3
    check_log(caplog, incidents, logging.WARNING)


def test_a_message_that_is_published_on_its_retry_is_no_incident(caplog: pytest.LogCaptureFixture) -> None:
    """A failure that is retried, and a message that is published, are neither logged nor observed."""
    world, incidents, failures = World(), list[Incident](), [ValueError("private text")]
    world.write("a")

    def publish(_: Message) -> None:
        if failures:
            raise failures.pop()

    relay = world.relay(publish, pause=1, observe=incidents.append)
    with caplog.at_level(logging.DEBUG, LOG):
        relay.run_once()
        world.clock.move(1)
        assert relay.run_once() == 1
    assert (incidents, caplog.records) == ([], [])
