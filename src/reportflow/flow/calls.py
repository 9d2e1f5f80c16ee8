"""What a flow is made of, whoever drives it: a store, lifecycles, and the generators of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar

import attrs

from reportflow.errors import InvalidValue, TransitionRefused
from reportflow.flow.definitions import Definitions
from reportflow.flow.handle import PATIENCE, Handler
from reportflow.flow.reading import Reader
from reportflow.flow.requests import Fire, Request, Steps
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor
from reportflow.model.checks import wrong
from reportflow.model.record import Record
from reportflow.model.values import as_tuple
from reportflow.storage.contract import AsyncStore, Store

S = TypeVar("S", Store, AsyncStore)

#: How long a call that is decided again waits for its turn, in seconds; then it goes on without.
TURN: Final = 1.0


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh UUIDv7 as text: ids sort by the time of their making."""
    from uuid_utils import uuid7  # not needed where the host brings its own ids

    return str(uuid7())


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of one record of a `fire_all`: the record, or the refusal."""

    id: str
    record: Record | None = None
    refused: TransitionRefused | None = None


class Calls(Generic[S]):
    """The part of a flow that is the same for every driver."""

    #: Makes what calls take turns by.
    _lock: ClassVar[Any]

    def __init__(
        self,
        store: S,
        lifecycles: Lifecycle | Iterable[Lifecycle],
        *,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_id,
        patience: float = PATIENCE,
    ) -> None:
        several = [lifecycles] if isinstance(lifecycles, Lifecycle) else as_tuple(lifecycles)
        if not isinstance(several, list | tuple) or not all(isinstance(one, Lifecycle) for one in several):
            raise InvalidValue("lifecycles", *wrong("list[Lifecycle]", lifecycles))
        if not hasattr(store, "commit"):
            raise InvalidValue("store", *wrong("Store", store))
        self._store: S = store
        self._turn = self._lock()
        self._definitions = Definitions(several)
        self._reader = Reader(self._definitions)
        self._handler = Handler(self._definitions, clock=clock, new_id=new_id, patience=patience)

    @property
    def store(self) -> S:
        """The store underneath. It knows no visibility; its answers are the host's to guard."""
        return self._store

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        """The definitions."""
        return tuple(self._definitions)

    def _batch(self, requests: Iterable[Request]) -> Steps[list[Record]]:
        if not isinstance(requests, Iterable):
            raise InvalidValue("requests", *wrong("list[Create | Fire]", requests))
        return self._handler.run(list(requests))

    def _each(
        self,
        targets: Iterable[Record | str],
        trigger: str,
        details: object,
        *,
        by: Actor,
        on_refusal: Literal["abort", "skip"],
        reason: str,
        at: datetime | None,
    ) -> Iterator[Steps[Outcome]]:
        """The same, to be done to each record."""
        if on_refusal not in ("abort", "skip"):
            raise InvalidValue("on_refusal", "choice", {"given": repr(on_refusal), "choices": ("abort", "skip")})
        if not isinstance(targets, Iterable):
            raise InvalidValue("targets", *wrong("list[Record | str]", targets))
        for target in targets:
            yield self._outcome(Fire(target, trigger, details, by=by, reason=reason, at=at), on_refusal)

    def _outcome(self, request: Fire, on_refusal: str) -> Steps[Outcome]:
        try:
            (record,) = yield from self._handler.run([request])
        except TransitionRefused as refused:
            if on_refusal == "abort":
                raise
            return Outcome(id=request.id, refused=refused)
        return Outcome(id=request.id, record=record)
