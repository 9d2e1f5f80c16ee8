"""What a flow is made of, whoever drives it: a store, lifecycles, and the generators of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import attrs

from reportflow.errors import InvalidValue, ReportflowError, TransitionRefused
from reportflow.flow.definitions import Definitions
from reportflow.flow.handler import RETRY_TIMEOUT, Handler
from reportflow.flow.queries import Reader
from reportflow.flow.requests import Fire, Request, Steps
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import type_problem
from reportflow.model.record import Record
from reportflow.model.values import as_tuple
from reportflow.storage.base import AsyncStore, Store

S = TypeVar("S", Store, AsyncStore)

T = TypeVar("T")

#: How many records of a bulk are held in memory, and kept in one commit.
CHUNK: Final = 500
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
        retry_timeout: float = RETRY_TIMEOUT,
    ) -> None:
        several = [lifecycles] if isinstance(lifecycles, Lifecycle) else as_tuple(lifecycles)
        if not isinstance(several, list | tuple) or not all(isinstance(one, Lifecycle) for one in several):
            raise InvalidValue("lifecycles", *type_problem("list[Lifecycle]", lifecycles))
        if not hasattr(store, "commit"):
            raise InvalidValue("store", *type_problem("Store", store))
        self._store: S = store
        self._turn = self._lock()
        self._definitions = Definitions(several)
        self._reader = Reader(self._definitions)
        self._handler = Handler(self._definitions, clock=clock, new_id=new_id, retry_timeout=retry_timeout)

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
            raise InvalidValue("requests", *type_problem("list[Create | Fire]", requests))
        return self._handler.run(list(requests))

    def _chunks(
        self, requests: Iterable[Request], on_refusal: str, chunk: int
    ) -> Iterator[tuple[list[Request], Steps[list[Record | ReportflowError]]]]:
        """Some requests at a time, and what finds what comes of each of them."""
        if on_refusal not in ("abort", "skip"):
            raise InvalidValue("on_refusal", "choice", {"given": repr(on_refusal), "choices": ("abort", "skip")})
        rest = iter(requests)
        while some := list(islice(rest, chunk)):
            yield some, self._handler.run_all(some, skip=on_refusal == "skip")

    def bound_to(self, host: Any) -> Self:
        """A flow that writes inside a transaction of the host's: what it does is kept if the host commits.

        Nothing is begun, committed, rolled back or decided again there: a conflict is raised at once, and leaves the
        transaction usable. Closing it leaves this flow and the host's connection open.

        Args:
            host: What the store takes: for the SQL stores a `Connection` or `Session` of SQLAlchemy on its database,
                for the asynchronous one an `AsyncConnection` or `AsyncSession`.

        Raises:
            InvalidValue: not such a thing, or the store cannot write inside a transaction of a host's.
        """
        if not hasattr(self._store, "bound_to"):
            raise InvalidValue("store", *type_problem("a store with bound_to", self._store))
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        made._store = self._store.bound_to(host)
        made._handler = self._handler.once()
        return made


def outcome(request: Request, result: Record | ReportflowError, on_refusal: str) -> Outcome:
    """What came of one of many.

    Raises:
        ReportflowError: it is an error, and no refusal that is skipped.
    """
    if isinstance(result, Record):
        return Outcome(id=result.id, record=result)
    if on_refusal == "skip" and isinstance(result, TransitionRefused):
        return Outcome(id=request.id if isinstance(request, Fire) else request.draft.id, refused=result)
    raise result


def several(name: str, values: Iterable[T]) -> Iterable[T]:
    """Any iterable.

    Raises:
        InvalidValue: something else.
    """
    if not isinstance(values, Iterable):
        raise InvalidValue(name, *type_problem("list", values))
    return values
