"""What a `Watcher` sees of a function beside its answer, whatever kind of callable it is; each in a child process."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import attrs
import pytest

from reportflow.analysis import isolation, purity
from reportflow.analysis.purity import CHANGES, CLOCK, OUTSIDE, WRITES, Watcher, mentioned
from reportflow.office import Report


class Seen(NamedTuple):
    """An observation, as far as it can leave the child: answers and errors as text."""

    answer: str
    error: str
    differs: bool
    effects: tuple[str, ...]


def watch(function: Any, *arguments: object) -> Seen:
    """What a watcher in a child process sees of a function."""

    def observe(watcher: Watcher | None) -> Seen:
        assert watcher is not None
        seen = watcher.watch(function, *arguments)
        return Seen(repr(seen.answer), repr(seen.error), seen.differs, seen.effects)

    return isolation.run(observe)


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
    seen = watch(function, "a" if function is PURE["a function in C"] else 1)
    assert (seen.effects, seen.differs, seen.error) == ((), False, "None")


@pytest.mark.parametrize(("function", "effect"), IMPURE.values(), ids=list(IMPURE))
def test_an_effect_is_seen(function: Any, effect: str) -> None:
    """What a function changes, prints, opens or draws beside answering is seen, and said by its code."""
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
    """An argument whose repr raises counts by its identity, and is no effect."""
    assert watch(lambda shy: True, Shy()).effects == ()


def test_an_error_is_part_of_the_observation() -> None:
    """A function that raises has its error noted; one that raises another error the second time differs."""
    errors = iter([ValueError("first"), KeyError("second")])

    def raises(number: int) -> bool:
        raise next(errors)

    seen = watch(raises, 1)
    assert (seen.error, seen.differs) == ("ValueError('first')", True)


def test_what_a_function_may_read_is_listed() -> None:
    """The names in a function and in what it calls are listed; of a function in C nothing is known."""
    names_read = mentioned(Box().looks, Box)
    assert names_read is not None
    assert "inside" in names_read
    assert mentioned("abc".startswith, Box) is None


def test_what_counts_as_reading_the_clock_or_drawing() -> None:
    """Calls into C that give the time, the day or chance count; others of the same modules do not."""
    counts = purity.is_clock_or_chance
    assert all(counts(one) for one in (time.time, time.monotonic, datetime.now, date.today, random.random))
    assert not any(counts(one) for one in (len, "a".upper, time.strftime, date.fromisoformat))


def test_nothing_is_an_effect_but_while_a_function_is_watched() -> None:
    """What happens between two watched calls, such as an opened file, is an effect of neither of them."""

    def observe(watcher: Watcher | None) -> tuple[tuple[str, ...], ...]:
        assert watcher is not None
        first = watcher.watch(_reads_a_file, 1)
        _reads_a_file(1)
        return first.effects, watcher.watch(_plain, 1).effects

    assert isolation.run(observe) == ((OUTSIDE,), ())


# ---------------------------------------------------------------------------------------------------------------
# Whether two answers are the same


@attrs.frozen(eq=False)
class Unlike:
    """Equal to nothing, but says the same of itself where it holds the same."""

    number: int

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]  # what is equal to nothing need not be hashed


@attrs.frozen(eq=False)
class Alike:
    """Equal to all of its kind, whatever it says of itself."""

    number: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alike)

    __hash__ = None  # type: ignore[assignment]  # as above


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (1, 1, False),
        (1, 2, True),
        (None, 1, True),
        (1, None, True),
        (Unlike(1), Unlike(1), False),
        (Unlike(1), Unlike(2), True),
        (Alike(1), Alike(2), False),
        (ValueError("a"), ValueError("b"), False),
        (ValueError("a"), KeyError("a"), True),
        (ValueError("a"), None, True),
        (None, ValueError("a"), True),
        (iter([1, 2]), iter([1, 2]), False),
        (iter([1, 2]), iter([1, 3]), True),
    ],
)
def test_what_counts_as_the_same_answer(first: Any, second: Any, differs: bool) -> None:
    """Answers are the same if they are equal or say the same, iterators item by item; errors if of one class."""
    answers = [second, first]

    def answering(number: int) -> Any:
        answer = answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer

    seen = watch(answering, 1)
    assert seen.differs is differs
    assert seen.error == repr(first if isinstance(first, Exception) else None)
    if not isinstance(first, Exception):
        assert seen.answer == repr((1, 2) if hasattr(first, "__next__") else first)


# ---------------------------------------------------------------------------------------------------------------
# What a function reaches


class Calling:
    """Changes what is not its own."""

    func: ClassVar[str] = "no partial"

    def __call__(self, number: int) -> bool:
        HEARD.append(number)
        return True

    def method(self, number: int) -> bool:
        HEARD.append(number)
        return True


class Outer:
    """Holds what holds what is changed."""

    def __init__(self) -> None:
        self.box = Box()
        self.hidden = Holder(self.box)


class Holder:
    def __init__(self, box: Box) -> None:
        self.held = Tin(box)


class Tin:
    def __init__(self, box: Box) -> None:
        self.box = box


OUTER = Outer()


def _adds(kept: list[int], number: int) -> bool:
    kept.append(number)
    return True


def _in_an_object(number: int) -> bool:
    OUTER.box.inside += number
    return True


def _one(number: int) -> bool:
    return _by_another(number)


def _two(number: int) -> bool:
    return _one(number)


def _keyed(number: int, *, kept: list[int] = []) -> bool:  # noqa: B006  # what is tested is that this is found
    kept.append(number)
    return True


def _on_itself(number: int) -> bool:
    _on_itself.calls = getattr(_on_itself, "calls", 0) + 1  # type: ignore[attr-defined]  # that is its flaw
    return True


class Tally:
    count = 0
    __counted__ = 0


def _in_a_private_name(number: int) -> bool:
    Tally.count += number
    return True


def _in_a_reserved_name(number: int) -> bool:
    Tally.__counted__ += number
    return True


FULL = list(range(purity.LONGEST))
OVERFULL = list(range(purity.LONGEST + 1))


def _turns_in_full(number: int) -> bool:
    FULL[0] += 1
    return True


def _turns_in_overfull(number: int) -> bool:
    OVERFULL[0] += 1
    return True


def _adds_to_overfull(number: int) -> bool:
    OVERFULL.append(number)
    return True


REACHED: dict[str, tuple[Any, bool]] = {
    "an object's call changes a global list": (Calling(), True),
    "a method changes a global list": (Calling().method, True),
    "a partial of a method": (functools.partial(Calling().method), True),
    "a partial's own list": (functools.partial(_adds, []), True),
    "a partial's own list, by name": (functools.partial(lambda number, kept: _adds(kept, number), kept=[]), True),
    "an object in an object": (_in_an_object, True),
    "by two others": (_one, True),
    "by three others, which is too far": (_two, False),
    "a default by name": (_keyed, True),
    "an attribute of its own": (_on_itself, True),
    "a name of a class": (_in_a_private_name, True),
    "a reserved name of a class, which is the language's": (_in_a_reserved_name, False),
    "in a long list": (_turns_in_full, True),
    "in a list that is too long to be compared": (_turns_in_overfull, False),
    "the length of such a list": (_adds_to_overfull, True),
}


@pytest.mark.parametrize(("function", "seen"), REACHED.values(), ids=list(REACHED))
def test_how_far_a_function_is_followed(function: Any, seen: bool) -> None:
    """A change is seen in what a function refers to, and in what that refers to, up to the bounds that are said."""
    assert watch(function, 1).effects == ((CHANGES,) if seen else ())


def test_what_is_said_of_a_value() -> None:
    """A value's text has what can change in it: the plain attributes of a class, what an object holds, twice deep."""
    assert purity.described(Tally) == f"{Tally!r} {{'count': {Tally.count}}}"
    assert purity.described(Report) == f"{Report!r} {{}}"
    assert purity.described(int) == "<class 'int'> {}"
    tin = Tin(Box())
    assert purity.described(tin) == f"{tin!r} {{'box': {f'{tin.box!r} ' + str({'inside': '0'})!r}}}"
    outer = Outer()
    assert str(outer.box) in purity.described(outer)
    assert "'held'" in purity.described(outer)
    assert repr(outer.hidden.held) in purity.described(outer)
    assert "'inside'" not in purity.described(outer.hidden)
    assert purity.described(Shy()) != purity.described(Shy())
    shy = Shy()
    assert purity.described(shy) == f"{Shy} at {id(shy)}"
    assert purity.described(OVERFULL) == f"{list} of {len(OVERFULL)} at {id(OVERFULL)}"
    assert purity.described(FULL) == repr(FULL)


