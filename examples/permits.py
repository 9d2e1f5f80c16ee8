"""A lifecycle of one's own, made from the log of a municipality's permits, and the whole log replayed through it.

    python examples/permits.py receipt.csv.gz --database sqlite:///permits.db

The log says which activity followed which. So a case's state is its last activity, each activity is a trigger, and a
row of the table leads to it from all activities that it ever followed: an order that is not in the log is refused.
States in which a case of the log ended are final. Then each case's history, as the store gives it, must equal
the file: activity, resource, time and task, in order.

The log: receipt phase of an environmental permit application process (CoSeLoG), J.C.A.M. Buijs, 4TU.ResearchData.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import attrs

from reportflow import (
    ANY,
    Actor,
    AlreadyExists,
    Create,
    Details,
    Entry,
    Fire,
    Lifecycle,
    Record,
    ReportFlow,
    ReportflowError,
    State,
    Transition,
    TransitionRefused,
    open_flow,
)

FILE = "receipt.csv.gz"
READER = Actor(id="reader", roles={"reader"})


@attrs.frozen(kw_only=True)
class PermitTask(Details):
    """One event of the log, beside the actor, trigger and time of every entry."""

    instance: str
    group: str


@attrs.frozen(kw_only=True)
class PermitCase(Record):
    """A case: the case's own fields in the log, and its last task.

    The case's deadline is the `due_at` that every record has.
    """

    channel: str
    department: str
    group: str
    responsible: str
    started_at: datetime
    planned_end: datetime
    ended_at: datetime | None
    task: PermitTask


@attrs.frozen
class Event:
    """The event of a line of the file; the line itself is not compared."""

    activity: str
    resource: str
    at: datetime
    task: PermitTask
    line: Mapping[str, str] = attrs.field(factory=dict, eq=False, repr=False)

    @property
    def actor(self) -> Actor:
        """The resource as an actor."""
        return Actor(id=self.resource, roles={"clerk"})


#: What a draft brings from the log: the case's own id too.
FROM_THE_LOG = {
    "id", "due_at", "channel", "department", "group", "responsible", "started_at", "planned_end", "ended_at", "task",
}  # fmt: skip

Cases = Mapping[str, Sequence[Event]]  # case -> its events, oldest first


def read_cases(path: Path) -> Cases:
    """All cases of the file, or of the file in a folder."""
    cases: dict[str, list[Event]] = {}
    with gzip.open(path / FILE if path.is_dir() else path, "rt", encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            at = datetime.fromisoformat(line["time:timestamp"])
            task = PermitTask(instance=line["concept:instance"], group=line["org:group"])
            event = Event(line["concept:name"], line["org:resource"], at, task, line)
            cases.setdefault(line["case:concept:name"], []).append(event)
    for events in cases.values():
        events.sort(key=lambda event: event.at)  # stable: equal times stay in the file's order
    return cases


def make_lifecycle(cases: Cases) -> Lifecycle:
    """The table of the log.

    Raises:
        ValueError: the cases begin with different activities; a flow creates a kind of record in one way.
    """
    first = {events[0].activity for events in cases.values()}
    last = {events[-1].activity for events in cases.values()}
    if len(first) != 1:
        raise ValueError(f"the cases begin in {len(first)} ways: {', '.join(sorted(first))}")
    follows: dict[str, set[str]] = {}
    for events in cases.values():
        for before, after in pairwise(event.activity for event in events):
            follows.setdefault(after, set()).add(before)
    activities = sorted(first | set(follows))
    return Lifecycle(
        name="permit",
        version=1,
        record=PermitCase,
        roles={"clerk": ANY, "reader": ANY},
        states=[State(activity, final=activity in last, awaits={"clerk"}) for activity in activities],
        transitions=[
            *(Transition(one, source=None, dest=one, roles={"clerk"}, accepts=FROM_THE_LOG) for one in first),
            *(
                Transition(
                    after,
                    source=before,
                    dest=after,
                    roles={"clerk"},
                    details=PermitTask,
                    sets={"task": lambda record, entry: entry.details},
                )
                for after, before in sorted(follows.items())
            ),
        ],
    )


def acts_of(case: str, events: Sequence[Event]) -> Iterable[Create | Fire]:
    """A case's events: the first creates the record, each later one is an act on it."""
    first, *rest = events
    about = first.line
    draft = PermitCase.draft(
        id=case,
        due_at=datetime.fromisoformat(about["case:deadline"]),
        channel=about["case:channel"],
        department=about["case:department"],
        group=about["case:group"],
        responsible=about["case:responsible"],
        started_at=datetime.fromisoformat(about["case:startdate"]),
        planned_end=datetime.fromisoformat(about["case:enddate_planned"]),
        ended_at=datetime.fromisoformat(about["case:enddate"]) if about["case:enddate"] else None,
        task=first.task,
    )
    yield Create(draft, by=first.actor, at=first.at)
    for event in rest:
        yield Fire(case, event.activity, event.task, by=event.actor, at=event.at)


