"""Whether a function is pure, as far as can be seen: it is called twice while somebody watches."""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

import attrs

#: Audit events of what leaves the process, or reads from outside it; by how they begin.
_OUTSIDE: Final = (
    "open", "socket.", "subprocess.", "sqlite3.connect", "os.", "shutil.", "urllib.", "http.", "ftplib.", "smtplib.",
    "webbrowser.", "ctypes.", "winreg.",
)  # fmt: skip
#: Calls into C that read the clock or draw by chance: module -> names.
_CLOCKS: Final[Mapping[str, frozenset[str]]] = {
    "time": frozenset({"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime", "sleep"}),
    "posix": frozenset({"urandom", "getrandom"}),
    "nt": frozenset({"urandom"}),
}
_TODAY: Final = frozenset({"now", "utcnow", "today"})
#: How far functions that a function calls are followed, and how long a collection is compared whole.
_DEPTH: Final = 3
_LONGEST: Final = 2000

#: What a function did that a pure one does not; the codes of the room ``effect`` in `messages`.
WRITES: Final = "writes"
CHANGES: Final = "changes"
OUTSIDE: Final = "outside"
CLOCK: Final = "clock"


@attrs.frozen(kw_only=True)
class Watched:
    """What came of two calls.

    Attributes:
        answer: What the first one answered; None where it raised.
        error: What the first one raised.
        differs: Whether the second one came to something else.
        effects: What was seen beside, as codes.
    """

    answer: object = None
    error: Exception | None = None
    differs: bool = False
    effects: tuple[str, ...] = ()