# ---------------------------------------------------------------------------------------------------------------
# What a function may read


class Form:
    """A class with fields that are read in several ways."""

    @property
    def whole(self) -> object:
        return self.part_of_whole

    @staticmethod
    def helper(form: Any) -> object:
        return form.by_helper

    @classmethod
    def maker(cls, form: Any) -> object:
        return form.by_maker

    part_of_whole = by_helper = by_maker = by_method = None

    def method(self) -> object:
        return self.by_method


def _by_name(form: Any, name: str = "by_default", *, other: str = "by_keyword") -> object:
    return getattr(form, name) or getattr(form, other)


def _by_property(form: Form) -> object:
    return form.whole


def _by_static(form: Form) -> object:
    return form.helper(form)


def _by_class(form: Form) -> object:
    return Form.maker(form)


def _by_method(form: Form) -> object:
    return form.method()


def _by_module(form: Form) -> object:
    return json.dumps(form)


def _by_inner(form: Any) -> list[object]:
    return [getattr(form, name) for name in ("by_text", "by_words") if (lambda: form.by_lambda)()]


def _by_both(form: Form) -> object:
    return _by_property(form) or _by_static(form)


def _closing(name: str) -> Callable[[Any], object]:
    return lambda form: getattr(form, name)


READS: dict[str, tuple[Any, set[str]]] = {
    "a property": (_by_property, {"whole", "part_of_whole"}),
    "a static method": (_by_static, {"helper", "by_helper"}),
    "a class method": (_by_class, {"maker", "by_maker"}),
    "a method": (_by_method, {"method", "by_method"}),
    "a bound method": (Form().method, {"by_method"}),
    "defaults": (_by_name, {"by_default", "by_keyword", "getattr"}),
    "a closure": (_closing("by_closure"), {"by_closure", "getattr"}),
    "a function of a module": (_by_module, {"json", "dumps", "skipkeys", "ensure_ascii"}),
    "inner functions and texts": (_by_inner, {"by_text", "by_words", "by_lambda"}),
    "two functions": (_by_both, {"part_of_whole", "by_helper"}),
}


@pytest.mark.parametrize(("function", "names"), READS.values(), ids=list(READS))
def test_each_name_that_a_function_may_read_is_listed(function: Any, names: set[str]) -> None:
    """Names are found in what a function calls, names of a class, takes by default, closes over, and writes as text."""
    names_read = mentioned(function, Form)
    assert names_read is not None
    assert names <= names_read


def test_what_refers_to_too_much_may_read_anything() -> None:
    """Past three hundred functions, and where one is in C by its own name, nothing is said."""
    chain: list[Any] = [lambda form: form.first]
    for _ in range(purity.FUNCTIONS - 1):
        chain.append((lambda inner: lambda form: inner(form))(chain[-1]))
    names_read = mentioned(chain[-1], Form)
    assert names_read is not None
    assert "first" in names_read
    assert mentioned((lambda inner: lambda form: inner(form))(chain[-1]), Form) is None
    assert mentioned(7, Form) is None
