"""What is put around a store and a definition to see what they do: rivals, foreign errors, side effects."""

from __future__ import annotations

import contextlib
import copy
import types
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from reportflow.errors import ReportflowError
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
from reportflow.model.query import Query
from reportflow.storage.base import Change
from reportflow.testing.acts import created, report
from reportflow.testing.broken import BrokenPromise, outcome
from reportflow.testing.differences import shown


class Watched:
    """A store in front of another: it lets a rival act between load and commit, and knows foreign errors.

    Attributes:
        store: The one behind it.
        rival: What happens once, just before the next commit: somebody else's call, made to its end.
        rivalled: What that call came to, as `outcome` says it.
    """

    def __init__(self, store: Any) -> None:
        self.store = store
        self.rival: Callable[[], Any] | None = None
        self.rivalled: Any = None

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.store, name)
        if not callable(asked):
            return asked

        def call(*arguments: Any) -> Any:
            try:
                return asked(*arguments)
            except (ReportflowError, BrokenPromise):
                raise
            except Exception as error:
                raise BrokenPromise("foreign", call=name, given=f"{type(error).__name__}: {error}") from error

        return call

    def commit(self, changes: Sequence[Change]) -> None:
        """The rival's call first, if there is one, then the commit."""
        rival, self.rival = self.rival, None
        if rival is not None:
            self.rivalled = outcome(rival)
        self.__getattr__("commit")(changes)

    def reopen(self, reopen: Callable[[Any], Any]) -> None:
        """Close the store behind it, and take what `reopen` gives for it."""
        self.__getattr__("close")()
        self.store = reopen(self.store)


class Factory:
    """Somebody's function that makes stores, held to its promise: each is fresh and empty."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self._proven = False
        self._wrong: BrokenPromise | None = None

    def fresh(self) -> Any:
        """A store. Before the first one is given, two others prove that they share nothing.

        Raises:
            BrokenPromise: the function raised, or gave no store, one store twice, or one that holds something; from
                then on each time, so that Hypothesis meets the same again.
        """
        if self._wrong is not None:
            raise self._wrong
        try:
            if not self._proven:
                self._prove()
                self._proven = True
            return self._made()
        except BrokenPromise as wrong:
            self._wrong = wrong
            raise

    def _made(self) -> Any:
        try:
            store = self.make()
        except Exception as error:
            raise self._broken("raised", given=f"{type(error).__name__}: {error}") from error
        if not hasattr(store, "commit"):
            raise self._broken("no_store", given=shown(store))
        seen = Watched(store)
        if seen.find(Query(limit=1)).records or seen.feed(None, 1):
            raise self._broken("not_empty")
        return store

    def _prove(self) -> None:
        one = self._made()
        other = self._made()
        if one is other:
            raise self._broken("same")
        with contextlib.suppress(Exception):  # a store that cannot commit shows that in the run
            one.commit([created(report("probe"))])
        seen = Watched(other)
        shared = seen.find(Query(limit=1)).records or seen.feed(None, 1)
        one.close()
        other.close()
        if shared:
            raise self._broken("same_data")

    def _broken(self, code: str, **facts: object) -> BrokenPromise:
        return BrokenPromise(f"factory_{code}", factory=getattr(self.make, "__qualname__", repr(self.make)), **facts)


class Trial:
    """A store that reads as another does and keeps nothing: for commands that are only tried."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep nothing."""


#: What a function may grow or count in, if it is not pure.
_COUNTED: Final = (bool, int, float, str, bytearray, list, dict, set, deque, Counter)
#: Longer collections are not compared: they are tables, not notes.
_LONGEST: Final = 1000


class Surroundings:
    """The plain values of the globals, closures and objects that the functions of a definition can reach.

    Told apart before and after a judgement, they show its side effects.
    """

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        functions = {id(one): one for each in lifecycles for row in each.transitions for one in _functions(row)}
        self._places = dict(place for one in functions.values() for place in _reached(one))

    def now(self) -> dict[str, object]:
        """A copy of all that they reach."""
        found = {}
        for name, (holder, key) in self._places.items():
            value = holder.cell_contents if isinstance(holder, types.CellType) else holder.get(key)
            if not (hasattr(value, "__len__") and len(value) > _LONGEST):
                found[name] = copy.copy(value)
        return found


def _functions(row: Transition) -> Iterator[Any]:
    yield from (guard.test for guard in row.guards)
    yield from (setting for setting in row.sets.values() if callable(setting))
    if row.then is not None:
        yield row.then


def _reached(function: Any) -> Iterator[tuple[str, tuple[Any, str]]]:
    """Where the plain values are: a name for people, and the dict or cell that holds them."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    if isinstance(function, types.MethodType):
        yield from _held(function.__self__)
        function = function.__func__
    if not isinstance(function, types.FunctionType):
        yield from _held(function)
        return
    for name in function.__code__.co_names:
        if isinstance(function.__globals__.get(name), _COUNTED):
            yield f"{function.__module__}.{name}", (function.__globals__, name)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            inside = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        if isinstance(inside, _COUNTED):
            yield f"{name} of {function.__qualname__}", (cell, name)


def _held(instance: Any) -> Iterator[tuple[str, tuple[Any, str]]]:
    for name, value in getattr(instance, "__dict__", {}).items():
        if isinstance(value, _COUNTED):
            yield f"{type(instance).__name__}.{name}", (instance.__dict__, name)
