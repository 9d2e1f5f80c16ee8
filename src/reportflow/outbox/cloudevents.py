"""An entry as the message that is published: a CloudEvents 1.0 event in structured JSON."""

from __future__ import annotations

from typing import Final

import attrs

from reportflow.errors import MissingExtra
from reportflow.model.entry import Entry
from reportflow.serialization.plain import to_plain

#: The content type of the event's data.
_DATA: Final = "application/json"


@attrs.frozen(kw_only=True)
class Message:
    """The argument of a publisher: one entry, ready to be sent.

    Attributes:
        id: The entry's `ref`. It is the same at each try, so that a broker or a reader can drop duplicates.
        subject: The id of the record.
        type: ``reportflow.<kind of the record>.<trigger>``.
        content_type: The content type of `body`: ``application/cloudevents+json``.
        body: The whole event, in UTF-8.
        entry: The entry itself.
    """

    id: str
    subject: str
    type: str
    content_type: str
    body: bytes
    entry: Entry


def check_installed() -> None:
    """Check that events can be written.

    Raises:
        MissingExtra: the package `cloudevents` is not installed.
    """
    try:
        import cloudevents.core  # noqa: F401  # only whether it is installed matters
    except ImportError as error:
        raise MissingExtra("cloudevents", "reportflow[relay]") from error


def make_message(entry: Entry, kind: str, source: str) -> Message:
    """The message of an entry of a record of some kind.

    The event's `data` is ``{"kind": …, "entry": …}``; `serialization.plain.from_plain` makes an `Entry` of the latter.
    Its `sequence`, an extension of CloudEvents, sorts as text in the order of the record's history.

    Args:
        entry: The entry.
        kind: The kind of its record.
        source: The `source` of the event, a URI reference.
    """
    from cloudevents.core.bindings.http import to_structured_event
    from cloudevents.core.v1.event import CloudEvent

    type = f"reportflow.{kind}.{entry.trigger}"
    attributes = {
        "id": entry.ref,
        "source": source,
        "type": type,
        "subject": entry.record_id,
        "time": entry.recorded_at,
        "datacontenttype": _DATA,
        "sequence": f"{entry.sequence:010}",
    }
    event = CloudEvent(attributes, {"kind": kind, "entry": to_plain(entry)})
    structured = to_structured_event(event)
    return Message(
        id=entry.ref,
        subject=entry.record_id,
        type=type,
        content_type=structured.headers["content-type"],
        body=structured.body,
        entry=entry,
    )
