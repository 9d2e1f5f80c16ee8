"""What other programs are sent: here a line of a log, elsewhere a message to a broker."""

from __future__ import annotations

import logging

from reportflow.outbox.cloudevents import Message

_log = logging.getLogger(__name__)


def publish(message: Message) -> None:
    """Publish one entry; what returns is published, what raises is tried again."""
    _log.warning("%s %s", message.type, message.id)
