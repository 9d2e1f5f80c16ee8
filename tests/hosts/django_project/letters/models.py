"""Letters, each about a record, and what the project says of itself."""

from __future__ import annotations

from typing import Any, Final

from django.db import models

from reportflow import Actor
from reportflow.hosts.django import user_actor
from reportflow.hosts.django.models import RecordRow
from reportflow.outbox.cloudevents import Message

#: What the relay published.
PUBLISHED: Final[list[str]] = []


class Letter(models.Model):
    """A letter of the host's about a record."""

    about: Any = models.ForeignKey(RecordRow, models.PROTECT, null=True, related_name="letters")
    text: Any = models.TextField()

    def __str__(self) -> str:
        return str(self.text)


class Router:
    """Keeps the tables of reportflow out of one database, and all others in one."""

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        return db == "default" or (db == "reports" and app_label == "reportflow")


def actor_of(user: Any) -> Actor:
    """The actor for a user, whose last name is their unit here."""
    return user_actor(user, unit=user.last_name)


def publish(message: Message) -> None:
    """Take a message."""
    PUBLISHED.append(str(message.id))
