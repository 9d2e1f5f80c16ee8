"""What an act was about, in one phrase: its details by the labels of their fields, or by a phrase of the texts.

A text ``cli.phrase.<trigger>`` or ``cli.phrase.<trigger>.<direction>`` is the phrase of an act; where there is none,
the details are listed by their labels. Ids are shown only by what people call them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, tzinfo
from string import Formatter
from typing import Any

import attrs

from reportflow.i18n.catalog import CHINESE, Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.attachment import Attachment
from reportflow.model.checks import cache_by_class
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.model.values import MARK, PERSON, REFERS, field_names

_OF_ALL = frozenset(field_names(Record))
#: The mark of a field that names a person.
_PERSON = PERSON[MARK]


class Phrases:
    """Writes values and acts for people, in one language and time zone.

    Args:
        catalog: The texts.
        language: The language.
        zone: In which days are counted.
        names: What people call ids, of persons and of records. An id without a name is not shown.
        longest: Of how many characters of a text the beginning is shown; None: all of it.
    """

    def __init__(
        self, catalog: Catalog, language: str, zone: tzinfo, names: Mapping[str, str], *, longest: int | None = None
    ) -> None:
        self._catalog = catalog
        self._language = language
        self._zone = zone
        self._names = names
        self._longest = longest

    def of(self, entry: Entry, lifecycle: Lifecycle, *, without: Collection[str] = ()) -> str:
        """The details of an entry; of a creation, what its draft brought beside what every record has, and no texts.

        Args:
            entry: What happened.
            lifecycle: By which definition.
            without: The fields that are left out.
        """
        details = entry.details
        if details is None or not attrs.has(type(details)):
            return ""
        if isinstance(details, Record):
            brought = lifecycle.accepted(entry.trigger) - _OF_ALL
            names = [name for name in field_names(type(details)) if name in brought and not _is_text(details, name)]
        else:
            names = list(field_names(type(details)))
        facts = {name: "" if name in without else self.field(details, name, lifecycle) for name in names}
        phrase = self._phrase(entry, lifecycle, facts)
        return phrase if phrase is not None else self.listed(facts, lifecycle, entry.trigger)

    def listed(self, facts: Mapping[str, str], lifecycle: Lifecycle, trigger: str = "") -> str:
        """Facts by the labels of their fields, of those of a trigger where it has its own; blank ones are left out."""
        fields = ((self._name_of(name, lifecycle, trigger), fact) for name, fact in facts.items() if fact)
        template = self._catalog.template("phrase.fact", self._language) or "{name}: {given}"
        return self.joined((template.format(name=name, given=fact) for name, fact in fields), "；")

    def _phrase(self, entry: Entry, lifecycle: Lifecycle, facts: Mapping[str, str]) -> str | None:
        """The facts as a phrase of the act's direction, where all that it names are there, else of the act.

        In the phrase of an act, a part between bars is left out where a fact that it names is blank.
        """
        found = lifecycle.row(entry.source, entry.trigger)
        direction = found[0].direction(entry) if found and found[0].direction else ""
        for name, whole in ((f"{entry.trigger}.{direction}", True), (entry.trigger, False)):
            template = self._catalog.template(f"cli.phrase.{name}", self._language)
            if template is None:
                continue
            parts = template.split("|")
            named = [[fact for _, fact, _, _ in Formatter().parse(one) if fact] for one in parts]
            if any(fact not in facts for several in named for fact in several):
                continue  # the phrase of another lifecycle's act of this name
            there = [one for one, several in zip(parts, named, strict=True) if all(facts[fact] for fact in several)]
            if there == parts or not whole:
                return "".join(one.format_map(facts) for one in there).strip("，, ")
        return None

    # -- values ------------------------------------------------------------------------------------------------------

    def field(self, value: Any, name: str, lifecycle: Lifecycle) -> str:
        """What a field of a value holds, as people read it; blank where it holds nothing that is for them."""
        content = getattr(value, name)
        if name in id_fields(type(value)):
            return self._named(content)
        return self.value(name, content, lifecycle)

    def _named(self, content: object) -> str:
        """Ids by what people call them; a number is none."""
        if isinstance(content, int) and not isinstance(content, bool):
            return str(content)
        several = (content,) if isinstance(content, str) else content if isinstance(content, Iterable) else ()
        return self.joined((self._names.get(one, "") for one in several if isinstance(one, str)), "、")

    def value(self, name: str, value: Any, lifecycle: Lifecycle) -> str:
        """A value of a field, as people read it."""
        if value is None or value is False:
            return ""
        if value is True:
            return self.label("word", "yes", lifecycle)
        if isinstance(value, datetime):
            return f"{value.astimezone(self._zone):%Y-%m-%d}"
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, enum.Enum):
            return self.label(type(value).__name__.lower(), value.value, lifecycle)
        if isinstance(value, Mapping):
            return self.joined((f"{key}：{self.value(name, one, lifecycle)}" for key, one in value.items()), "；")
        if isinstance(value, tuple | frozenset | list):
            nested = any(attrs.has(type(one)) for one in value)
            mark = "；" if nested and not all(hasattr(one, "name") for one in value) else "、"
            return self.joined((self.value(name, one, lifecycle) for one in value), mark)
        if attrs.has(type(value)):
            return self._nested(value, lifecycle)
        text = str(value)
        shown = self._names.get(text) or self._word(name, text, lifecycle)  # an id, though its field is not marked
        return shown if self._longest is None or len(shown) <= self._longest else shown[: self._longest - 1] + "…"

    def _nested(self, value: Any, lifecycle: Lifecycle) -> str:
        if isinstance(value, Attachment):
            return value.name
        name, unit = getattr(value, "name", None), getattr(value, "unit", "")
        if isinstance(name, str):
            return f"{name}（{unit}）" if isinstance(unit, str) and unit else name
        return self.joined((self.field(value, one, lifecycle) for one in field_names(type(value))), "，")

    def _word(self, name: str, text: str, lifecycle: Lifecycle) -> str:
        """A text by its label, where a field holds one of the words that people count by."""
        for room in (name, name.removesuffix("s"), "field"):
            if (found := self.label(room, text, lifecycle)) != text:
                return found
        return text

    def _name_of(self, field: str, lifecycle: Lifecycle, trigger: str) -> str:
        """What people call a field of the details of a trigger."""
        own = f"{trigger}.{field}"
        label = self.label("field", own, lifecycle) if trigger else own
        return label if label != own else self.label("field", field, lifecycle)

    def label(self, room: str, name: object, lifecycle: Lifecycle) -> str:
        """What people call a name."""
        return self._catalog.label(room, name, self._language, lifecycle=lifecycle.name, labels=lifecycle.labels)

    def joined(self, parts: Iterable[str], mark: str) -> str:
        """The parts that are not blank, with a mark of Chinese between them, or that of the language for it."""
        other = {"、": ", ", "；": "; ", "，": ", ", "　": " · "}
        return (mark if self._language == CHINESE else other[mark]).join(filter(None, parts))


def _is_text(value: object, name: str) -> bool:
    content = getattr(value, name)
    return isinstance(content, str) and not isinstance(content, enum.Enum)


@cache_by_class
def id_fields(cls: type[Any]) -> frozenset[str]:
    """The fields of a class that hold ids: those that refer to something, and those of persons."""
    persons = (one.name for one in attrs.fields(cls) if one.metadata.get(MARK) == _PERSON or one.name == "assignee")
    return referring(cls).union(persons)


@cache_by_class
def referring(cls: type[Any]) -> frozenset[str]:
    """The fields of a class that hold ids of what is no person, such as records."""
    return frozenset(one.name for one in attrs.fields(cls) if REFERS in one.metadata or one.name == "parent")
