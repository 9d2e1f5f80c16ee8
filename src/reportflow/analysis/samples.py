"""A few values of each annotation, simplest first: what a bounded search tries, and what a strategy shrinks towards."""

from __future__ import annotations

import enum
import itertools
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal, TypeVar, Union

import attrs

from reportflow.errors import Unbuildable
from reportflow.model.annotations import UnsupportedType, check, spelt_out

#: When everything begins.
START: Final = datetime(2022, 1, 3, 9, tzinfo=UTC)
#: Ids of people. A text may name one of them, as a field that a guard compares with the actor does.
PEOPLE: Final = ("ana", "bo", "cy")
#: Their units.
UNITS: Final = ("north", "south")

#: Instances of classes whose annotations do not say enough; no others of these are made.
Given = Mapping[type[Any], Sequence[Any]]

#: How many ways to fill the fields of a class are tried.
_TRIES: Final = 400
#: How many instances of a class are made.
_LIMIT: Final = 40
_DAYS: Final = (0, 1, 7, 60, 400, -1)

_SCALARS: Final[Mapping[Any, tuple[object, ...]]] = {
    str: ("text", "", *PEOPLE, "文本"),
    bool: (False, True),
    int: (1, 0, 2, 10, 100, 10_000, 10_000_000, -1),
    float: (1.0, 0.0, 0.5, 100.0, 1e6, -1.0),
    date: tuple(START.date() + timedelta(days=days) for days in _DAYS),
    datetime: tuple(START + timedelta(days=days) for days in _DAYS),
    type(None): (None,),
    Any: (None, "text", 1),
    object: (None, "text", 1),
}
#: By name, as in `checks`: importing them takes time that a program without them need not spend.
_BY_NAME: Final[Mapping[str, tuple[str, ...]]] = {
    "decimal.Decimal": ("1", "0", "0.01", "100", "10000", "10000000", "-1"),
    "uuid.UUID": ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"),
}


def samples(kind: Any, given: Given | None = None) -> tuple[Any, ...]:
    """A few values of an annotation, simplest first.

    Raises:
        UnsupportedType: an annotation that no store could keep.
        Unbuildable: an attrs class of which no instance could be made.
    """
    return _Maker(given or {}).samples(kind)


def instances(
    cls: type[Any], given: Given | None = None, *, limit: int = _LIMIT, leave: frozenset[str] = frozenset()
) -> tuple[Any, ...]:
    """Instances of an attrs class: the plainest, then those that differ from it in one field, in two, and so on.

    Where `given` has some of the class, these alone. Each may be kept: it passes `check`. The fields named by `leave`
    have their defaults.

    Raises:
        Unbuildable: none could be made; it says why the plainest was refused.
    """
    return _Maker(given or {}).instances(cls, limit, leave)


def annotated(cls: type[Any]) -> list[tuple[attrs.Attribute[Any], Any]]:
    """The fields of an attrs class, each with its annotation.

    Raises:
        Unbuildable: an annotation names what cannot be found.
    """
    try:
        hints = typing.get_type_hints(cls)
    except NameError as error:
        raise Unbuildable(cls.__name__, str(error)) from error
    return [(field, hints.get(field.name, Any)) for field in attrs.fields(cls)]


