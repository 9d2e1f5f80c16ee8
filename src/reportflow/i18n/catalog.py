"""The texts that people read, looked up by code, language and reader.

A `Catalog` is immutable: a host that adds a language or its own words gets another catalog, and hands it to its flow.
Nothing is registered for the process, so two hosts in one process cannot change each other's texts.

A code is ``room.name``: ``refusal.role``, ``value.blank``, ``error.stale_record``. A template is filled by
`str.format` with the facts of the refusal or error. There are two readers: a ``clerk``, who works at a desk, and a
``developer``, who reads a traceback. Where both need different words, the developer's stand under
``room.name@developer``.

What people call a state, a trigger, a role, a field is a label: ``label("state", "draft")``. Labels are looked up in
the lifecycle's own table first, then in the catalog under ``report.state.draft``, then under ``state.draft``; a name
that has no label is shown as it is. Texts for developers show the names themselves. A missing language falls back to
English, a missing code to its bare name: a missing translation must never hide a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

ENGLISH: Final = "en"
CHINESE: Final = "zh"

#: Who reads a text.
Reader = Literal["clerk", "developer"]
CLERK: Final = "clerk"
DEVELOPER: Final = "developer"
#: What a lifecycle calls its own states and triggers: ``state.asked`` -> language -> label.
Labels = Mapping[str, Mapping[str, str]]
NO_LABELS: Final[Labels] = {}  # a plain dict, as all labels are: refusals carry them through pickles

#: Facts that are names with a label: fact -> room.
_LABELLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "state": "state",
        "states": "state",
        "source": "state",
        "dest": "state",
        "trigger": "trigger",
        "triggers": "trigger",
        "role": "role",
        "roles": "role",
        "held": "role",
        "elsewhere": "role",
        "secrecy": "secrecy",
        "clearance": "secrecy",
        "field": "field",
        "brought": "field",
        "accepted": "field",
        "expected": "word",
        "given": "word",
        "found": "word",
        "effect": "effect",
        "scope": "scope",
    }
)
#: Rooms that are no names of a definition.
_PLAIN_WORDS: Final = frozenset({"word", "effect", "scope"})
#: Facts of which one is enough: the last two are joined by "or".
_ALTERNATIVES: Final = frozenset({"roles", "choices", "states"})


class Catalog:
    """Texts by code and language; immutable, picklable, safe for threads.

    Args:
        texts: language -> code -> template.
    """

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts: Mapping[str, Mapping[str, str]] = MappingProxyType(
            {language: MappingProxyType(dict(templates)) for language, templates in texts.items()}
        )

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self is STANDARD:
            return "STANDARD"
        return Catalog, ({language: dict(templates) for language, templates in self._texts.items()},)

    def with_texts(self, texts: Mapping[str, Mapping[str, str]]) -> Catalog:
        """Another catalog, with texts added or replaced: ``{"state.draft": {"fr": "brouillon"}}``."""
        merged = {language: dict(templates) for language, templates in self._texts.items()}
        for code, by_language in texts.items():
            for language, template in by_language.items():
                merged.setdefault(language, {})[code] = template
        return Catalog(merged)

    def codes(self, language: str = ENGLISH) -> frozenset[str]:
        """All codes that a language has."""
        return frozenset(self._texts.get(language, ()))

    def languages(self) -> frozenset[str]:
        """All languages."""
        return frozenset(self._texts)

    def template(self, code: str, language: str = ENGLISH, reader: Reader = CLERK) -> str | None:
        """The template of a code: in the language, else in English; None where there is none."""
        for templates in (self._texts.get(language), self._texts.get(ENGLISH)):
            if templates is not None:
                if reader == DEVELOPER and (found := templates.get(f"{code}@{DEVELOPER}")) is not None:
                    return found
                if (found := templates.get(code)) is not None:
                    return found
        return None

    def text(
        self,
        code: str,
        language: str = ENGLISH,
        facts: Mapping[str, object] = MappingProxyType({}),
        *,
        reader: Reader = CLERK,
        labels: Labels = NO_LABELS,
    ) -> str:
        """The text of a code, filled with its facts; the code and the facts themselves where there is none."""
        return Renderer(self, language, reader, labels).text(code, facts)

    def label(
        self, room: str, name: object, language: str = ENGLISH, *, lifecycle: object = None, labels: Labels = NO_LABELS
    ) -> str:
        """What people call a name: ``label("level", "city", "zh")`` is ``市级``; else the name itself."""
        own = labels.get(f"{room}.{name}")
        if own:
            found = own.get(language) or own.get(ENGLISH)
            if found:
                return found
        return (
            self.template(f"{lifecycle}.{room}.{name}", language)
            or self.template(f"{room}.{name}", language)
            or str(name)
        )


class Renderer(NamedTuple):
    """A catalog for one language and one reader, with the labels of one lifecycle: it writes out errors.

    Times are shown in its zone.
    """

    catalog: Catalog
    language: str = ENGLISH
    reader: Reader = CLERK
    labels: Labels = NO_LABELS
    zone: tzinfo = UTC

    def with_labels(self, labels: Labels) -> Renderer:
        """The same for another lifecycle."""
        return self._replace(labels=labels) if labels else self

    def text(self, code: str, facts: Mapping[str, object] = MappingProxyType({})) -> str:
        """The text of a code, filled with its facts; the code and the facts themselves where there is none."""
        template = self.catalog.template(code, self.language, self.reader)
        if template is None:
            return f"{code} {dict(facts)}" if facts else code
        return self.fill(template, facts)

    def has(self, code: str) -> bool:
        """Whether there is a text of a code."""
        return self.catalog.template(code, self.language, self.reader) is not None

    def label(self, room: str, name: object, lifecycle: object = None) -> str:
        """What people call a name."""
        return self.catalog.label(room, name, self.language, lifecycle=lifecycle, labels=self.labels)

    def fill(self, template: str, facts: Mapping[str, object]) -> str:
        """One template filled; names of states, triggers, roles and fields by their labels."""
        filled = {name: self._fact(name, value, facts) for name, value in facts.items()}
        filled.setdefault("this", self.label("word", "this", facts.get("lifecycle")))  # "This report", "此件"
        try:
            return template.format_map(_Lenient(filled))
        except (ValueError, LookupError, AttributeError):
            return template  # a host's text with a stray brace still says most of it

    def join(self, texts: Iterable[str], *, alternatives: bool = False) -> str:
        """Several texts as one: "a, b and so on"; the last of alternatives with "or"."""
        several = list(texts)
        comma, last = ("、", "或") if self.language == CHINESE else (", ", " or ")
        if not several:
            return self.label("word", "none")
        if alternatives and len(several) > 1:
            return comma.join(several[:-1]) + last + several[-1]
        return comma.join(several)

    def _fact(self, fact: str, value: object, facts: Mapping[str, object]) -> str:
        # what a program writes is not labelled for developers: they search for "province" and "edited_by"
        room = facts.get("room") if fact == "choices" else _LABELLED.get(fact)
        if self.reader == DEVELOPER and room not in _PLAIN_WORDS:
            room = None
        lifecycle = facts.get("lifecycle")
        shown = printable if self.reader == DEVELOPER else str  # what stands in a traceback comes to a terminal
        if isinstance(value, datetime) and value.tzinfo is not None:
            with suppress(OverflowError):  # so near to the end of all time, its own zone will do
                value = value.astimezone(self.zone)
        if isinstance(value, str) or not isinstance(value, Iterable):
            return shown(self.label(str(room), value, lifecycle) if room else str(value))
        several = [shown(self.label(str(room), one, lifecycle) if room else str(one)) for one in value]
        return self.join(several, alternatives=fact in _ALTERNATIVES)


class _Lenient(dict[str, str]):
    """A fact that is missing shows its name, so that a wrong template still says the rest."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def printable(text: str) -> str:
    """A text as a terminal or a log can show it: what is not printed, but obeyed or unseen, is written as an escape.

    Such are control characters, and the marks that turn a text round; the ends of lines stay, and wide spaces.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(one: str) -> str:
    return one if one.isprintable() or one in "\n\t\u3000" else one.encode("unicode_escape").decode("ascii")


def by_code(rooms: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Texts written room by room, as one mapping of codes."""
    return {f"{room}.{name}": text for room, names in rooms.items() for name, text in names.items()}


class _Standard(Catalog):
    """The texts of this library: imported when the first one is wanted."""

    __slots__ = ()

    def __init__(self) -> None:
        pass  # `_texts` is still missing: see `__getattr__`

    def __getattr__(self, name: str) -> Any:
        if name != "_texts":
            raise AttributeError(f"'Catalog' object has no attribute '{name}'")
        from reportflow.i18n import en, portal_en, portal_zh, zh

        english, chinese = {**en.TEXTS, **portal_en.TEXTS}, {**zh.TEXTS, **portal_zh.TEXTS}
        super().__init__({ENGLISH: by_code(english), CHINESE: by_code(chinese)})
        return self._texts


#: The texts of this library.
STANDARD: Final[Catalog] = _Standard()
