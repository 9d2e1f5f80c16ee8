"""Why a test failed: the line, what both sides of its comparison were, and whose error it was.

pytest rewrites the asserts of the tests that it collects; here nothing is rewritten. The sides of a comparison are
worked out once more in the frame that failed.
"""

from __future__ import annotations

import ast
import linecache
import operator
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from types import FrameType
from typing import Any, Final

from reportflow.errors import ReportflowError
from reportflow.testing.conformance.suite import Unmet
from reportflow.testing.differences import first_difference, shown

#: A code of `texts` and its facts.
Cause = tuple[str, Mapping[str, object]]

_PACKAGE: Final = "reportflow.testing."
#: Modules of the kit that stand between a test and the store: a line of theirs says nothing.
_BETWEEN: Final = ("reportflow.testing.conformance.suite", "reportflow.testing.loop", "reportflow.testing.twin")
#: How many characters of a line, and how many lines of Hypothesis, are shown.
_LONGEST: Final = 300
_NOTES: Final = 40
#: How many characters of what the kit itself says are shown.
_WHOLE: Final = 4_000

_HOLDS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, several: one in several,
    ast.NotIn: lambda one, several: one not in several,
}


def why(error: BaseException) -> Cause:
    """What an error that ended a test means."""
    if type(error).__module__.startswith("hypothesis."):
        return "reason.flaky", {"given": _brief(error)}
    frame, line, node = _place(error)
    code, facts = _judged(error, frame, node)
    return code, {"line": line, "kind": _kind(error), "given": _brief(error), "steps": _steps(error), **facts}


def _judged(error: BaseException, frame: FrameType | None, node: ast.stmt | None) -> Cause:
    if isinstance(error, Unmet):
        return ("reason.unmet" if error.code == "due" else error.code), error.facts
    if isinstance(error, AssertionError) and _is_ours(error):
        if frame is _frames(error)[-1][0] and isinstance(node, ast.Assert):
            return _compared(node, frame, error)
        return "reason.said", {"given": str(error)[:_WHOLE]}
    if isinstance(error, ReportflowError):
        return "reason.not_due", {}
    return "reason.misshapen" if _is_ours(error) else "reason.foreign", {}


def _kind(error: BaseException) -> str:
    module = type(error).__module__
    return type(error).__qualname__ if module == "builtins" else f"{module}.{type(error).__qualname__}"


def _brief(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return said if len(said) <= _LONGEST else said[:_LONGEST] + " …"


def _steps(error: BaseException) -> str:
    """The calls that Hypothesis made, where it was Hypothesis."""
    lines = [line for note in getattr(error, "__notes__", ()) for line in str(note).splitlines()]
    cut = lines if len(lines) <= _NOTES else ["…", *lines[-_NOTES:]]  # what failed stands at the end
    return "\n".join(line[:_LONGEST] for line in cut)


# ---------------------------------------------------------------------------------------------------------------
# The line


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    return list(traceback.walk_tb(error.__traceback__))


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _is_ours(error: BaseException) -> bool:
    """Whether the suite itself raised it, not the store."""
    frames = _frames(error)
    return bool(frames) and _module(frames[-1][0]).startswith(_PACKAGE)


def _place(error: BaseException) -> tuple[FrameType | None, str, ast.stmt | None]:
    """The last line of a test that an error passed, as a frame, as text and as a statement."""
    ours = [
        (frame, number)
        for frame, number in _frames(error)
        if _module(frame).startswith(_PACKAGE) and _module(frame) not in _BETWEEN
    ]
    ours = [pair for pair in ours if not _module(pair[0]).endswith((".run", ".reasons"))]
    if not ours:
        return None, "", None
    frame, number = ours[-1]
    lines = linecache.getlines(frame.f_code.co_filename)
    node = _statement("".join(lines), number)
    first, last = number, number
    if node is not None and not hasattr(node, "body"):
        first, last = node.lineno, node.end_lineno or node.lineno
    said = " ".join(line.strip() for line in lines[first - 1 : last])
    return frame, said if len(said) <= _LONGEST else said[:_LONGEST] + " …", node


@cache
def _statements(source: str) -> tuple[ast.stmt, ...]:
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))


def _statement(source: str, line: int) -> ast.stmt | None:
    """The smallest statement that a line is part of."""
    around = [node for node in _statements(source) if node.lineno <= line <= (node.end_lineno or node.lineno)]
    return min(around, key=lambda node: (node.end_lineno or node.lineno) - node.lineno, default=None)


# ---------------------------------------------------------------------------------------------------------------
# Both sides


def _compared(node: ast.Assert, frame: FrameType, error: AssertionError) -> Cause:
    test = node.test
    if not isinstance(test, ast.Compare):
        return ("reason.said" if node.msg is not None else "reason.failed"), {"given": str(error)[:_WHOLE]}
    names = {**frame.f_globals, **frame.f_locals}  # what a comprehension names must be global to it
    sides = []
    for operand in (test.left, *test.comparators):
        try:
            sides.append(eval(compile(ast.Expression(operand), "<asked again>", "eval"), names))
        except BaseException as raised:  # asked again, a faulty store may do anything
            return "reason.asked_again", {"again": f"{_kind(raised)}: {_brief(raised)}"}
    for comparison, left, right in zip(test.ops, sides, sides[1:], strict=False):
        if not _HOLDS[type(comparison)](left, right):
            return _told(left, right)
    return "reason.holds_now", {}


def _told(left: object, right: object) -> Cause:
    facts: dict[str, object] = {"left": shown(left), "right": shown(right)}
    found = first_difference(left, right)
    if found is None or not found.path:
        return "reason.differs", facts
    inside = {"path": found.path, "one": shown(found.one), "other": shown(found.other)}
    return "reason.differs_in", {**facts, **inside}
