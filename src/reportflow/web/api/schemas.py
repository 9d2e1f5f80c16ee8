"""The schemas of the API's document: those of the classes of each kind as components, and those of answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reportflow.i18n.catalog import Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.serialization.parse import TIME
from reportflow.serialization.problem import PROBLEM_JSON
from reportflow.serialization.schema import schema

_REF: Final = "#/components/schemas/"
TEXT: Final = {"type": "string"}
NUMBER: Final = {"type": "integer"}
FLAG: Final = {"type": "boolean"}
AT: Final = {"type": ["string", "null"], "format": "date-time", "pattern": TIME}
#: A text that can be stored.
STORED: Final = {"type": "string", "pattern": "^[^\\u0000]*$"}
#: A text of which something is seen.
SEEN: Final = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"}


def reference(name: str) -> dict[str, Any]:
    """A reference to a component."""
    return {"$ref": _REF + name}


def listed(item: Mapping[str, Any]) -> dict[str, Any]:
    """Any number of one thing."""
    return {"type": "array", "items": item}


def whole(**properties: Any) -> dict[str, Any]:
    """An object that has all of some properties; a ``_`` at the end of a name is no part of it."""
    named = {name.removesuffix("_"): one for name, one in properties.items()}
    return {"type": "object", "properties": named, "required": list(named)}


def one_of(several: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One of several schemas, each of them once."""
    found: list[Any] = []
    for one in several:
        if one not in found:
            found.append(one)
    return dict(found[0]) if len(found) == 1 else {"anyOf": found}


def _or_null(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "type": [one["type"], "null"]}


_REFUSAL: Final = whole(code=TEXT, message=TEXT, params={"type": "object"})
_NAMED: Final = {"name": TEXT, "label": TEXT}
_COUNT: Final = {"type": "integer", "minimum": 0}
#: What answers are made of, apart from the classes of the kinds.
ANSWERS: Final[Mapping[str, Any]] = {
    "Problem": {
        "type": "object",
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": NUMBER,
            "detail": TEXT,
            "refusals": listed(_REFUSAL),
            "errors": listed(whole(pointer=TEXT, code=TEXT, message=TEXT, params={"type": "object"})),
        },
        "required": ["type", "title", "status"],
    },
    "Option": whole(
        trigger=TEXT,
        label=TEXT,
        allowed=FLAG,
        refusals=listed(_REFUSAL),
        reason_required=FLAG,
        schema={"type": ["object", "null"]},
    ),
    "Changes": whole(from_=NUMBER, to=NUMBER, changes=listed(whole(field=TEXT, label=TEXT, from_={}, to={}))),
    "Kind": whole(kind=TEXT, label=TEXT, version=NUMBER),
    "Table": whole(
        kind=TEXT,
        label=TEXT,
        version=NUMBER,
        states=listed(whole(**_NAMED, final=FLAG, awaits=listed(TEXT))),
        roles=listed(whole(**_NAMED, reaches=TEXT)),
        rows=listed(
            whole(
                **_NAMED,
                sources=listed(TEXT),
                creates=FLAG,
                dests=listed(TEXT),
                roles=listed(TEXT),
                reason_required=FLAG,
            )
        ),
    ),
    "Counts": whole(
        of=TEXT,
        group=listed(TEXT),
        counts=listed(whole(group=listed({"type": ["string", "integer", "null"]}), number=_COUNT)),
    ),
    "Figures": whole(
        year=NUMBER,
        kinds=listed(
            whole(
                kind=TEXT,
                label=TEXT,
                figures=listed(
                    whole(
                        **_NAMED,
                        number=_COUNT,
                        unit={"enum": ["records", "entries"]},
                        share_of=_or_null(TEXT),
                        share={"type": ["number", "null"]},
                    )
                ),
                breakdowns=listed(
                    whole(**_NAMED, of=TEXT, values=listed(whole(name=_or_null(TEXT), label=TEXT, number=_COUNT)))
                ),
                triggers=listed(whole(**_NAMED, records=_COUNT, entries=_COUNT)),
                states=listed(whole(**_NAMED, records=_COUNT)),
            )
        ),
    ),
    "People": whole(people=listed(whole(id=TEXT, name=TEXT, post=TEXT, unit=TEXT))),
    "Feed": whole(items=listed(whole(position=TEXT, entry=reference("Entry"))), after=_or_null(TEXT)),
}
PROBLEMS: Final[Mapping[str, Any]] = {
    status: {"description": text, "content": {PROBLEM_JSON: {"schema": reference("Problem")}}}
    for status, text in {"4XX": "Not done; why not (RFC 9457)", "5XX": "Not available; try again (RFC 9457)"}.items()
}


class Components:
    """The schemas that a document refers to, each under a name of its own.

    Those of a kind's classes have its labels, and begin with its name: two kinds may have classes of one name, or the
    same class under other labels.

    Args:
        language: Of the titles.
        catalog: Has the labels that the definitions do not give.
    """

    def __init__(self, language: str, catalog: Catalog) -> None:
        self.schemas: dict[str, Any] = dict(ANSWERS)
        self._language = language
        self._catalog = catalog
        self._known: dict[object, str] = {}

    def of(self, cls: type[Any], lifecycle: Lifecycle | None = None, **options: Any) -> dict[str, Any]:
        """The schema of a class; those that it refers to become components.

        Raises:
            InvalidDefinition: a field is of no type that JSON can say.
        """
        first = "" if lifecycle is None else f"{plain_name(lifecycle.name)}."
        place = 1
        while True:
            ref = f"{_REF}{first}" + "{name}" + ("" if place == 1 else f".{place}")
            written = schema(
                cls, self._language, lifecycle=lifecycle, catalog=self._catalog, ref_template=ref, **options
            )
            written.pop("$schema")
            named = {
                ref.removeprefix(_REF).replace("{name}", name): one for name, one in written.pop("$defs", {}).items()
            }
            if all(self.schemas.get(name, one) == one for name, one in named.items()):
                self.schemas.update(named)
                return written
            place += 1  # other classes have these names

    def referred(self, cls: type[Any], lifecycle: Lifecycle | None = None) -> dict[str, Any]:
        """A reference to a class that is a component itself."""
        key = cls, None if lifecycle is None else lifecycle.name
        if key not in self._known:
            written = self.of(cls, lifecycle)
            first = "" if lifecycle is None else f"{plain_name(lifecycle.name)}."
            self._known[key] = self.put(f"{first}{cls.__name__}", written)
        return reference(self._known[key])

    def put(self, name: str, written: dict[str, Any]) -> str:
        """Give a schema a name, and say which one it has."""
        chosen, place = name, 1
        while self.schemas.get(chosen, written) != written:
            place += 1
            chosen = f"{name}.{place}"
        self.schemas[chosen] = written
        return chosen


def plain_name(name: str) -> str:
    """A name as the name of a component: what OpenAPI does not take there is written by its number."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"_{ord(found[0]):x}", name)
