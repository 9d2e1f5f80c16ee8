"""What was sealed as an entry again: the one place that reads the stored content of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from reportflow.errors import InvalidValue
from reportflow.model.actor import Actor
from reportflow.model.entry import Entry
from reportflow.model.values import field_names, setters
from reportflow.serialization.classes import Classes
from reportflow.serialization.digest import ERASED, Sealed, take_erased
from reportflow.serialization.jsontext import parse_json
from reportflow.serialization.plain import from_plain
from reportflow.serialization.stored import Readers, assembly, load_trusted


def unseal(sealed: Sealed, classes: Classes) -> Entry:
    """The entry that was sealed.

    Raises:
        InvalidValue: its kind, definition or trigger is unknown, or its details are not of that class.
        Exception: the row was altered; of any class.
    """
    assert _assembled is not None, "an entry is plainly built"
    entry: Entry = _assembled(APART, _entry_fields(sealed))
    if sealed.details is not None:
        put_details(entry, sealed.details, classes)
    return entry


def put_details(entry: Entry, text: str, classes: Classes) -> None:
    """Give an entry that was just read, and is nobody else's yet, the details in a stored text, and what it erased.

    Raises:
        InvalidValue: its kind, definition or trigger is unknown, or the details are not of that class.
        Exception: the text was altered; of any class.
    """
    plain = _json_of("details", text)
    if ERASED in plain:
        _put_erased(entry, take_erased(plain))
        if not plain:  # it has no details beside
            return
    kind, version, trigger = entry.kind, entry.lifecycle_version, entry.trigger
    cls = classes.of_details(kind, version, trigger, creation=entry.source is None)
    if cls is None:
        facts = {"expected": "a known kind and trigger", "given": f"{kind} {version} {trigger}"}
        raise InvalidValue("details", "plain", facts)
    _put_details(entry, load_trusted(plain, cls))


def _json_of(name: str, text: str) -> Any:
    try:
        return parse_json(text)
    except (ValueError, TypeError, RecursionError):
        raise InvalidValue(name, "plain", {"expected": "JSON", "given": "another text"}) from None


@lru_cache(maxsize=1024)
def _actor_of(text: str) -> Actor:
    return from_plain(_json_of("actor", text), Actor)


def read_audience(text: str | None) -> frozenset[str] | None:
    """The roles for whom an entry is, as they are stored; None: everybody who sees the record."""
    return None if text is None else frozenset(filter(None, text.split(",")))


#: What is not in the columns of an entry, until its details were read.
APART: Final[Mapping[str, Any]] = {"details": None, "erased": ()}
#: The fields of an entry that stand in what is sealed, and what reads them from there.
_FIELDS: Final = tuple(name for name in field_names(Entry) if name in Sealed._fields and name != "details")
_entry_fields: Final = itemgetter(*map(Sealed._fields.index, _FIELDS))
_READERS: Final[Readers] = {"actor": _actor_of, "audience": read_audience, "details": None, "erased": None}
_assembled: Final = assembly(Entry, _FIELDS, _READERS)
_put_details: Final = setters(Entry)["details"]
_put_erased: Final = setters(Entry)["erased"]
