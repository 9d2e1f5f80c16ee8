"""A child process for what changes the process that it runs in: the caller's own stays as it was.

Definitions that modules hold by a name are imported anew by a new interpreter, which also works beside threads. Others
are in this process only (made in a session or a test, with lambdas): a fork has them too, where the platform forks.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from reportflow.analysis.purity import Watcher
from reportflow.lifecycle.definition import Lifecycle

T = TypeVar("T")

#: Run by the new interpreter.
_CHILD: Final = "from reportflow.analysis.isolation import serve; serve()"
#: Set in its environment: a module that runs a check while it is imported must not start interpreters without end.
_NESTED: Final = "REPORTFLOW_ISOLATED"


def run(function: Callable[..., T], *arguments: object) -> T:
    """The result of a module's function, called with a `Watcher` and the arguments in a child process.

    Where there is no way to a child the function is called here, with None in place of the watcher.

    Raises:
        Exception: what the function raises.
        RuntimeError: the child ended without a result.
    """
    payload = None if _NESTED in os.environ else _dumps((function, arguments))
    answer = None if payload is None else _spawn(payload)
    if not answer and hasattr(os, "fork"):
        answer = _fork(function, arguments)
        if not answer:
            raise RuntimeError("the child process of the check ended without a result")
    if not answer:
        return function(None, *arguments)
    raised, result = pickle.loads(answer)  # written by the child
    if raised:
        raise result
    found: T = result
    return found


def serve() -> NoReturn:
    """Be the new interpreter: read the call from the standard input, and write its outcome to the standard output."""
    _answer(os.dup(1), lambda: _Unpickler(sys.stdin.buffer).load())


def _spawn(payload: bytes) -> bytes:
    """The outcome in a new interpreter; nothing where it cannot import what the call needs."""
    if getattr(sys, "frozen", False):  # the executable is a program of its own
        return b""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    environment = {**os.environ, _NESTED: "1", "PYTHONPATH": paths}
    command = [sys.executable, "-c", _CHILD]
    try:
        return subprocess.run(command, input=payload, stdout=subprocess.PIPE, env=environment, check=False).stdout
    except OSError:  # no interpreter under that name, as where Python is embedded
        return b""


def _fork(function: Callable[..., object], arguments: tuple[object, ...]) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _answer(writing, lambda: (function, arguments))
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as answer:
            return answer.read()
    finally:
        with contextlib.suppress(ChildProcessError):  # a host that waits for any child was faster
            os.waitpid(child, 0)


def _answer(descriptor: int, call: Callable[[], tuple[Callable[..., object], tuple[object, ...]]]) -> NoReturn:
    """Write the outcome of a call to a file, discard all that it prints, and end the process."""
    try:
        with os.fdopen(descriptor, "wb") as answer, open(os.devnull, "w", encoding="utf-8") as nowhere:
            sys.stdout = sys.stderr = nowhere
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            answer.write(_outcome(*call()))
    finally:
        os._exit(0)  # whatever else the process would do at its end is the parent's to do


def _outcome(function: Callable[..., object], arguments: tuple[object, ...]) -> bytes:
    """Whether the function raised, and its error or its result."""
    try:
        return pickle.dumps((False, function(Watcher(), *arguments)))
    except Exception as error:
        known = error if _dumps(error) is not None else RuntimeError(repr(error))
        known.add_note(traceback.format_exc())  # the frames stay in the child
        return pickle.dumps((True, known))


# ---------------------------------------------------------------------------------------------------------------
# A call as bytes, with each definition by its name


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> tuple[str, str] | None:
        return _place(value) if isinstance(value, Lifecycle) else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, place: tuple[str, str]) -> Any:
        module, name = place
        __import__(module)
        return vars(sys.modules[module])[name]


def _dumps(value: object) -> bytes | None:
    """A value as bytes; None where something in it is only in this process."""
    written = io.BytesIO()
    try:
        _Pickler(written).dump(value)
    except Exception:  # any error of a host's own way to be pickled, too
        return None
    return written.getvalue()


def _place(lifecycle: Lifecycle) -> tuple[str, str]:
    """The module and the name from which another process imports a definition: its record's module first.

    Raises:
        PicklingError: there is none.
    """
    for module in (lifecycle.record.__module__, *list(sys.modules)):
        held = sys.modules.get(module)
        spec = getattr(held, "__spec__", None)
        if held is not None and module != "__main__" and spec is not None and spec.has_location:
            for name, value in list(vars(held).items()):
                if value is lifecycle:
                    return module, name
    raise pickle.PicklingError(f"no module holds '{lifecycle.name}'")
