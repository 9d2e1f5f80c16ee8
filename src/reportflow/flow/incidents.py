"""What an operator watches: retries, conflicts, shared commits, trouble of relays; by a hook and by standard logging.

An `Incident` names records, relays and error codes by id, never a text of a record or a person. It is logged under
``reportflow.flow`` or ``reportflow.outbox``, and handed to the hook that the flow or relay was given as ``observe=``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

_LEVELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shared_commit": "DEBUG",
        "retry": "INFO",
        "unknown_lifecycle": "WARNING",
        "gave_up": "WARNING",
        "lease_lost": "WARNING",
        "broker_unavailable": "WARNING",
        "store_unavailable": "WARNING",
        "dead_letter": "ERROR",
    }
)


@attrs.frozen(kw_only=True)
class Incident:
    """One thing that an operator counts; most of them went wrong, and it says what was done about it.

    Attributes:
        kind: ``retry`` (decided again after a conflict or a lock), ``gave_up`` (the deadline has passed),
            ``dead_letter`` (a message failed too often), ``lease_lost`` (another relay took over),
            ``broker_unavailable``, ``store_unavailable`` (waited for), ``unknown_lifecycle`` (a flow was opened on
            records whose lifecycles it was not given: its lists leave them out), ``shared_commit`` (several callers
            wrote by one COMMIT: nothing went wrong).
        code: The code of the error, such as ``conflict`` or ``storage_busy``; a class name for a publisher's own
            error; ``shared_commit`` for such a one.
        ids: The records concerned; for a relay's message its id.
        trigger: What was to be done; blank where several things were.
        attempt: How often it was tried.
        relay: The relay's name; blank for a flow.
        kinds: Kinds and versions that the flow was not given, each with the number of its records.
        acts: How many calls a shared commit held, those that were refused too.
        conflicts: How many of them were refused by a conflict.
        waited: How long the longest of them had waited when it was answered, in seconds.
    """

    kind: str
    code: str
    ids: tuple[str, ...] = ()
    trigger: str = ""
    attempt: int = 0
    relay: str = ""
    kinds: tuple[tuple[str, int, int], ...] = ()
    acts: int = 0
    conflicts: int = 0
    waited: float = 0.0


#: Takes each incident. What it raises ends the call that had the incident; of a shared commit it is logged.
Observer = Callable[[Incident], object]


def note(incident: Incident, observe: Observer | None = None) -> None:
    """Log an incident, and hand it to the hook."""
    import logging  # a program without trouble need not pay for it

    log = logging.getLogger("reportflow.outbox" if incident.relay else "reportflow.flow")
    given = {name: value for name, value in attrs.asdict(incident).items() if name != "kind" and value}
    log.log(logging.getLevelNamesMapping()[_LEVELS[incident.kind]], "%s %s", incident.kind, given)
    if observe is not None:
        observe(incident)
