"""Models of the tables, to look at and filter. They are not Django's to make or change, and write nothing.

They show *all* that is stored, secrecy and audiences or not: `visible_to` is what one reader may see. Writing is up to
a flow, which keeps record and history together.
"""

from __future__ import annotations

from typing import Any, Never

from django.db import NotSupportedError, models
from django.db.models.expressions import RawSQL

from reportflow.hosts.django.configuration import configuration
from reportflow.hosts.django.fields import DueTimeField, ExactTextField, StoredJSONField, StoredTimeField
from reportflow.hosts.django.opening import flow
from reportflow.hosts.django.texts import lazy_text, text
from reportflow.model.actor import Actor
from reportflow.model.query import Query
from reportflow.storage.base import Of


class ReadOnlyQuerySet(models.QuerySet[Any, Any]):
    """A query that is not written through."""

    def _refuse(self, *_: Any, **__: Any) -> Never:
        raise NotSupportedError(text("read_only", model=self.model.__name__))

    bulk_create: Any = _refuse
    bulk_update: Any = _refuse
    create: Any = _refuse
    delete: Any = _refuse
    get_or_create: Any = _refuse
    update: Any = _refuse
    update_or_create: Any = _refuse


class VisibleRows(ReadOnlyQuerySet):
    """A query for records, or for entries."""

    def visible_to(self, actor: Actor, query: Query | None = None) -> VisibleRows:
        """Those of them that an actor may see, as `ReportFlow.find` and `ReportFlow.count` see them.

        Args:
            actor: Who asks.
            query: What else they must be; its order, limit and cursor do not matter.

        Raises:
            InvalidValue: a name that no definition has.
        """
        of: Of = "records" if self.model is RecordRow else "entries"
        visible = flow(self.db).visible(Query() if query is None else query, by=actor, of=of)
        return self.filter(pk__in=RawSQL(*visible.as_sql()))


class _ReadOnly:
    """A row that is not written."""

    def _refuse(self, *_: Any, **__: Any) -> Never:
        raise NotSupportedError(text("read_only", model=type(self).__name__))

    save: Any = _refuse
    delete: Any = _refuse


def _options(table: str, one: str, many: str) -> type:
    """The options of a model that is not Django's to make."""
    found = {
        "managed": False,
        "db_table": configuration().prefix + table,
        "verbose_name": lazy_text(one),
        "verbose_name_plural": lazy_text(many),
    }
    return type("Meta", (), found)


class RecordRow(_ReadOnly, models.Model):
    """A record as it is: the row of the table ``record``.

    ``data`` holds the class and the fields that have no column, ``secrecy`` the value of a `Secrecy`.
    """

    id: Any = ExactTextField(primary_key=True, max_length=255)
    kind: Any = ExactTextField(lazy_text("kind"), max_length=100)
    state: Any = ExactTextField(lazy_text("state"), max_length=100)
    version: models.IntegerField[int, int] = models.IntegerField()
    head: Any = ExactTextField(max_length=64)
    lifecycle_version: models.IntegerField[int, int] = models.IntegerField()
    unit: Any = ExactTextField(max_length=255)
    parent: Any = ExactTextField(max_length=255, null=True)
    title: models.TextField[str, str] = models.TextField(lazy_text("title"))
    category: Any = ExactTextField(max_length=255)
    assignee: Any = ExactTextField(max_length=255, null=True)
    due_at: Any = DueTimeField(lazy_text("due"), null=True)
    secrecy: Any = ExactTextField(max_length=100)
    created_by: Any = ExactTextField(max_length=255)
    created_for: Any = ExactTextField(max_length=255, null=True)
    created_at: Any = StoredTimeField(lazy_text("created"))
    updated_at: Any = StoredTimeField(lazy_text("changed"))
    text: models.TextField[str | None, str | None] = models.TextField(null=True)
    data: Any = StoredJSONField()

    objects: Any = VisibleRows.as_manager()
    Meta: Any = _options("record", "record", "records")

    def __str__(self) -> str:
        return self.title


class EntryRow(_ReadOnly, models.Model):
    """One thing that happened to a record: a row of the table ``entry``."""

    id: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    record: models.ForeignKey[RecordRow, RecordRow] = models.ForeignKey(
        RecordRow, models.DO_NOTHING, related_name="entries", db_constraint=False
    )
    record_id: str
    sequence: models.IntegerField[int, int] = models.IntegerField()
    position: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)
    kind: Any = ExactTextField(lazy_text("kind"), max_length=100)
    lifecycle_version: models.IntegerField[int, int] = models.IntegerField()
    trigger: Any = ExactTextField(lazy_text("act"), max_length=100)
    source: Any = ExactTextField(max_length=100, null=True)
    dest: Any = ExactTextField(max_length=100)
    actor_id: Any = ExactTextField(lazy_text("who"), max_length=255)
    at: Any = StoredTimeField(lazy_text("when"))
    recorded_at: Any = StoredTimeField()
    cause: Any = ExactTextField(max_length=300, null=True)
    key: Any = ExactTextField(max_length=255, null=True)
    secrecy: Any = ExactTextField(max_length=100)
    audience: models.TextField[str | None, str | None] = models.TextField(null=True)
    level: Any = ExactTextField(max_length=255, null=True)
    code: Any = ExactTextField(max_length=255, null=True)
    party: Any = ExactTextField(max_length=255, null=True)
    retracts: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    actor: Any = StoredJSONField()
    reason: models.TextField[str, str] = models.TextField(lazy_text("reason"))
    details: Any = StoredJSONField(null=True)
    digest: Any = ExactTextField(max_length=64)

    objects: Any = VisibleRows.as_manager()
    Meta: Any = _options("entry", "entry", "entries")

    def __str__(self) -> str:
        return f"{self.record_id}@{self.sequence}"


class LabelRow(_ReadOnly, models.Model):
    """What a record has several of: a row of the table ``label``, named ``author`` or ``topic``."""

    pk: Any = models.CompositePrimaryKey("record_id", "name", "value")
    record: models.ForeignKey[RecordRow, RecordRow] = models.ForeignKey(
        RecordRow, models.DO_NOTHING, related_name="labels", db_constraint=False
    )
    record_id: str
    name: Any = ExactTextField(max_length=100)
    value: Any = ExactTextField(max_length=255)

    objects: Any = ReadOnlyQuerySet.as_manager()
    Meta: Any = _options("label", "label", "labels")

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
