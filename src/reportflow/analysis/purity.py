"""Whether a function is pure, as far as can be seen: it is called twice and watched; and what it may read.

Watching takes an audit hook, which no process gets rid of again, and the profile function, the collector and the
output streams of the process: a `Watcher` belongs in a process of its own (see `isolation`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

#: Audit events of what leaves the process, or reads from outside it; by how they begin.
_OUTSIDE: Final = (
    "open", "socket.", "subprocess.", "sqlite3.connect", "os.", "shutil.", "urllib.", "http.", "ftplib.", "smtplib.",
    "webbrowser.", "ctypes.", "winreg.",
)  # fmt: skip
#: Calls into C that read the clock or draw at random: module -> names.
_CLOCKS: Final[Mapping[str, frozenset[str]]] = {
    "time": frozenset({"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime", "sleep"}),
    "posix": frozenset({"urandom", "getrandom"}),
    "nt": frozenset({"urandom"}),
}
_TODAY: Final = frozenset({"now", "utcnow", "today"})
#: How deep functions that a function calls are followed, how long a collection is compared whole, and how many
#: functions are read before it is said that they may read anything.
DEPTH: Final = 3
LONGEST: Final = 2000
FUNCTIONS: Final = 300

#: Effects that a pure function does not have; the codes of the room ``effect`` of the texts.
WRITES: Final = "writes"
CHANGES: Final = "changes"
OUTSIDE: Final = "outside"
CLOCK: Final = "clock"


class Observation(NamedTuple):
    """The result of two calls of a function."""

    #: The answer of the first call; None where it raised.
    answer: object
    #: What the first call raised.
    error: Exception | None
    #: Whether the second call had another result.
    differs: bool
    #: The effects that were seen, as codes.
    effects: tuple[str, ...]


class Watcher:
    """Calls functions and sees what they do beside answering. It changes its process for good."""

    def __init__(self) -> None:
        #: What the hook noted; None while nothing is watched.
        self._events: list[str] | None = None
        self._clock: list[str] = []
        sys.addaudithook(self._note_event)

    def watch(self, function: Callable[..., Any], *arguments: object) -> Observation:
        """Call a function twice. What it prints is discarded; what it does outside of the process is done."""
        before = _state(function, arguments)
        sink = io.StringIO()
        self._events = events = list[str]()
        self._clock = []
        gc.disable()  # what a collection runs is not the function's doing
        sys.setprofile(self._note_call)
        try:
            with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
                first, second = _called(function, arguments), _called(function, arguments)
        finally:
            sys.setprofile(None)
            gc.enable()
            self._events = None
        changed = _state(function, arguments) != before
        effects = ((WRITES, sink.getvalue()), (CHANGES, changed), (OUTSIDE, events), (CLOCK, self._clock))
        seen = tuple(code for code, found in effects if found)
        return Observation(*first, differs=not _same(first, second), effects=seen)

    def _note_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._events is not None and event.startswith(_OUTSIDE) and not _is_importing():
            self._events.append(event)

    def _note_call(self, frame: types.FrameType, event: str, called: Any) -> None:
        if event == "c_call" and is_clock_or_chance(called):
            self._clock.append(called.__name__)


def _is_importing() -> bool:
    """Whether an import is under way: reading a module for the first time is no side effect of a function."""
    frames = traceback.walk_stack(sys._getframe(2))
    return any(frame.f_code.co_filename.startswith("<frozen importlib") for frame, _ in frames)


def is_clock_or_chance(called: Any) -> bool:
    """Whether a function in C reads the clock or draws at random."""
    of = getattr(called, "__self__", None)
    if isinstance(of, type) and issubclass(of, date):
        return called.__name__ in _TODAY
    if type(of).__module__ == "random":
        return True
    return called.__name__ in _CLOCKS.get(getattr(called, "__module__", None) or "", ())


def _called(function: Callable[..., Any], arguments: tuple[object, ...]) -> tuple[object, Exception | None]:
    try:
        answer = function(*arguments)
        return tuple(answer) if isinstance(answer, Iterator) else answer, None
    except Exception as error:
        return None, error


def _same(first: tuple[object, Exception | None], second: tuple[object, Exception | None]) -> bool:
    if first[1] is not None or second[1] is not None:
        return type(first[1]) is type(second[1])
    try:
        return bool(first[0] == second[0]) or repr(first[0]) == repr(second[0])
    except Exception:  # any error of a host's own comparison
        return repr(first[0]) == repr(second[0])


# ---------------------------------------------------------------------------------------------------------------
# What a function refers to


def _names(code: types.CodeType) -> tuple[str, ...]:
    """The global names and attributes that a code uses, those of the functions inside it too."""
    inner = [name for one in code.co_consts if isinstance(one, types.CodeType) for name in _names(one)]
    return (*code.co_names, *inner)


def _enclosed(function: Any) -> list[Any]:
    """What a function has of its own: the values that it closes over, and its defaults."""
    values = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # not yet assigned
            values.append(cell.cell_contents)
    return values


def _state(function: Any, arguments: tuple[object, ...]) -> list[str]:
    """All that a function could change, as text: its arguments, and what it refers to."""
    return [*(described(one) for one in arguments), *_reached(function, DEPTH, set())]


def _reached(function: Any, depth: int, known: set[int]) -> Iterator[str]:
    if id(function) in known or depth == 0:
        return
    known.add(id(function))
    if isinstance(function, types.MethodType):
        inner, own = function.__func__, function.__self__
    elif hasattr(function, "func") and hasattr(function, "keywords"):  # functools.partial
        inner, own = function.func, (function.args, function.keywords)
    elif isinstance(function, types.FunctionType):
        referred = [function.__globals__.get(name) for name in _names(function.__code__)]
        for one in [*referred, *_enclosed(function), vars(function)]:
            if isinstance(one, types.FunctionType | types.MethodType):
                yield from _reached(one, depth - 1, known)
            elif not isinstance(one, types.ModuleType | types.BuiltinFunctionType):
                yield described(one)
        return
    elif not isinstance(function, type) and hasattr(type(function), "__call__"):  # noqa: B004  # its function is wanted
        inner, own = type(function).__call__, function
    else:
        return
    yield described(own)
    yield from _reached(inner, depth, known)


def described(value: object, depth: int = 2) -> str:
    """A value as a text that changes when the value does."""
    if isinstance(value, type):
        own = {} if value.__module__.startswith("reportflow.") or value.__module__ == "builtins" else vars(value)
        plain = {name: one for name, one in own.items() if type(one) in (int, str, float, bool, list, dict, set)}
        return f"{value!r} {described({name: one for name, one in plain.items() if name[:2] != '__'}, 1)}"
    try:
        if isinstance(value, list | tuple | dict | set | frozenset) and len(value) > LONGEST:
            return f"{type(value)} of {len(value)} at {id(value)}"
        if type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__") and depth:
            inside = {name: described(one, depth - 1) for name, one in vars(value).items()}
            return f"{value!r} {inside}"
        return repr(value)
    except Exception:  # any error of a host's own repr
        return f"{type(value)} at {id(value)}"


def mentioned(function: Any, cls: type[Any]) -> frozenset[str] | None:
    """Every name and text in a function, in those that it refers to, and in what it names of a class.

    So any field of that class that it reads by name is among them. None where that cannot be said.
    """
    found: set[str] = set()
    known: set[int] = set()
    todo: list[Any] = [function]
    while todo:
        one = todo.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, functools.partial):
            todo.append(one.func)
            found.update(_texts((*one.args, *one.keywords.values())))
            continue
        code = getattr(one, "__code__", None)
        if not isinstance(code, types.CodeType) or len(known) > FUNCTIONS:
            return None
        names = {*_names(code), *_texts(code.co_consts)}
        bound = getattr(one, "__func__", one)
        given = _enclosed(bound)
        found |= names | {*_texts(given)}
        referred = [*given, *(bound.__globals__.get(name) for name in names)]
        modules = [module for module in referred if isinstance(module, types.ModuleType)]
        referred += [vars(module).get(name) for module in modules for name in names]
        referred += [_getter(vars(base).get(name)) for base in cls.__mro__ for name in names]
        followed = (types.FunctionType, types.MethodType, functools.partial)
        todo += [other for other in referred if isinstance(other, followed)]
    return frozenset(found)


def _getter(value: Any) -> Any:
    return value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def _texts(constants: Iterable[object]) -> Iterator[str]:
    """The texts among some values, in collections of them and in the code inside them too."""
    for one in constants:
        if isinstance(one, str):
            yield one
        elif isinstance(one, types.CodeType):
            yield from _texts(one.co_consts)
        elif isinstance(one, tuple | frozenset):
            yield from _texts(one)
