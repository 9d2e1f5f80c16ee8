"""4,134 real petitions to the UK Parliament through the standard lifecycle, each with its real times.

    python examples/petitions.py uk_petitions.jsonl.gz --database sqlite:///petitions.db

A petition is read as a report: created, edited (five supporters, so the moderators look at it), reviewed (opened for
signatures) or rejected with its code, forwarded to the departments (10,000 signatures), adopted by the House (100,000),
absorbed (the government's response), instructed on (the debate's outcome). Then the store counts what happened, and the
figures must equal those counted straight from the file.

In this file every fact has the earlier ones that the lifecycle asks for, so no fact is invented. If one were missing,
the act would be refused, with the petition and the reason. Two facts of the file are not entered: that
the time for signing ended (`closed_at`), and the date that a debate was scheduled for.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from reportflow import (
    Actor,
    AlreadyExists,
    Create,
    Fire,
    Happened,
    Interval,
    Query,
    ReportFlow,
    ReportflowError,
    Transition,
    open_flow,
)
from reportflow.office import (
    REPORT,
    Adoption,
    Author,
    Forwarding,
    Instruction,
    Level,
    Rejection,
    Report,
    Revision,
    Source,
    Uptake,
)

FILE = "uk_petitions.jsonl.gz"
UNIT = "petitions.parliament.uk"

# The file has no persons, so each role is one actor. The reviewer must not be the last editor.
PETITIONER = Actor(id="petitioner", roles={"contributor"}, unit=UNIT)
EDITOR = Actor(id="editor", roles={"editor"}, unit=UNIT)
MODERATOR = Actor(id="moderator", roles={"reviewer"}, unit=UNIT)
REGISTRAR = Actor(id="registrar", roles={"registrar"}, unit=UNIT)
AUDITOR = Actor(id="auditor", roles={"auditor"}, unit=UNIT)


def as_in_the_file(row: Transition) -> Transition:
    """The row as this import needs it: ids and numbers are the file's, and an edit may enter the same text again."""
    if row.accepts is not None:
        row = attrs.evolve(row, accepts={*row.accepts, "id", "number"})
    # The file has each text only as it was published: that an edit took place is known, what it changed is not.
    return attrs.evolve(row, guards=[guard for guard in row.guards if guard.code != "unchanged"])


#: The lifecycle of reports, with those rows.
PETITION = attrs.evolve(REPORT, transitions=[as_in_the_file(row) for row in REPORT.transitions])

#: Figure -> the trigger in the store, and the time in the file.
FIGURES = {
    "created": ("create", "created_at"),
    "reached moderation": ("edit", "moderation_threshold_reached_at"),
    "opened": ("review", "opened_at"),
    "rejected": ("reject", "rejected_at"),
    "forwarded": ("forward", "response_threshold_reached_at"),
    "adopted": ("adopt", "debate_threshold_reached_at"),
    "answered": ("absorb", "government_response_at"),
    "debated": ("instruct", "debate_outcome_at"),
}

Petition = Mapping[str, Any]


