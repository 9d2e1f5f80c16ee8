"""Version 1 of the tables, and the models that show them: these are not Django's to make."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models

from reportflow.hosts.django.configuration import configuration
from reportflow.hosts.django.fields import DueTimeField, ExactTextField, StoredJSONField, StoredTimeField
from reportflow.hosts.django.tables import MakeTables


def _shown(model: str, table: str, many: str, /, **fields: Any) -> migrations.CreateModel:
    """A model that shows a table."""
    options = {
        "managed": False,
        "db_table": configuration().prefix + table,
        "verbose_name": table,
        "verbose_name_plural": many,
    }
    return migrations.CreateModel(model, list(fields.items()), options)


def _word(length: int = 255, **options: Any) -> Any:
    return ExactTextField(max_length=length, **options)


def _record(related_name: str) -> Any:
    return models.ForeignKey("reportflow.recordrow", models.DO_NOTHING, related_name=related_name, db_constraint=False)


class Migration(migrations.Migration):
    """Makes the tables."""

    initial: ClassVar[Any] = True
    dependencies: ClassVar[Any] = ()
    operations: ClassVar[Any] = (
        MakeTables(),
        _shown(
            "RecordRow",
            "record",
            "records",
            id=_word(primary_key=True, serialize=False),
            kind=_word(100),
            state=_word(100),
            version=models.IntegerField(),
            head=_word(64),
            lifecycle_version=models.IntegerField(),
            unit=_word(),
            parent=_word(null=True),
            title=models.TextField(),
            category=_word(),
            assignee=_word(null=True),
            due_at=DueTimeField(null=True),
            secrecy=_word(100),
            created_by=_word(),
            created_for=_word(null=True),
            created_at=StoredTimeField(),
            updated_at=StoredTimeField(),
            text=models.TextField(null=True),
            data=StoredJSONField(),
        ),
        _shown(
            "EntryRow",
            "entry",
            "entries",
            id=models.BigAutoField(primary_key=True, serialize=False),
            record=_record("entries"),
            sequence=models.IntegerField(),
            position=models.BigIntegerField(null=True),
            kind=_word(100),
            lifecycle_version=models.IntegerField(),
            trigger=_word(100),
            source=_word(100, null=True),
            dest=_word(100),
            actor_id=_word(),
            at=StoredTimeField(),
            recorded_at=StoredTimeField(),
            cause=_word(300, null=True),
            key=_word(null=True),
            secrecy=_word(100),
            audience=models.TextField(null=True),
            level=_word(null=True),
            code=_word(null=True),
            party=_word(null=True),
            retracts=models.IntegerField(null=True),
            actor=StoredJSONField(),
            reason=models.TextField(),
            details=StoredJSONField(null=True),
            digest=_word(64),
        ),
        _shown(
            "LabelRow",
            "label",
            "labels",
            pk=models.CompositePrimaryKey("record_id", "name", "value", editable=False, serialize=False),
            record=_record("labels"),
            name=_word(100),
            value=_word(),
        ),
    )