def enter(flow: ReportFlow, cases: Cases) -> int:
    """Enter all cases; gives the number of those that were there already."""
    known = 0
    for number, (case, events) in enumerate(cases.items(), 1):
        try:
            flow.batch(acts_of(case, events))  # one commit a case: it is there with all its history, or not at all
        except AlreadyExists:
            known += 1  # so a run that was cut short can be started again
        if sys.stderr.isatty() and (number % 100 == 0 or number == len(cases)):
            print(f"\r{number:,} of {len(cases):,} cases", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return known


def event_of(entry: Entry) -> Event:
    """An entry of the store as the event that it came from. The first one's details are the draft."""
    task = entry.details.task if isinstance(entry.details, PermitCase) else entry.details
    assert isinstance(task, PermitTask)
    return Event(entry.trigger, entry.actor.id, entry.at, task)


def find_differing(flow: ReportFlow, cases: Cases) -> list[str]:
    """The cases whose history in the store is not the file's."""
    return [
        case
        for case, events in cases.items()
        if [event_of(entry) for entry in flow.history(case, by=READER)] != list(events)
    ]


def try_unseen_order(flow: ReportFlow, case: str, event: Event) -> str:
    """The refusal of an activity that never followed a case's last one; "" where it is allowed."""
    record = flow.get(case, by=READER)
    table = flow.lifecycles[0]
    unseen = (row for row in table.transitions if row.details and not table.row(record.state, row.trigger))
    row = next(unseen, None)
    if row is None:
        return "there is none, every activity has followed the last one of the first case"
    try:
        flow.fire(record, row.trigger, event.task, by=event.actor)
    except TransitionRefused as refused:
        return str(refused)
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the log and compare. 0 where all is equal, 1 where not, 2 where there is no input."""
    parser = argparse.ArgumentParser(description="A log of permits, through a lifecycle made from it.")
    parser.add_argument("path", type=Path, help=f"{FILE}, or the folder that it is in")
    parser.add_argument("--database", default="memory:", help="a database URL, such as sqlite:///permits.db")
    chosen = parser.parse_args(arguments)
    try:
        cases = read_cases(chosen.path)
        lifecycle = make_lifecycle(cases)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        print(f"There is no log at {chosen.path} ({error}): name {FILE}, or its folder.", file=sys.stderr)
        return 2
    try:
        with open_flow(chosen.database, lifecycles=lifecycle) as flow:
            known = enter(flow, cases)
            case, events = next(iter(cases.items()))
            refused = try_unseen_order(flow, case, events[-1])
            wrong = find_differing(flow, cases)
    except ReportflowError as error:
        print(error, file=sys.stderr)
        return 1
    every = [event for events in cases.values() for event in events]
    if known:
        print(f"{known:,} cases were there already.")
    print(f"cases            {len(cases):>6,}")
    print(f"events           {len(every):>6,}")
    print(f"activities       {len(lifecycle.triggers):>6,}")
    print(f"resources        {len({event.resource for event in every}):>6,}")
    print(f"histories equal  {len(cases) - len(wrong):>6,} of {len(cases):,}")
    print(f"an order never seen: {refused or 'it was allowed'}")
    if wrong:
        print(f"The histories of {len(wrong):,} cases differ from the file, first {wrong[0]}.", file=sys.stderr)
    return 1 if wrong or not refused else 0


if __name__ == "__main__":
    sys.exit(main())
