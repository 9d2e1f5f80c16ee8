"""What was asked under an idempotency key."""

from __future__ import annotations

from typing import NamedTuple

from reportflow.flow.requests import Request
from reportflow.model.record import Record


class UsedKey(NamedTuple):
    """A used idempotency key: the request, and its result."""

    request: Request
    record: Record
