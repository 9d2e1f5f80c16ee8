"""The office's own tables: who sits in which unit, and the letters that reports came with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from reportflow.hosts.django.models import RecordRow


class Clerk(models.Model):
    """What the office knows of an account beside its groups."""

    user: Any = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="clerk")
    unit: Any = models.CharField(max_length=100)
    clearance: Any = models.CharField(max_length=20, default="internal")

    def __str__(self) -> str:
        return f"{self.user} ({self.unit})"


class Letter(models.Model):
    """The letter that a report came with."""

    report: Any = models.ForeignKey(RecordRow, models.PROTECT, related_name="letters")
    number: Any = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return str(self.number)
