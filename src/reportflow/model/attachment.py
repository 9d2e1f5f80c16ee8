"""A file that belongs to a record, and where in a value such files are named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from reportflow.errors import InvalidValue, pointer_of
from reportflow.model.values import Value, field_names, limits, not_blank


def _size(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, int) and value < 0:
        raise InvalidValue(attribute.name, "negative", {"given": value})


def _digest(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, str) and not is_digest(value):
        raise InvalidValue(attribute.name, "digest", {"given": repr(value)[:80]})


@attrs.frozen(kw_only=True)
class Attachment(Value):
    """A file that belongs to a record. The digest says which bytes it has; a `Files` keeps them, or the host itself.

    Attributes:
        name: The file's name.
        media_type: Such as ``application/pdf``.
        size: In bytes.
        sha256: The digest of its bytes, 64 hexadecimal digits.
    """

    name: str = attrs.field(validator=not_blank)
    media_type: str
    size: int = attrs.field(validator=_size, metadata=limits(minimum=0))
    sha256: str = attrs.field(validator=_digest, metadata=limits(pattern="^[0-9a-f]{64}$"))


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 digest: 64 hexadecimal digits, in lower case."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def attachments_in(value: object, path: str = "") -> Iterator[tuple[str, Attachment]]:
    """The attachments that a value names, at any depth, each with its place as a JSON pointer (RFC 6901)."""
    if isinstance(value, Attachment):
        yield path, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from attachments_in(one, path + pointer_of(key))
    elif isinstance(value, tuple | list | frozenset | set):
        for place, one in enumerate(value):
            yield from attachments_in(one, f"{path}/{place}")
    elif attrs.has(type(value)):
        for name in field_names(type(value)):
            yield from attachments_in(getattr(value, name), f"{path}/{name}")
