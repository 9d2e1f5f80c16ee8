"""Texts, times, and values of any annotation that may be kept: the plainest first, then the full range."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, Literal, TypeVar, Union

import attrs
import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from reportflow.analysis import samples
from reportflow.errors import InvalidValue, Unbuildable
from reportflow.lifecycle.table import Transition
from reportflow.model.actor import Secrecy
from reportflow.model.annotations import UnsupportedType, check, spelt_out
from reportflow.model.attachment import Attachment
from reportflow.model.checks import is_blank, type_problem

T = TypeVar("T")

_SCRIPTS: Final = (
    "完善校园安全防控体系的建议",
    "𠮷 😀👩‍👩‍👧‍👦",
    "مرحبا بالعالم",
    "שלום",
    "e\u0301 É ß",
    " \t\r\n",
    "'\"\\%_;--",
)
_ZONES: Final = (UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=9, minutes=30)))
#: How many of a collection: enough for one and several, few enough for classes that hold others of their own.
_MOST: Final = 3
#: How many fields of an instance are changed at most.
_CHANGES: Final = 4
#: How many values of a registered strategy are drawn to search with.
_EXAMPLES: Final = 20
#: What Hypothesis warns of: a slow host is not a wrong one.
HEALTH_CHECKS: Final = [HealthCheck(one) for one in HealthCheck]


def texts(*, min_size: int = 0, max_size: int = 20) -> SearchStrategy[str]:
    """Texts that may be kept: all but NUL and lone surrogates, with Chinese, emoji and right-to-left among them."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    mixed = st.lists(letters | st.sampled_from(_SCRIPTS), min_size=min_size, max_size=max_size)
    return mixed.map("".join)


def names() -> SearchStrategy[str]:
    """Texts that are not blank."""
    return texts(min_size=1, max_size=8).filter(lambda text: not is_blank(text))


def times(
    least: datetime = datetime(1970, 1, 1, tzinfo=UTC), most: datetime = datetime(2100, 1, 1, tzinfo=UTC)
) -> SearchStrategy[datetime]:
    """Aware times between two others, to the microsecond, in several zones."""
    span = most - least
    return st.builds(
        lambda part, zone: (least + part).astimezone(zone),
        st.timedeltas(min_value=timedelta(0), max_value=span),
        st.sampled_from(_ZONES),
    )


def secrecies() -> SearchStrategy[Secrecy]:
    """The levels of secrecy."""
    return st.sampled_from(Secrecy)


# ---------------------------------------------------------------------------------------------------------------
# Strategies that a user registers for a class whose annotations do not say enough

_REGISTERED: Final[dict[type[Any], SearchStrategy[Any]]] = {}
#: Some values of each registered class, for the searches that draw nothing.
_GIVEN: Final[dict[type[Any], tuple[Any, ...]]] = {}
_BUILT: Final[dict[tuple[type[Any], frozenset[str]], SearchStrategy[Any]]] = {}
_PLAIN: Final[dict[tuple[type[Any], frozenset[str]], tuple[Any, ...]]] = {}
#: What was found out with all these.
_REMEMBERED: Final[dict[Hashable, Any]] = {}


def register(cls: type[Any], strategy: SearchStrategy[Any]) -> None:
    """Say how instances of a class are made, wherever the kit needs one; for a record class, its drafts.

    Registering again replaces what was said before. Some values are drawn at once, to search with: so register where
    the class is defined, not inside of a test that is given values itself.

    Raises:
        InvalidValue: not a class, not a strategy, or one that gives something else.
        Unbuildable: the strategy gives nothing.
    """
    if not isinstance(cls, type):
        raise InvalidValue("cls", *type_problem("class", cls))
    if not isinstance(strategy, SearchStrategy):
        raise InvalidValue("strategy", *type_problem("SearchStrategy", strategy))
    try:
        found = examples(strategy, _EXAMPLES)
    except (Unsatisfiable, InvalidArgument) as error:
        raise Unbuildable(cls.__name__, f"{type(error).__name__}: {error}") from error
    for value in found:
        if not isinstance(value, cls):
            raise InvalidValue("strategy", *type_problem(cls.__name__, value))
    _REGISTERED[cls] = strategy
    _GIVEN[cls] = found
    _BUILT.clear()
    _PLAIN.clear()
    _REMEMBERED.clear()


