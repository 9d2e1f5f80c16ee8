"""Codes that people read and type by their labels, in fields that take any text: topics, categories.

A record keeps the code, so that one list counts it in every language; what has no label is kept as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterable

from reportflow.lifecycle.definition import Lifecycle
from reportflow.web.words import Words


def rooms_of(field: str) -> tuple[str, ...]:
    """The rooms of the catalog in which the values of a field have their labels: ``topics``, ``topic``."""
    return tuple(dict.fromkeys((field, field.removesuffix("s"))))


def code_of(text: str, field: str, t: Words, lifecycles: Iterable[Lifecycle]) -> str:
    """The code that has a text as its label, in the reader's language first; the text itself where none has."""
    found = {label: code for code, label in reversed(_labels(field, t, lifecycles))}
    return found.get(text.strip().casefold(), text)


def label_of(code: str, field: str, t: Words, lifecycles: Iterable[Lifecycle]) -> str:
    """The label of a code, where it leads back to it; else the code."""
    several = tuple(lifecycles)
    for one in several:
        for room in rooms_of(field):
            label = t.known_label(room, code, one.name)
            if label and code_of(label, field, t, several) == code:
                return label
    return code


def _labels(field: str, t: Words, lifecycles: Iterable[Lifecycle]) -> list[tuple[str, str]]:
    """Each code with each of its labels, those of the reader's language first."""
    catalog, found = t.catalog, []
    languages = sorted(catalog.languages(), key=lambda one: (one != t.language, one))
    several = tuple(lifecycles)
    for language in languages:
        codes = sorted(catalog.codes(language))
        for one in several:
            for room in rooms_of(field):
                for start in (f"{one.name}.{room}.", f"{room}."):
                    names = [code.removeprefix(start) for code in (*one.labels, *codes) if code.startswith(start)]
                    found += [
                        (name, catalog.label(room, name, language, lifecycle=one.name, labels=one.labels).casefold())
                        for name in names
                    ]
    return found
