"""A test double around a store: concurrent writes, foreign errors, dry runs; and the side effects of a definition."""

from __future__ import annotations

import copy
import types
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from reportflow.errors import ReportflowError
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
from reportflow.storage.base import Change
from reportflow.testing.broken import BrokenPromise, outcome


class InterceptedStore:
    """A store in front of another: it makes a concurrent write between load and commit, and names foreign errors.

    Attributes:
        store: The one behind it.
        rival: The call of another user, made once, just before the next commit.
        rivalled: Its result, as `outcome` gives it.
        dry_run: Whether commits write nothing.
    """

    def __init__(self, store: Any) -> None:
        self.store: Any = store
        self.rival: Callable[[], Any] | None = None
        self.rivalled: Any = None
        self.dry_run = False

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
        """The concurrent write first, if there is one, then the commit."""
        if self.dry_run:
            return
        rival, self.rival = self.rival, None
        if rival is not None:
            self.rivalled = outcome(rival)
        self.__getattr__("commit")(changes)

    def reopen(self, reopen: Callable[[Any], Any]) -> None:
        """Close the store behind it, and take the one that `reopen` gives for it."""
        self.__getattr__("close")()
        self.store = reopen(self.store)


#: What a function may grow or count in, if it is not pure.
_COUNTED: Final = (bool, int, float, str, bytearray, list, dict, set, deque, Counter)
#: Longer collections are not compared: they are tables, not notes.
_LONGEST: Final = 1000


class Surroundings:
    """The plain values of the globals, closures and objects that the functions of a definition can reach.

    Compared before and after a judgement, they show its side effects.
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