class _Maker:
    """Makes samples. A class whose fields are being filled is not gone into again: it holds itself."""

    def __init__(self, given: Given, within: frozenset[type[Any]] = frozenset()) -> None:
        self._given = given
        self._within = within

    def samples(self, kind: Any) -> tuple[Any, ...]:
        kind = spelt_out(kind)
        if kind in _SCALARS:
            return _SCALARS[kind]
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is None:
            return self._of_class(kind)
        if origin is typing.Annotated:
            return self.samples(arguments[0])
        if origin in (Union, types.UnionType):
            return self._of_union(arguments)
        if origin is Literal:
            return arguments
        if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
            return tuple(itertools.islice(nearest([self.samples(one) for one in arguments]), 12))
        if origin in (tuple, frozenset, list, set):
            some = self._or_none(arguments[0])
            return tuple(origin(some[:number]) for number in range(min(len(some), 2) + 1))
        if isinstance(origin, type) and issubclass(origin, Mapping):
            keys, some = self.samples(arguments[0]), self._or_none(arguments[1])
            return tuple(dict(zip(keys, some[:number], strict=False)) for number in range(min(len(some), 1) + 1))
        raise UnsupportedType(f"no values of {kind} are known")

    def _of_union(self, kinds: Sequence[Any]) -> tuple[Any, ...]:
        """The values of each kind in turn, None first; beside None, a kind that cannot be made may be missing."""
        rest = [kind for kind in kinds if kind is not type(None)]
        if len(rest) == len(kinds):
            return tuple(_in_turn(*map(self.samples, rest)))
        return tuple(_in_turn((None,), *map(self._or_none, rest)))

    def _or_none(self, kind: Any) -> tuple[Any, ...]:
        """The values of a kind that is not needed: none where no instance can be made."""
        try:
            return self.samples(kind)
        except Unbuildable:
            return ()

    def _of_class(self, kind: Any) -> tuple[Any, ...]:
        texts = _BY_NAME.get(f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}")
        if texts is not None:
            return tuple(kind(text) for text in texts)
        if isinstance(kind, TypeVar):
            return _SCALARS[object]
        if isinstance(kind, type) and issubclass(kind, enum.Enum) and len(kind):
            return tuple(kind)
        if isinstance(kind, type) and attrs.has(kind):
            return self.instances(kind, _LIMIT, frozenset())
        raise UnsupportedType(f"no values of {kind!r} are known")

    def instances(self, cls: type[Any], limit: int, leave: frozenset[str]) -> tuple[Any, ...]:
        if self._given.get(cls):
            return tuple(self._given[cls])[:limit]
        if cls in self._within:
            raise Unbuildable(cls.__name__, "it holds itself")
        inner = _Maker(self._given, self._within | {cls})
        try:
            pools = {
                field.alias or field.name: inner._of_field(field, kind)
                for field, kind in annotated(cls)
                if field.init and field.name not in leave
            }
        except TypeError as error:  # UnsupportedType, or a set of what cannot be hashed
            raise Unbuildable(cls.__name__, str(error)) from error
        refused: list[Exception] = []
        plainest = next(_made(cls, pools, refused), None)
        if plainest is None:
            raise Unbuildable(cls.__name__, f"{type(refused[0]).__name__}: {refused[0]}")
        # what varies from here on is what may vary: a field that must not be empty is filled first
        for name, chosen in plainest[0].items():
            pools[name] = (chosen, *(one for one in pools[name] if one is not chosen))
        return tuple(made for _, made in itertools.islice(_made(cls, pools, refused), limit))

    def _of_field(self, field: attrs.Attribute[Any], kind: Any) -> tuple[Any, ...]:
        """The samples of a field: its default first, and alone where nothing else can be made."""
        default = field.default
        if default is attrs.NOTHING:
            return self.samples(kind)
        try:
            others = [one for one in self.samples(kind) if type(one) is not type(default) or one != default]
        except (TypeError, Unbuildable):
            others = []
        return (attrs.NOTHING, *others)


def _made(
    cls: type[Any], pools: Mapping[str, Sequence[Any]], refused: list[Exception]
) -> Iterator[tuple[dict[str, Any], Any]]:
    """How the fields are filled, with the instance, wherever the class takes it and it may be kept."""
    for values in itertools.islice(nearest(list(pools.values())), _TRIES):
        filled = dict(zip(pools, values, strict=True))
        try:
            made = cls(**{name: one for name, one in filled.items() if one is not attrs.NOTHING})
            check(made)
        except Exception as error:  # any error of a host's converter or validator
            refused.append(error)
        else:
            yield filled, made


def nearest(pools: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """One value of each pool: the first of all, then with one other (each pool in turn), with two others, and so on."""
    first = [pool[0] for pool in pools]
    for others in range(len(pools) + 1):
        several = itertools.combinations(range(len(pools)), others)
        ways = (
            [zip(places, chosen, strict=True) for chosen in itertools.product(*(pools[one][1:] for one in places))]
            for places in several
        )
        for changes in _in_turn(*ways) if others == 1 else itertools.chain.from_iterable(ways):
            values = list(first)
            for place, value in changes:
                values[place] = value
            yield tuple(values)


def _in_turn(*pools: Sequence[Any]) -> Iterator[Any]:
    """The first of each pool, then the second of each, and so on."""
    for values in itertools.zip_longest(*pools, fillvalue=attrs.NOTHING):
        yield from (value for value in values if value is not attrs.NOTHING)
