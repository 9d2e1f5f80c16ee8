"""Time zones, in which days, months and years are counted and times are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from reportflow.errors import InvalidValue
from reportflow.model.checks import type_problem

_ZERO = timedelta(0)


class MachineZone(tzinfo):
    """The time zone of the machine, whatever it is, with its changes of the clock."""

    def utcoffset(self, time: datetime | None) -> timedelta:
        """By how much the machine's clock is ahead of UTC at a local time; without one, now."""
        return (datetime.now(UTC) if time is None else time.replace(tzinfo=None)).astimezone().utcoffset() or _ZERO

    def dst(self, time: datetime | None) -> None:
        """Not known: the machine tells its offset only."""

    def tzname(self, time: datetime | None) -> str | None:
        """The name of the zone at a local time, as the machine has it."""
        return (datetime.now(UTC) if time is None else time.replace(tzinfo=None)).astimezone().tzname()

    def fromutc(self, time: datetime) -> datetime:
        """A time in UTC, as the machine's clock shows it."""
        shown = time.replace(tzinfo=UTC).astimezone()
        local = shown.replace(tzinfo=self, fold=0)
        # of two hours with one name, when the clock is turned back, it is the later one
        return local if self.utcoffset(local) == shown.utcoffset() else local.replace(fold=1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MachineZone)

    def __hash__(self) -> int:
        return hash(MachineZone)

    def __repr__(self) -> str:
        return "MachineZone()"


def zone_of(given: tzinfo | str | None) -> tzinfo:
    """A time zone of a name such as ``Asia/Shanghai``; that of the machine where none is given.

    Raises:
        InvalidValue: no zone, or no name of one.
    """
    if given is None:
        return MachineZone()
    if isinstance(given, tzinfo):
        return given
    if not isinstance(given, str):
        raise InvalidValue("zone", *type_problem("tzinfo", given))
    from zoneinfo import ZoneInfo  # only a name needs it

    try:
        return ZoneInfo(given)
    except (KeyError, ValueError, OSError):
        raise InvalidValue("zone", "unknown_zone", {"given": given}) from None