def remembered(key: Hashable, find: Callable[[], T]) -> T:
    """What was found out under a key, or is now: it holds until another strategy is registered."""
    if key not in _REMEMBERED:
        _REMEMBERED[key] = find()
    found: T = _REMEMBERED[key]
    return found


def examples(strategy: SearchStrategy[Any], number: int) -> tuple[Any, ...]:
    """Some values of a strategy, the same each time.

    Raises:
        HypothesisException: it gives none.
    """
    found: list[Any] = []

    @hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=number,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=HEALTH_CHECKS,
    )
    @hypothesis.given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return tuple(found)


def given() -> dict[type[Any], tuple[Any, ...]]:
    """Some values of each registered class, as `check(…, samples=…)` takes them."""
    return dict(_GIVEN)


# -- values of an annotation ------------------------------------------------------------------------------------


def of(kind: Any) -> SearchStrategy[Any]:
    """Values of any annotation that may be kept: the few plain ones of `samples` first, then the full range.

    Raises:
        UnsupportedType: an annotation that no store could keep.
        Unbuildable: an attrs class of which no instance could be made.
    """
    kind = spelt_out(kind)
    if isinstance(kind, type) and (kind in _REGISTERED or attrs.has(kind)):
        return _built(kind)
    wide = _WIDE.get(kind)
    if wide is None and isinstance(kind, type):
        wide = _WIDE_BY_NAME.get(f"{kind.__module__}.{kind.__qualname__}")
    if wide is not None:
        return st.sampled_from(samples.samples(kind)) | wide
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return of(arguments[0])
    if origin in (Union, types.UnionType):
        return _one_of(arguments)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return st.tuples(*(of(one) for one in arguments))
    if origin in (tuple, list):
        return st.lists(of(arguments[0]), max_size=_MOST).map(origin)
    if origin is frozenset:
        return st.frozensets(of(arguments[0]), max_size=_MOST)
    if origin is set:
        return st.sets(of(arguments[0]), max_size=_MOST)
    if origin is not Literal and isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=_MOST)
    return st.sampled_from(samples.samples(kind))


_ANYTHING: Final = st.none() | texts() | st.integers()
_WIDE: Final[Mapping[Any, SearchStrategy[Any]]] = {
    str: texts(),
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    date: st.dates(),
    datetime: times(datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)),
    Any: _ANYTHING,
    object: _ANYTHING,
}
_WIDE_BY_NAME: Final[Mapping[str, SearchStrategy[Any]]] = {
    "decimal.Decimal": st.decimals(allow_nan=False, allow_infinity=False),
    "uuid.UUID": st.uuids(),
}


def _one_of(kinds: Collection[Any]) -> SearchStrategy[Any]:
    """None first; an alternative of which nothing can be made is left out, unless it is the last."""
    found: list[SearchStrategy[Any]] = [st.none()] if type(None) in kinds else []
    refused: Unbuildable | None = None
    for kind in kinds:
        if kind is not type(None):
            try:
                found.append(of(kind))
            except Unbuildable as error:
                refused = error
    if refused is not None and not found:
        raise refused
    return st.one_of(found)


def _built(cls: type[Any], leave: frozenset[str] = frozenset()) -> SearchStrategy[Any]:
    """Instances of a class, some fields left as they are by default."""
    if cls in _REGISTERED:
        return _REGISTERED[cls]
    key = (cls, leave)
    if key not in _BUILT:
        plain = plain_instances(cls, leave)
        # a class may hold others of its own
        _BUILT[key] = st.deferred(lambda: _varied(_Class(cls, plain, _fields(cls, leave))))
    return _BUILT[key]