def read_petitions(path: Path) -> list[Petition]:
    """All petitions of the file, or of the file in a folder."""
    with gzip.open(path / FILE if path.is_dir() else path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def acts_of(petition: Petition) -> list[Create | Fire]:
    """Everything that happened to a petition, in the order in which it happened."""
    id = f"petition-{petition['id']}"
    text = "\n\n".join(part for part in (petition["background"], petition["additional_details"]) if part.strip())
    departments = petition["departments"]
    draft = Report(
        id=id,
        number=str(petition["id"]),
        title=petition["action"],
        text=text,
        authors=[Author(name="a petitioner")],
        source=Source.PUBLIC,
        topics=departments,  # the responsible department is the closest to a topic in the file
        origin=f"https://petition.parliament.uk/petitions/{petition['id']}",
    )
    acts: list[Fire] = []

    if at := time_of(petition, "moderation_threshold_reached_at"):
        # The file has only the text as it was published: the edit enters the same one.
        acts.append(Fire(id, "edit", Revision(text=text), by=EDITOR, at=at))
    if at := time_of(petition, "opened_at"):
        acts.append(Fire(id, "review", by=MODERATOR, at=at))
    if at := time_of(petition, "rejected_at"):
        # Mostly instead of being opened; one petition was opened first. The file has no other reason than the code.
        code = petition["rejection_code"]
        acts.append(Fire(id, "reject", Rejection(code=code), by=MODERATOR, at=at, reason=code))
    if at := time_of(petition, "response_threshold_reached_at"):
        for department in departments:
            forwarding = Forwarding(to=department, level=Level.NATIONAL)
            acts.append(Fire(id, "forward", forwarding, by=REGISTRAR, at=at))
    if at := time_of(petition, "debate_threshold_reached_at"):
        adoption = Adoption(body="House of Commons, Petitions Committee", level=Level.NATIONAL)
        acts.append(Fire(id, "adopt", adoption, by=REGISTRAR, at=at))
    if at := time_of(petition, "government_response_at"):
        # Two departments give one answer: an entry for each of them, one petition in the figures.
        for department in departments:
            uptake = Uptake(department=department, measure=petition["government_response"]["summary"])
            acts.append(Fire(id, "absorb", uptake, by=REGISTRAR, at=at))
    if at := time_of(petition, "debate_outcome_at"):
        # The outcome that was published; twice it has no date of a debate, once it says why none was scheduled.
        outcome = petition["debate"]["overview"]
        instruction = Instruction(leader="House of Commons", level=Level.NATIONAL, text=outcome)
        acts.append(Fire(id, "instruct", instruction, by=REGISTRAR, at=at))

    # By time: an answer may come before or after the debate. Equal times stay in the order above, the lifecycle's.
    acts.sort(key=lambda act: act.at or datetime.max.replace(tzinfo=UTC))
    return [Create(draft, by=PETITIONER, at=time_of(petition, "created_at")), *acts]


def time_of(petition: Petition, field: str) -> datetime | None:
    """A time of the petition, or None where the file has none."""
    return datetime.fromisoformat(petition[field]) if petition[field] else None


def enter(flow: ReportFlow, petitions: Sequence[Petition]) -> int:
    """Enter all petitions; gives the number of those that were there already."""
    known = 0
    entering = ReportFlow(flow.store, PETITION)
    for number, petition in enumerate(petitions, 1):
        try:
            entering.batch(acts_of(petition))  # one commit a petition: it is there with all its history, or not at all
        except AlreadyExists:
            known += 1  # so a run that was cut short can be started again
        if sys.stderr.isatty() and (number % 100 == 0 or number == len(petitions)):
            print(f"\r{number:,} of {len(petitions):,} petitions", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return known


def count_in_store(flow: ReportFlow, years: Iterable[int]) -> dict[str, int]:
    """The figures as the store counts them, from what happened, each petition once."""
    found: dict[str, int] = {}
    for figure, (trigger, _) in FIGURES.items():
        query = Query(kind="report", happened=Happened(trigger=trigger))
        found[figure] = flow.count(query, by=AUDITOR)[()]
    codes = flow.count(Query(kind="report", happened=Happened(trigger="reject")), by=AUDITOR, group="code")
    found.update({f"rejected: {code}": number for (code,), number in codes.items()})
    for year in years:
        happened = Happened(at=Interval.year(year, UTC))
        by_trigger = flow.count(Query(kind="report", happened=happened), by=AUDITOR, group="trigger")
        for figure, (trigger, _) in FIGURES.items():
            found[f"{figure} in {year}"] = by_trigger.get((trigger,), 0)
    return found


def count_in_file(petitions: Sequence[Petition], years: Iterable[int]) -> dict[str, int]:
    """The same figures, counted straight from the file."""
    found = {figure: sum(1 for one in petitions if one[field]) for figure, (_, field) in FIGURES.items()}
    codes = Counter(one["rejection_code"] for one in petitions if one["rejected_at"])
    found.update({f"rejected: {code}": number for code, number in codes.most_common()})
    for year in years:
        for figure, (_, field) in FIGURES.items():
            found[f"{figure} in {year}"] = sum(1 for one in petitions if (one[field] or "").startswith(str(year)))
    return found


def years_of(petitions: Sequence[Petition]) -> range:
    """All years in which something happened."""
    years = {int(one[field][:4]) for one in petitions for _, field in FIGURES.values() if one[field]}
    return range(min(years), max(years) + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Enter the petitions, and show both counts. 0 where they are equal, 1 where not, 2 where there is no input."""
    parser = argparse.ArgumentParser(description="Real petitions through the standard lifecycle of reports.")
    parser.add_argument("path", type=Path, help=f"{FILE}, or the folder that it is in")
    parser.add_argument("--database", default="memory:", help="a database URL, such as sqlite:///petitions.db")
    chosen = parser.parse_args(arguments)
    try:
        petitions = read_petitions(chosen.path)
        years = years_of(petitions)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        print(f"There are no petitions at {chosen.path} ({error}): name {FILE}, or its folder.", file=sys.stderr)
        return 2
    try:
        with open_flow(chosen.database) as flow:
            known = enter(flow, petitions)
            stored, expected = count_in_store(flow, years), count_in_file(petitions, years)
    except ReportflowError as error:
        print(error, file=sys.stderr)
        return 1
    if known:
        print(f"{known:,} petitions were there already.")
    print(f"{'':<28}{'store':>8}{'file':>8}")
    for figure in {**expected, **stored}:
        print(f"{figure:<28}{stored.get(figure, 0):>8,}{expected.get(figure, 0):>8,}")
    if stored != expected:
        print("The figures of the store differ from those of the file.", file=sys.stderr)
        return 1
    print("Each figure that the store counts equals the file's.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
