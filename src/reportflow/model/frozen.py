"""A mapping that stays as it was made: what values hold where an annotation says ``Mapping``."""

from __future__ import annotations

from typing import Any, NoReturn, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """An immutable mapping, in the order in which it was given; equal to any mapping with the same items.

    It can be hashed where its items can, pickled and copied: `copy.copy` and `copy.deepcopy` give the mapping itself,
    and its method `copy` a dict. It holds what it is given as that is: a field of a value (`Value`) makes what stands
    inside immutable too. It is made as a dict is, of a mapping, of pairs, or of names.

    Raises:
        TypeError: it was to be changed.
    """

    __slots__ = ()  # a dict underneath, so that reading it costs no more than reading one

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Refused: it cannot be changed. Raises `TypeError`."""
        raise TypeError("a FrozenDict cannot be changed; make a dict of it, change that, and pass it on")

    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse  # pyright: ignore[reportAssignmentType]
    update = _refuse  # pyright: ignore[reportAssignmentType]

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        return f"FrozenDict({super().__repr__()})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
