"""A mapping that stays as it was made: what values hold where an annotation says ``Mapping``."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, NoReturn, Self, TypeVar

K = TypeVar("K")
V_co = TypeVar("V_co", covariant=True)


class FrozenDict(Mapping[K, V_co]):
    """An immutable mapping, in the order in which it was given; equal to any mapping with the same items.

    It can be hashed where its items can, pickled and copied; a copy is the mapping itself. It holds what it is given
    as that is: a field of a value (`Value`) makes what stands inside immutable too.

    Args:
        items: A mapping, or pairs of a key and an item.
    """

    __slots__ = ("_hash", "_items")
    _items: dict[K, V_co]
    _hash: int | None

    def __init__(self, items: Mapping[K, V_co] | Iterable[tuple[K, V_co]] = ()) -> None:
        object.__setattr__(self, "_items", dict(items))
        object.__setattr__(self, "_hash", None)

    def __getitem__(self, key: K) -> V_co:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    # as a dict gives them, which is several times faster than what `Mapping` makes of the methods above

    def get(self, key: Any, default: Any = None) -> Any:
        """The item of a key, or the default."""
        return self._items.get(key, default)

    def keys(self) -> KeysView[K]:
        """The keys, in order."""
        return self._items.keys()

    def values(self) -> ValuesView[V_co]:
        """The items, in order."""
        return self._items.values()

    def items(self) -> ItemsView[K, V_co]:
        """Pairs of a key and its item, in order."""
        return self._items.items()

    def __reversed__(self) -> Iterator[K]:
        return reversed(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenDict):
            return self._items == other._items
        return self._items == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(frozenset(self._items.items())))
        assert self._hash is not None
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenDict({self._items!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a FrozenDict cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a FrozenDict cannot be changed: {name}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self._items),)  # the hash of a text differs from process to process
