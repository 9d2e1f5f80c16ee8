"""Texts of one language that are put together once: those that the tables decide, and those of the same facts.

Whatever a text depends on is part of what it is kept by, so that nobody is shown a text of other facts; and only so
many are kept, since some facts are of people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from reportflow.errors import Refusal
from reportflow.i18n.catalog import NO_LABELS, Catalog, Renderer
from reportflow.lifecycle.definition import Lifecycle

#: How many texts of each sort are kept.
_KEPT: Final = 4096
_NO_FACTS: Final[Mapping[str, object]] = MappingProxyType({})


class Sayings:
    """The texts of one language.

    Args:
        catalog: The texts.
        language: The language.
        zone: In which times are shown.
        lifecycles: Of the kinds that are shown: kind -> the newest definition.

    Attributes:
        renderer: Writes them.
        text: The text of a code without facts.
        label: What people call a name, of a room and of a kind, which may be blank.
    """

    def __init__(self, catalog: Catalog, language: str, zone: tzinfo, lifecycles: Mapping[str, Lifecycle]) -> None:
        self.renderer: Renderer = Renderer(catalog, language, zone=zone)
        self._lifecycles = lifecycles
        self.text: Callable[[str], str] = lru_cache(_KEPT)(self._text)
        self.label: Callable[[str, str, str], str] = lru_cache(_KEPT)(self._label)
        self._refusals: Callable[[_RefusalFacts], str] = lru_cache(_KEPT)(self._refusal)

    def refusal(self, refusal: Refusal) -> str:
        """Why not."""
        facts = _RefusalFacts(refusal)
        return self._refusals(facts) if facts.are_texts else self._refusal(facts)

    def _text(self, code: str) -> str:
        return self.renderer.text(code, _NO_FACTS)

    def _label(self, room: str, name: str, kind: str) -> str:
        lifecycle = self._lifecycles.get(kind)
        labels = lifecycle.labels if lifecycle else NO_LABELS
        return self.renderer.catalog.label(room, name, self.renderer.language, lifecycle=kind or None, labels=labels)

    def _refusal(self, facts: _RefusalFacts) -> str:
        return facts.refusal.text(self.renderer.language, catalog=self.renderer.catalog)


class _RefusalFacts:
    """All that the text of a refusal depends on: equal where that is.

    Attributes:
        refusal: The refusal.
        are_texts: Whether its facts are texts, of which those that are equal read the same.
    """

    __slots__ = ("_hash", "_key", "are_texts", "refusal")

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self.are_texts = all(type(one) is str or _are_texts(one) for one in refusal.params.values())
        self._key = (
            refusal.code,
            tuple(refusal.params.items()),
            tuple(refusal.people.items()),
            tuple(refusal.texts.items()),
            id(refusal.labels),  # no other one has it while this refusal is kept
        )
        self._hash = hash(self._key) if self.are_texts else 0

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _RefusalFacts) and self._key == other._key


def _are_texts(value: object) -> bool:
    return type(value) is tuple and all(type(one) is str for one in value)
