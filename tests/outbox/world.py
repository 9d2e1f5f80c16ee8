"""A store with entries, a clock, and relays whose messages are collected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from reportflow import ANY, SAME, Actor, Lifecycle, MemoryStore, Record, Relay, ReportFlow, State, Store, Transition
from reportflow.outbox.cloudevents import Message
from reportflow.storage.leases import Delivery, Leases

START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
CLERK: Final = Actor(id="clerk", name="秘密的人", roles={"clerk"})


@attrs.frozen(kw_only=True)
class Letter(Record):
    """A record with entries to publish."""


LETTERS: Final = Lifecycle(
    name="letter",
    version=1,
    record=Letter,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}, accepts={"id"}),
        Transition("note", source="open", dest=SAME, roles={"clerk"}),
    ],
)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Crash(BaseException):
    """The process ends: nothing after this is run."""


class World:
    """A store with entries, and the messages that its relays published."""

    def __init__(self, store: Any | None = None) -> None:
        self.store: Any = MemoryStore() if store is None else store
        self.clock = Clock()
        self.received: list[Message] = []
        self._created: set[str] = set()

    def write(self, *ids: str, store: Store | None = None) -> None:
        """One more entry in each of these records."""
        flow = ReportFlow(store or self.store, LETTERS)
        for id in ids:
            if id in self._created:
                flow.fire(id, "note", by=CLERK)
            else:
                flow.create(Letter.draft(id=id), by=CLERK)
                self._created.add(id)

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
    """A publisher that accepts all messages but some."""

    def publish(message: Message) -> None:
        if message.id in ids:
            raise ValueError(f"no {message.id}")
        world.received.append(message)

    return publish