def _fields(cls: type[Any], leave: frozenset[str]) -> dict[str, SearchStrategy[Any]]:
    """What each field may be; a field that has a default and of which nothing can be made is left alone."""
    found: dict[str, SearchStrategy[Any]] = {}
    for field, kind in samples.annotated(cls):
        if field.init and field.name not in leave:
            try:
                found[field.alias or field.name] = of(kind)
            except (UnsupportedType, Unbuildable):
                if field.default is attrs.NOTHING:
                    raise
    return found


class _Class:
    """How a class is filled; its short `repr` is what a failure shows of the strategy."""

    def __init__(self, cls: type[Any], plain: tuple[Any, ...], fields: Mapping[str, SearchStrategy[Any]]) -> None:
        self.cls = cls
        # an instance that differs from the plainest in fields only is left to `_varied`, which shrinks field by field
        far = [one for one in plain[1:] if not _near(plain[0], one)]
        self.plain = st.sampled_from([plain[0], *far])
        # name and value together, so that shrinking takes out both
        each = [st.tuples(st.just(name), fields[name]) for name in fields]
        some = st.lists(st.one_of(each), max_size=_CHANGES if each else 0)
        # mostly some: the plainest instance is one of many, not every third one
        self.changes = some | st.lists(st.one_of(each), min_size=1, max_size=_CHANGES) if each else some

    def __repr__(self) -> str:
        return self.cls.__name__


def _near(plainest: Any, other: Any) -> bool:
    """Whether one instance becomes another by changing a field at a time, in the order of the class or backward."""
    fields = [field for field in attrs.fields(type(plainest)) if field.init]
    for order in (fields, fields[::-1]):
        made = plainest
        try:
            for field in order:
                made = attrs.evolve(made, **{field.alias or field.name: getattr(other, field.name)})
        except Exception:  # whatever a converter or validator of the host's class raises: it refuses the value
            continue
        if made == other:
            return True
    return False


@st.composite
def _varied(draw: st.DrawFn, how: _Class) -> Any:
    """One of some plain instances, with fields changed where the class takes that: nothing is ever thrown away."""
    made = draw(how.plain)
    for name, value in draw(how.changes):
        try:
            changed = attrs.evolve(made, **{name: value})
            check(changed)
        except Exception:  # whatever a converter or validator of the host's class raises: it refuses the value
            continue
        made = changed
    return made


def details(of_what: Transition | type[Any] | None) -> SearchStrategy[Any]:
    """Details as a transition, or a class, wants them; None for a transition without details.

    Any attrs class will do. What its converters, validators and checks refuse is not drawn.

    Raises:
        Unbuildable: nothing that was tried is an instance: `register` a strategy for the class.
        InvalidValue: not a transition, nor an attrs class.
    """
    cls = of_what.details if isinstance(of_what, Transition) else of_what
    if cls is None:
        return st.none()
    if not isinstance(cls, type) or not (cls in _REGISTERED or attrs.has(cls)):
        raise InvalidValue("details", *type_problem("attrs class", cls))
    return _built(cls)


def plain_instances(cls: type[Any], leave: frozenset[str] = frozenset()) -> tuple[Any, ...]:
    """A few instances of a class, the plainest first, some fields left as they are by default; nothing is drawn.

    Raises:
        Unbuildable: nothing that was tried is an instance: `register` a strategy for the class.
    """
    key = (cls, leave)
    if key not in _PLAIN:
        _PLAIN[key] = samples.instances(cls, _GIVEN, leave=leave)
    return _PLAIN[key]


def instances(cls: type[Any], leave: frozenset[str]) -> SearchStrategy[Any]:
    """Instances of an attrs class, some fields left as they are by default.

    Raises:
        Unbuildable: nothing that was tried is an instance: `register` a strategy for the class.
    """
    return _built(cls, leave)


register(
    Attachment,
    st.builds(
        Attachment,
        name=st.sampled_from(("plan.pdf", "附件.docx")) | names(),
        media_type=st.sampled_from(("application/pdf", "")),
        size=st.integers(0, 1 << 40),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
)
