"""`watch`: what a function does beside answering, whatever kind of callable it is."""

from __future__ import annotations

import functools
import gc
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from reportflow.lifecycle import purity
from reportflow.lifecycle.purity import CHANGES, CLOCK, OUTSIDE, WRITES, mentioned, watch

HEARD: list[int] = []
MANY: list[int] = list(range(3000))


class Box:
    total = 0
    seen: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.inside = 0

    def keeps(self, number: int) -> bool:
        self.inside += number
        return True

    def looks(self, number: int) -> bool:
        return self.inside < number

    def __call__(self, number: int) -> bool:
        self.inside += number
        return True


class Shy:
    """Says nothing of itself, and compares itself with nothing."""

    def __repr__(self) -> str:
        raise RuntimeError("shy")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("shy")

    __hash__ = None  # type: ignore[assignment]  # what cannot be compared cannot be hashed


def _plain(number: int) -> bool:
    return number > 0


def _appends(number: int) -> bool:
    HEARD.append(number)
    return True


def _by_another(number: int) -> bool:
    return _appends(number)


def _in_a_class(number: int) -> bool:
    Box.total += number
    return True


def _in_many(number: int) -> bool:
    return number in MANY


def _with_default(number: int, kept: list[int] = []) -> bool:  # noqa: B006  # what is tested is that this is found
    kept.append(number)
    return True


def _closing_over() -> Callable[[int], bool]:
    count = 0

    def counts(number: int) -> bool:
        nonlocal count
        count += number
        return True

    return counts


def _closing_over_nothing_yet() -> Callable[[int], bool]:
    def looks(number: int) -> bool:
        return number > 0 or later is None

    if MANY:
        return looks
    later = None
    return looks


def _prints(number: int) -> bool:
    sys.stdout.write(str(number))
    return True


def _complains(number: int) -> bool:
    sys.stderr.write(str(number))
    return True


def _reads_a_file(number: int) -> bool:
    return bool(Path(__file__).read_bytes())


def _starts_a_process(number: int) -> bool:
    return subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0


def _reads_the_clock(number: int) -> bool:
    return time.time() > number


def _reads_the_day(number: int) -> bool:
    return datetime.now().year > number


def _draws(number: int) -> bool:
    return random.random() < 2


PURE: dict[str, Any] = {
    "a function": _plain,
    "a partial": functools.partial(_plain),
    "a method": Box().looks,
    "a long list": _in_many,
    "a name without a value yet": _closing_over_nothing_yet(),
    "a class": bool,
    "a function in C": "abc".startswith,
}
IMPURE: dict[str, tuple[Any, str]] = {
    "a global list": (_appends, CHANGES),
    "a global list, by another function": (_by_another, CHANGES),
    "a partial": (functools.partial(_appends), CHANGES),
    "a class": (_in_a_class, CHANGES),
    "a default": (_with_default, CHANGES),
    "a closure": (_closing_over(), CHANGES),
    "a method's object": (Box().keeps, CHANGES),
    "an object that is called": (Box(), CHANGES),
    "what it prints": (_prints, WRITES),
    "what it _complains of": (_complains, WRITES),
    "a file": (_reads_a_file, OUTSIDE),
    "a process": (_starts_a_process, OUTSIDE),
    "the clock": (_reads_the_clock, CLOCK),
    "the day": (_reads_the_day, CLOCK),
    "chance": (_draws, CLOCK),
}


@pytest.mark.parametrize("function", PURE.values(), ids=list(PURE))
def test_a_pure_function_is_let_pass(function: Any) -> None:
    """Whatever kind of callable it is, one that only answers has no effects, and answers the same."""
    came = watch(function, "a" if function is PURE["a function in C"] else 1)
    assert (came.effects, came.differs, came.error) == ((), False, None)


@pytest.mark.parametrize(("function", "effect"), IMPURE.values(), ids=list(IMPURE))
def test_an_effect_is_seen(function: Any, effect: str) -> None:
    """What a function changes, prints, opens or draws beside answering is seen, and said by its code."""
    if effect == CLOCK and sys.getprofile() is not None:
        pytest.skip("somebody measures this thread by a profile function, and two cannot listen at once")
    assert effect in watch(function, 1).effects


def test_an_effect_on_what_it_is_given_is_seen() -> None:
    """A function that changes its argument is found, though it answers the same."""

    def grows(numbers: list[int]) -> bool:
        numbers.append(1)
        return True

    assert watch(grows, [1]).effects == (CHANGES,)


def test_nobody_else_is_listened_to(tmp_path: Path) -> None:
    """What is done while nothing is watched, or by an import, is no effect."""
    (tmp_path / "kept.txt").write_text("kept")
    watched = watch(lambda number: bool(__import__("colorsys")), 1)
    assert OUTSIDE not in watched.effects


def test_an_answer_that_cannot_be_compared_goes_by_what_is_said_of_it() -> None:
    """Where a host's comparison raises, answers are the same if they say the same of themselves."""

    @attrs.frozen(eq=False)
    class Odd:
        number: int

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("odd")

        __hash__ = None  # type: ignore[assignment]  # what cannot be compared cannot be hashed

    assert not watch(lambda number: Odd(number), 1).differs
    numbers = iter(range(9))
    assert watch(lambda number: Odd(next(numbers)), 1).differs


def test_what_says_nothing_of_itself_is_let_be() -> None:
    """An argument whose repr raises is told apart by its identity, and is no effect."""
    assert watch(lambda shy: True, Shy()).effects == ()


def test_an_error_is_what_came() -> None:
    """A function that raises has its error told; one that raises another error the second time differs."""
    errors = iter([ValueError("first"), KeyError("second")])

    def raises(number: int) -> bool:
        raise next(errors)

    came = watch(raises, 1)
    assert (type(came.error), came.differs) == (ValueError, True)


def test_watching_leaves_the_collector_as_it_was() -> None:
    """Garbage is collected after a watch if it was before, and not if it was not."""
    assert gc.isenabled()
    watch(_plain, 1)
    assert gc.isenabled()
    gc.disable()
    try:
        watch(_plain, 1)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_whoever_measures_is_left_alone() -> None:
    """Where a profile function is set, it is the same after a watch."""

    def mine(*_: object) -> None: ...

    before = sys.getprofile()
    sys.setprofile(mine)
    try:
        watch(_reads_the_clock, 1)
        assert sys.getprofile() is mine
    finally:
        sys.setprofile(before)


def test_what_a_function_may_read_is_told() -> None:
    """The names in a function and in what it calls are told; of a function in C nothing can be said."""
    told = mentioned(Box().looks, Box)
    assert told is not None
    assert "inside" in told
    assert mentioned("abc".startswith, Box) is None


def test_what_counts_as_reading_the_clock_or_drawing() -> None:
    """Calls into C that give the time, the day or chance count; others of the same modules do not."""
    counts = purity._reads_clock_or_chance
    assert all(counts(one) for one in (time.time, time.monotonic, datetime.now, date.today, random.random))
    assert not any(counts(one) for one in (len, "a".upper, time.strftime, date.fromisoformat))


def test_who_listens_hears_what_leaves_the_process() -> None:
    """While somebody listens, what leaves the process is heard, but no import and nothing else; afterwards nothing."""
    hear = purity._Recorder.hear
    with purity._Recorder.listening() as events:
        hear("open", ())
        hear("object.__getattr__", ())
    assert events == ["open"]
    hear("open", ())
    assert events == ["open"]
