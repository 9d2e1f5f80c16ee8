"""What a check says where its own bound was reached, and of what somebody has accepted."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from reportflow import SAME, UNIT, Command, Entry, Guard, InvalidValue, Lifecycle, Record, State, Transition, guard
from reportflow.analysis.checks import check
from reportflow.analysis.finding import ACCEPTABLE, Finding, Severity, accepting
from reportflow.cli import commands
from reportflow.i18n.catalog import STANDARD
from tests.testing.test_reach import HARD


def grave(findings: tuple[Finding, ...]) -> set[str]:
    """The codes above a note."""
    return {one.code for one in findings if one.level is not Severity.NOTE}


@pytest.mark.parametrize("name", ["three members", "two units", "a majority of ballots", "a sum"])
def test_a_guard_over_several_acts_is_no_finding(name: str) -> None:
    """A right lifecycle, of which a guard wants several acts, passes the check."""
    assert grave(check(HARD[name])) == set()


def _refuses(record: Record, command: Command) -> bool:
    return False


SELLING = Lifecycle(
    name="selling",
    version=1,
    record=Record,
    roles={"clerk": UNIT},
    states=[State("open"), State("sold", final=True), State("closed", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}),
        Transition("look", source="open", dest=SAME, roles={"clerk"}),
        Transition("close", source="open", dest="closed", roles={"clerk"}),
        Transition("sell", source="open", dest="sold", roles={"clerk"}, guards=[Guard(code="not_yet", test=_refuses)]),
    ],
)
REASON = "is sold from next year on"
BOTH = {"guard_never": REASON, "state_unreachable": REASON}


def test_what_nobody_passes_is_a_finding_until_it_is_accepted() -> None:
    """A row that nobody can ever pass is found; accepted by its codes, it is a note that says why."""
    assert grave(check(SELLING)) == {"guard_never", "state_unreachable"}
    found = check(SELLING, accept=BOTH)
    assert grave(found) == set()
    accepted = [one for one in found if one.accepted]
    assert {one.code for one in accepted} == set(BOTH)
    for one in accepted:
        assert REASON in one.text()
        assert REASON in one.text("zh")


def test_an_acceptance_that_nothing_needs_is_a_finding() -> None:
    """A code that is accepted and not found is said, so that it is taken out again."""
    found = check(SELLING, accept={**BOTH, "row_never": REASON})
    (unused,) = [one for one in found if one.level is not Severity.NOTE]
    assert unused.code == "acceptance_unused"
    assert "row_never" in unused.text()


@pytest.mark.parametrize(("code", "reason"), [("row_nevr", REASON), ("bounded", REASON), ("row_never", " ")])
def test_an_unknown_code_and_a_blank_reason_are_refused(code: str, reason: str) -> None:
    """What no finding can have as its code, or a note, cannot be accepted; nor can anything without a reason."""
    with pytest.raises(InvalidValue, match=code):
        check(SELLING, accept={code: reason})


def test_each_code_that_can_be_accepted_is_one() -> None:
    """Each of them has a text, and is accepted."""
    for code in ACCEPTABLE:
        assert STANDARD.template(f"finding.{code}", "en")
        (one,) = accepting([Finding(code=code, level=Severity.ERROR)], {code: REASON}, "selling")
        assert one.level is Severity.NOTE


def test_the_command_accepts_too() -> None:
    """`reportflow check --accept CODE=REASON`: then it ends well; an unknown code is an error that names the codes."""
    given = [part for code in BOTH for part in ("--accept", f"{code}={REASON}")]
    name = "tests.analysis.test_accepted:SELLING"
    env = {"LANG": "en_US.UTF-8", "COLUMNS": "300"}
    assert CliRunner().invoke(commands.reportflow, ["check", name], env=env).exit_code == 1
    done = CliRunner().invoke(commands.reportflow, ["check", name, *given], env=env)
    assert done.exit_code == 0, done.output
    assert REASON in done.output
    wrong = CliRunner().invoke(commands.reportflow, ["check", name, "--accept", "row_nevr=x"], env=env)
    assert wrong.exit_code != 0
    assert "row_never" in wrong.output


@attrs.frozen(kw_only=True)
class Noted(Record):
    """A record with remarks."""

    last: str | None = None
    every: tuple[str, ...] = ()


def _actor(before: Noted, entry: Entry) -> str:
    return entry.actor.id


def _appended(before: Noted, entry: Entry) -> tuple[str, ...]:
    return (*before.every, entry.actor.id)


@pytest.mark.parametrize(("sets", "due"), [({"last": _actor}, {"not_commuting"}), ({"every": _appended}, set())])
def test_a_row_that_does_not_commute_is_found(sets: dict[str, Any], due: set[str]) -> None:
    """What the last of two leaves does not commute, though the row says so; what both are added to does."""
    noting = Lifecycle(
        name="noting",
        version=1,
        record=Noted,
        roles={"clerk": UNIT},
        states=[State("open"), State("closed", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition("note", source="open", dest=SAME, roles={"clerk"}, sets=sets, on_conflict="commutes"),
            Transition("close", source="open", dest="closed", roles={"clerk"}),
        ],
    )
    found = check(noting)
    assert grave(found) == due
    assert {one.facts["field"] for one in found if one.code == "not_commuting"} <= {"last"}


@guard("not_frozen")
def _not_frozen(record: Noted, command: Command) -> bool:
    return record.last is None


@pytest.mark.parametrize(("thaw", "due"), [(False, {"record_trap"}), (True, set())])
def test_a_record_that_is_stuck_is_found(thaw: bool, due: set[str]) -> None:
    """A record that some act leaves in its state for good is found, though others leave that state."""
    freezing = Lifecycle(
        name="freezing",
        version=1,
        record=Noted,
        roles={"clerk": UNIT},
        states=[State("open"), State("closed", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition("freeze", source="open", dest=SAME, roles={"clerk"}, sets={"last": _actor}),
            *([Transition("thaw", source="open", dest=SAME, roles={"clerk"}, sets={"last": None})] if thaw else []),
            Transition("close", source="open", dest="closed", roles={"clerk"}, guards=[_not_frozen]),
        ],
    )
    assert grave(check(freezing)) == due
