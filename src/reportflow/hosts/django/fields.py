"""How the columns of the tables look to Django's models: texts compared by code point, native times, JSON.

A time is stored as a text in UTC of one width. Compared with a time it stays one, so that an index serves; a part of
it, such as the year, the engine takes of a time that it makes of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from reportflow.model.query import NEVER
from reportflow.model.values import time_text

if TYPE_CHECKING:  # the stubs are generic, the classes are not
    _CharField = models.CharField[Any, Any]
    _DateTimeField = models.DateTimeField[Any, Any]
else:
    _CharField, _DateTimeField = models.CharField, models.DateTimeField

#: Engine -> the collation by which a text is compared by code point.
_COLLATIONS: Final = {"postgresql": "C", "mysql": "utf8mb4_nopad_bin"}


class ExactTextField(_CharField):
    """A short text, compared by code point: a column of the host's that refers to it gets the same collation."""

    def db_parameters(self, connection: Any) -> Any:
        """The type of the column, with its collation."""
        return {**super().db_parameters(connection), "collation": _COLLATIONS.get(connection.vendor)}


class _OfStored(models.Func):
    """What the engine makes of a stored text, by a template of its own."""

    templates: ClassVar[dict[str, str]]

    def as_sql(self, compiler: Any, connection: Any, *arguments: Any, **options: Any) -> Any:
        """See `Func.as_sql`."""
        template = self.templates.get(connection.vendor, "%(expressions)s")
        return super().as_sql(compiler, connection, *arguments, **{**options, "template": template})


class _AsDue(_OfStored):
    """A stored time, NULL where it is the word for no due date."""

    template = f"NULLIF(%(expressions)s, '{NEVER}')"
    templates: ClassVar = dict.fromkeys(("sqlite", "postgresql", "mysql"), template)


class _AsTime(_OfStored):
    """A time of the engine's own, of a stored one."""

    output_field: Any = models.DateTimeField()
    templates: ClassVar = {
        "sqlite": f"REPLACE(SUBSTR({_AsDue.template}, 1, 26), 'T', ' ')",
        "postgresql": f"({_AsDue.template})::timestamptz",
        "mysql": f"CAST(REPLACE(LEFT({_AsDue.template}, 26), 'T', ' ') AS DATETIME(6))",
    }


class _AsJSON(_OfStored):
    """JSON of the engine's own, of a stored text."""

    output_field: Any = models.JSONField()
    templates: ClassVar = {"postgresql": "(%(expressions)s)::jsonb"}


def _on(kind: type[_OfStored], made: Any) -> Any:
    """A lookup or transform that is applied to what the engine makes of the column; None of None."""
    return made and (lambda column, *others: made(kind(column), *others))


class StoredTimeField(_DateTimeField):
    """A time, stored as text in UTC: aware, or naive in a project with ``USE_TZ = False``."""

    def get_internal_type(self) -> str:
        """What the column is: Django's converters of times are not for it."""
        return "CharField"

    def db_type(self, connection: Any) -> str:
        """The type of the column."""
        return "varchar(32)"

    def from_db_value(self, value: Any, *_: Any) -> Any:
        """The time of a stored text; what is none stays as it is."""
        if not isinstance(value, str):
            return value
        if value == NEVER:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return value
        return found if settings.USE_TZ else timezone.make_naive(found)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The text of a time."""
        value = value if prepared else self.get_prep_value(value)
        if not isinstance(value, datetime):
            return value
        return time_text(value if value.tzinfo is not None else timezone.make_aware(value))

    def get_transform(self, lookup_name: str) -> Any:
        """A part of a time, such as ``year`` or ``date``."""
        return _on(_AsTime, _DateTimeField().get_transform(lookup_name))


class DueTimeField(StoredTimeField):
    """A due date, stored as text in UTC, with a word where there is none that sorts behind all times."""

    def get_lookup(self, lookup_name: str) -> Any:
        """A comparison; where there is no due date, none holds but ``isnull``."""
        found: Callable[..., Any] | None = super().get_lookup(lookup_name)
        return _on(_AsDue, found) if lookup_name in ("gt", "gte", "isnull") else found


class StoredJSONField(models.JSONField):
    """JSON, stored as text."""

    def db_type(self, connection: Any) -> str:
        """The type of the column."""
        return "text"

    def get_transform(self, name: str) -> Any:
        """What stands under a key."""
        return _on(_AsJSON, super().get_transform(name))
