"""The work that is measured, by the public calls of reportflow."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from reportflow import Actor, ReportFlow
from reportflow.office import REPORT, Adoption, Author, Report, Revision

#: How many requests a `run` commits at once.
CHUNK: Final[int] = inspect.signature(ReportFlow.run).parameters["chunk"].default
#: Each sample of single acts does its work on all of them.
RECORDS: Final = 100

EDITOR: Final = Actor(id="li", name="Li", roles={"editor"}, unit="office")
REVIEWER: Final = Actor(id="wang", name="Wang", roles={"reviewer"}, unit="office")
REGISTRAR: Final = Actor(id="chen", name="Chen", roles={"registrar"}, unit="office")

TITLE: Final = "Repair the pavement"
TEXT: Final = "The pavement in front of the school has been broken since spring. " * 15


#: The lifecycle of reports, with a creation that accepts an id, so that two stores can hold the same rows.
OFFICE: Final = attrs.evolve(
    REPORT,
    transitions=[
        row if row.accepts is None else attrs.evolve(row, accepts={*row.accepts, "id"}) for row in REPORT.transitions
    ],
)


class Ticks:
    """A clock that gives the same times in each run, so that two stores can hold the same rows."""

    def __init__(self) -> None:
        self._time = datetime(2022, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """A millisecond later than the time before."""
        self._time += timedelta(milliseconds=1)
        return self._time


def draft(id: str) -> Report:
    """A report of one page."""
    return Report(id=id, title=TITLE, text=TEXT, authors=[Author(name="Zhang", id="zhang")], topics=["transport"])


def adoption() -> Adoption:
    """The details of an adoption."""
    return Adoption(body="City Committee", level="city", carrier="The Gazette")


def ids(number: int = RECORDS) -> list[str]:
    """The ids of the records that exist before the measuring."""
    return [f"report-{one}" for one in range(number)]


def adopted(flow: ReportFlow, names: Iterable[str]) -> list[Report]:
    """Reports that can be adopted again and again."""
    found: list[Report] = []
    for name in names:
        report = flow.create(draft(name), by=EDITOR)
        report = flow.fire(report, "edit", Revision(text=TEXT, title=f"{TITLE}, edited"), by=EDITOR)
        report = flow.fire(report, "review", by=REVIEWER)
        found.append(flow.fire(report, "adopt", adoption(), by=REGISTRAR))
    return found


class Ours:
    """Acts by the public calls of a flow."""

    def __init__(self, flow: ReportFlow, records: Sequence[Report]) -> None:
        self._flow = flow
        self._records = list(records)
        self._made = 0

    def fire_snapshot(self, number: int) -> None:
        """Adopt a snapshot of the record."""
        self._records[number] = self._flow.fire(self._records[number], "adopt", adoption(), by=REGISTRAR)

    def read(self) -> None:
        """Have all records in hand by reading them."""
        self._records = [self._flow.get(record.id, by=REGISTRAR, type=Report) for record in self._records]

    def fire_by_id(self, number: int) -> None:
        """Adopt the record of an id."""
        self._records[number] = self._flow.fire(
            self._records[number].id, "adopt", adoption(), by=REGISTRAR, type=Report
        )

    def create(self, _: int) -> None:
        """Create a report."""
        self._made += 1
        self._flow.create(draft(f"new-{self._made}"), by=EDITOR)

    def close(self) -> None:
        """Close the flow."""
        self._flow.close()
