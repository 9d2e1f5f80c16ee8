"""What templates show: texts, labels, people, dates and numbers, in one language and time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo

from reportflow.errors import Refusal, ReportflowError
from reportflow.i18n.catalog import CHINESE, ENGLISH, Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Person
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.web.sayings import Sayings

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


class Words:
    """The words of one language.

    Args:
        catalog: The texts.
        language: The language.
        zone: In which times are shown.
        lifecycles: Of the kinds that are shown: kind -> the newest definition.
        now: The time, aware.
        sayings: The texts of the same catalog, language, zone and lifecycles, which many words share.
    """

    def __init__(
        self,
        catalog: Catalog,
        language: str,
        zone: tzinfo,
        lifecycles: Mapping[str, Lifecycle],
        now: datetime,
        sayings: Sayings | None = None,
    ) -> None:
        self.catalog: Catalog = catalog
        self.language: str = language
        self.zone: tzinfo = zone
        self.now: datetime = now.astimezone(zone)
        self._lifecycles = lifecycles
        self._sayings = sayings or Sayings(catalog, language, zone, lifecycles)
        self._renderer = self._sayings.renderer

    @property
    def tag(self) -> str:
        """The language as HTML says it."""
        return "zh-Hans" if self.language == CHINESE else self.language

    # -- texts ---------------------------------------------------------------------------------------------------

    def __call__(self, code: str, **facts: object) -> str:
        """The text of a code of the portal: ``t("find.title")`` is ``portal.find.title`` of the catalog."""
        return self._renderer.text(f"portal.{code}", facts) if facts else self._sayings.text(f"portal.{code}")

    def has(self, code: str) -> bool:
        """Whether there is a text of a code of the portal."""
        return self._renderer.has(f"portal.{code}")

    def own(self, given: str | Mapping[str, str]) -> str:
        """A text of the host's: one for all languages, or one for each."""
        if isinstance(given, str):
            return given
        return given.get(self.language) or given.get(ENGLISH) or next(iter(given.values()), "")

    def label(self, room: str, name: object, kind: str = "") -> str:
        """What people call a name: a state, a trigger, a field, a role, a choice of a field."""
        return self._sayings.label(room, str(getattr(name, "value", name)), kind)

    def known_label(self, room: str, name: object, kind: str = "") -> str:
        """As `label`; blank where there is none, instead of the name itself."""
        found = self.label(room, name, kind)
        return "" if found == str(getattr(name, "value", name)) else found

    def field(self, name: str, kind: str = "", within: str = "") -> str:
        """What people call a field: ``instruct.text``, where a field of an act or a group has its own label, first."""
        own = self.known_label("field", f"{within}.{name}", kind) if within else ""
        return own or self.label("field", name, kind)

    def long_state(self, state: str, kind: str = "") -> str:
        """What a record in a state waits for, at length; its label where there is no other."""
        return self.known_label("state_long", state, kind) or self.label("state", state, kind)

    def describe(self, entry: Entry) -> str:
        """What the history says of an entry."""
        lifecycle = self._lifecycles.get(entry.kind)
        if lifecycle is None:
            return entry.trigger
        return lifecycle.describe(entry, self.language, self.catalog)

    def refusal(self, refusal: Refusal) -> str:
        """Why not."""
        return self._sayings.refusal(refusal)

    def error(self, error: ReportflowError) -> str:
        """What happened and what to do."""
        return error.message(self.language)

    def join(self, texts: Iterable[str], *, alternatives: bool = False) -> str:
        """Several texts as one."""
        return self._renderer.join(texts, alternatives=alternatives)

    # -- people and papers ---------------------------------------------------------------------------------------

    def person(self, someone: Actor | Person | None) -> str:
        """A person by name and post; never by an id alone."""
        if someone is None or not someone.name:
            return self("page.nameless")
        return f"{someone.name} {someone.post}".strip() if self.language != CHINESE else f"{someone.post}{someone.name}"

    def title(self, record: Record) -> str:
        """A record by its title; what has none, by its kind."""
        return record.title or self.label("lifecycle", record.kind, record.kind)

    @property
    def zone_name(self) -> str:
        """The zone in which times are shown, by its difference to UTC today: ``UTC+08:00``, 北京时间."""
        difference = f"{self.now:%z}"
        code = "page.zone_beijing" if difference == "+0800" else "page.zone_name"
        return self(code, difference=f"{difference[:3]}:{difference[3:5]}")

    # -- times and numbers ---------------------------------------------------------------------------------------

    def local(self, time: datetime) -> datetime:
        """A time in the zone."""
        try:
            return time.astimezone(self.zone)
        except OverflowError:
            return time.astimezone(UTC)

    def day(self, time: datetime | date | None) -> str:
        """A date in a sentence: 2022年4月27日, 27 April 2022."""
        if time is None:
            return ""
        one = self.local(time) if isinstance(time, datetime) else time
        if self.language == CHINESE:
            return f"{one.year}年{one.month}月{one.day}日"
        return f"{one.day} {_MONTHS[one.month - 1]} {one.year}"

    def date(self, time: datetime | date | None) -> str:
        """A date in a table: 2022-04-27."""
        if time is None:
            return ""
        one = self.local(time) if isinstance(time, datetime) else time
        return f"{one.year:04}-{one.month:02}-{one.day:02}"

    def time(self, time: datetime | None) -> str:
        """A date and a time in a table: 2022-04-27 14:20."""
        return "" if time is None else f"{self.date(time)} {self.local(time):%H:%M}"

    def clock(self, time: datetime) -> str:
        """The time of day: 14:20."""
        return f"{self.local(time):%H:%M}"

    def iso(self, time: datetime | None) -> str:
        """A time as HTML's ``datetime`` has it."""
        return "" if time is None else self.local(time).isoformat(timespec="seconds")

    def days_since(self, time: datetime) -> int:
        """How many days of the calendar have begun since."""
        return (self.now.date() - self.local(time).date()).days

    def days_late(self, due: datetime | None) -> int:
        """How many days of the calendar have begun since a due date; below 1 where it is not over."""
        if due is None or due > self.now:
            return min(0, self.days_since(due)) if due is not None else -10_000
        return max(1, self.days_since(due))

    def number(self, number: int | float) -> str:
        """A number, with its thousands apart."""
        return f"{number:,}"

    def percent(self, share: float | None) -> str:
        """A share: 63%, 63.0% where it is not whole."""
        if share is None:
            return ""
        return f"{share * 100:.1f}".removesuffix(".0") + "%"

    def size(self, size: int) -> str:
        """The size of a file, in kB or MB."""
        return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"