class _Recorder:
    """The one audit hook of the process, which listens only while a function is watched."""

    installed = False
    thread: int | None = None
    events: list[str] = []  # noqa: RUF012  # the hook is the process's, so what it heard is too

    @classmethod
    def hear(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.thread is None or cls.thread != threading.get_ident() or not event.startswith(_OUTSIDE):
            return
        if not _is_importing():
            cls.events.append(event)

    @classmethod
    @contextlib.contextmanager
    def listening(cls) -> Iterator[list[str]]:
        if not cls.installed:
            sys.addaudithook(cls.hear)
            cls.installed = True
        cls.events = []
        cls.thread = threading.get_ident()
        try:
            yield cls.events
        finally:
            cls.thread = None


def _is_importing() -> bool:
    """Whether an import is under way: reading a module for the first time is no side effect of who asks for it."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def watch(function: Callable[..., Any], *arguments: object) -> Watched:
    """Call a function twice, and see what it does beside answering.

    What it prints goes nowhere. What it does outside of the process is not held back, only seen.
    """
    before = _state(function, arguments)
    clock: list[str] = []
    first_sink = io.StringIO()
    with _uncollected(), _Recorder.listening() as events, _quiet(first_sink), _clocked(clock):
        first, second = _called(function, arguments), _called(function, arguments)
    effects = [
        *([WRITES] if first_sink.getvalue() else []),
        *([CHANGES] if _state(function, arguments) != before else []),
        *([OUTSIDE] if events else []),
        *([CLOCK] if clock else []),
    ]
    answer, error = first
    return Watched(answer=answer, error=error, differs=not _same(first, second), effects=tuple(effects))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile: what runs then is not the function's doing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def _quiet(sink: io.StringIO) -> Iterator[None]:
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What is printed meanwhile goes nowhere."""
    with _quiet(io.StringIO()):
        yield


@contextlib.contextmanager
def _clocked(heard: list[str]) -> Iterator[None]:
    def hear(frame: types.FrameType, event: str, called: Any) -> None:
        if event == "c_call" and _reads_clock_or_chance(called):
            heard.append(called.__name__)

    if sys.getprofile() is not None:  # somebody measures: two cannot listen at once
        yield
        return
    sys.setprofile(hear)
    try:
        yield
    finally:
        sys.setprofile(None)


def _reads_clock_or_chance(called: Any) -> bool:
    of = getattr(called, "__self__", None)
    if isinstance(of, type) and issubclass(of, date):
        return called.__name__ in _TODAY
    if type(of).__module__ == "random":
        return True
    return called.__name__ in _CLOCKS.get(getattr(called, "__module__", None) or "", ())


def _called(function: Callable[..., Any], arguments: tuple[object, ...]) -> tuple[object, Exception | None]:
    try:
        answer = function(*arguments)
        return (tuple(answer) if isinstance(answer, Iterator) else answer), None
    except Exception as error:
        return None, error


def _same(first: tuple[object, Exception | None], second: tuple[object, Exception | None]) -> bool:
    if first[1] is not None or second[1] is not None:
        return type(first[1]) is type(second[1])
    try:
        return bool(first[0] == second[0]) or repr(first[0]) == repr(second[0])
    except Exception:  # whatever a host's own comparison raises
        return repr(first[0]) == repr(second[0])


# ---------------------------------------------------------------------------------------------------------------
# What a function could change: its arguments, and whatever it reaches by name


def _state(function: Any, arguments: tuple[object, ...]) -> list[str]:
    return [*(_said(one) for one in arguments), *_reached(function, _DEPTH, set())]


def _reached(function: Any, depth: int, known: set[int]) -> Iterator[str]:
    """What a function refers to, as text: what its names stand for, its cells, defaults and attributes."""
    if id(function) in known or depth == 0:
        return
    known.add(id(function))
    if isinstance(function, types.MethodType):
        yield _said(function.__self__)
        yield from _reached(function.__func__, depth, known)
    elif hasattr(function, "func") and hasattr(function, "keywords"):  # functools.partial
        yield _said((function.args, function.keywords))
        yield from _reached(function.func, depth, known)
    elif isinstance(function, types.FunctionType):
        referred = [function.__globals__.get(name) for name in _names(function.__code__)]
        referred += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        referred += [function.__defaults__, function.__kwdefaults__, vars(function)]
        for one in referred:
            if isinstance(one, types.FunctionType | types.MethodType):
                yield from _reached(one, depth - 1, known)
            elif not isinstance(one, types.ModuleType | types.BuiltinFunctionType):
                yield _said(one)
    elif not isinstance(function, type) and hasattr(type(function), "__call__"):  # noqa: B004  # its function is wanted
        yield _said(function)
        yield from _reached(type(function).__call__, depth, known)


def _names(code: types.CodeType) -> tuple[str, ...]:
    """The global names that a code uses, those of the functions inside it too."""
    inner = [name for one in code.co_consts if isinstance(one, types.CodeType) for name in _names(one)]
    return (*code.co_names, *inner)


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # not yet assigned
        return False


def _said(value: object, depth: int = 2) -> str:
    """A value as a text that changes when the value does."""
    if isinstance(value, type):
        own = {} if value.__module__.startswith("reportflow.") or value.__module__ == "builtins" else vars(value)
        plain = {name: one for name, one in own.items() if type(one) in (int, str, float, bool, list, dict, set)}
        return f"{value!r} {_said({name: one for name, one in plain.items() if name[:2] != '__'}, 1)}"
    try:
        if isinstance(value, list | tuple | dict | set | frozenset) and len(value) > _LONGEST:
            return f"{type(value)} of {len(value)} at {id(value)}"
        if type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__") and depth:
            inside = {name: _said(one, depth - 1) for name, one in vars(value).items()}
            return f"{value!r} {inside}"
        return repr(value)
    except Exception:  # whatever a host's own repr raises
        return f"{type(value)} at {id(value)}"


# ---------------------------------------------------------------------------------------------------------------
# What a function may read

#: How many functions are looked into before it is said that they may read anything.
_FUNCTIONS: Final = 300


def mentioned(function: Any, cls: type[Any]) -> frozenset[str] | None:
    """Every name and text in a function, in those that it refers to, and in what it names of a class.

    So whatever field of that class it reads by name is among them. None where that cannot be said.
    """
    found: set[str] = set()
    known: set[int] = set()
    todo: list[Any] = [function]
    while todo:
        one = todo.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        code = _code(one)
        if code is None or len(known) > _FUNCTIONS:
            return None
        names = {*_names(code), *_texts(code.co_consts)}
        bound = getattr(one, "__func__", one)
        cells = [cell.cell_contents for cell in bound.__closure__ or () if _is_filled(cell)]
        given = [*cells, *(bound.__defaults__ or ()), *(bound.__kwdefaults__ or {}).values()]
        found |= names | {text for text in given if isinstance(text, str)}
        referred = [*given, *(bound.__globals__.get(name) for name in names)]
        modules = [module for module in referred if isinstance(module, types.ModuleType)]
        referred += [vars(module).get(name) for module in modules for name in names]
        referred += [_getter(vars(base).get(name)) for base in cls.__mro__ for name in names]
        todo += [other for other in referred if isinstance(other, types.FunctionType | types.MethodType)]
    return frozenset(found)


def _code(function: Any) -> types.CodeType | None:
    code = getattr(function, "__code__", None)
    return code if isinstance(code, types.CodeType) else None


def _getter(value: Any) -> Any:
    return value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def _texts(constants: Iterable[object]) -> Iterator[str]:
    """The texts among the constants of a code, in collections of them and in the functions inside it too."""
    for one in constants:
        if isinstance(one, str):
            yield one
        elif isinstance(one, types.CodeType):
            yield from _texts(one.co_consts)
        elif isinstance(one, tuple | frozenset):
            yield from _texts(one)
