"""The child process of a check: the caller's process stays as it was, whichever way leads to the child."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reportflow import SAME, UNIT, Command, Guard, Lifecycle, Record, State, Transition
from reportflow.analysis import isolation
from reportflow.analysis.checks import check
from reportflow.analysis.purity import Watcher
from reportflow.office import REPORT

CALLS: list[str] = []


def notes(record: Record, command: Command) -> bool:
    """A guard that changes a list of its module and prints."""
    CALLS.append(record.id)
    print(record.id)  # noqa: T201  # that is its flaw
    return not record.title


def lifecycle(name: str) -> Lifecycle:
    """A definition with that guard."""
    return Lifecycle(
        name=name,
        version=1,
        record=Record,
        roles={"clerk": UNIT},
        states=[State("open"), State("closed", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition("note", source="open", dest=SAME, roles={"clerk"}, guards=[Guard(code="notes", test=notes)]),
            Transition("close", source="open", dest="closed", roles={"clerk"}),
        ],
    )


#: Held by this module, so that another process can import it.
NAMED = lifecycle("named")


def place(watcher: Watcher | None, *given: object) -> tuple[bool, int, str]:
    """Where a function is run: whether it may watch, the process, and the program of the process."""
    return watcher is not None, os.getpid(), sys.argv[0]


def test_definitions_that_a_module_holds_go_to_a_new_interpreter() -> None:
    """The function runs in another interpreter, which has imported the same definitions by their names."""
    watches, process, program = isolation.run(place, NAMED, REPORT)
    assert (watches, program) == (True, "-c")
    assert process != os.getpid()


def test_other_definitions_go_to_a_fork() -> None:
    """A definition that no module holds is run by a fork of this process."""
    watches, process, program = isolation.run(place, lifecycle("unnamed"))
    assert (watches, program) == (True, sys.argv[0])
    assert process != os.getpid()


def test_where_no_interpreter_can_take_it_a_fork_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A definition whose module cannot be imported again, or any where no interpreter starts, goes to a fork."""
    file = tmp_path / "isolation_gone.py"
    file.write_text("from tests.analysis.test_isolation import lifecycle\nGONE = lifecycle('gone')\n")
    monkeypatch.syspath_prepend(tmp_path)
    gone = importlib.import_module("isolation_gone").GONE
    assert isolation.run(place, gone)[::2] == (True, "-c")
    file.unlink()
    assert isolation.run(place, gone)[::2] == (True, sys.argv[0])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert isolation.run(place, NAMED)[::2] == (True, sys.argv[0])
    del sys.modules["isolation_gone"]


def test_without_a_child_it_is_run_here_unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a platform without forks a definition without a name is checked here, and a note says what was left out."""
    CALLS.clear()
    watched = {one.code for one in check(lifecycle("unnamed"))}
    assert not CALLS
    monkeypatch.delattr(os, "fork")
    assert isolation.run(place, lifecycle("unnamed")) == (False, os.getpid(), sys.argv[0])
    unwatched = {one.code for one in check(lifecycle("unnamed"))}
    assert unwatched - watched == {"purity_unchecked"}
    assert watched - unwatched == {"rule_effect"}
    CALLS.clear()


def fail(watcher: Watcher | None, *given: object) -> None:
    """A function that fails."""
    raise LookupError("lost")


def end(watcher: Watcher | None, *given: object) -> None:
    """A function that ends its process."""
    os._exit(3)


@pytest.mark.parametrize("of", [NAMED, lifecycle("unnamed")], ids=["interpreter", "fork"])
def test_what_the_function_raises_is_raised_here(of: Lifecycle) -> None:
    """An error of the function is raised as it is, with the traceback of the child as a note."""
    with pytest.raises(LookupError, match="lost") as raised:
        isolation.run(fail, of)
    assert "in fail" in raised.value.__notes__[0]


def test_an_error_that_cannot_be_sent_is_described() -> None:
    """Of an error that no pickle takes, its description is raised."""

    class Unsendable(Exception):
        """Local to a function, so that it has no name to be found by."""

    def fail_locally(watcher: Watcher | None) -> None:
        raise Unsendable("lost")

    with pytest.raises(RuntimeError, match=r"Unsendable\('lost'\)"):
        isolation.run(fail_locally)


def test_a_child_that_ends_without_a_result_is_an_error() -> None:
    """Where a function ends its process, that is said, and the caller's process goes on."""
    with pytest.raises(RuntimeError, match="without a result"):
        isolation.run(end, lifecycle("unnamed"))


def test_a_definition_may_be_checked_while_its_module_is_imported(tmp_path: Path) -> None:
    """A module that checks its own definition when it is imported starts no interpreters without end."""
    (tmp_path / "checks_itself.py").write_text(
        "from reportflow import Lifecycle, Record, State, Transition, UNIT\n"
        "from reportflow.analysis.checks import check\n"
        "ROW = Transition('create', source=None, dest='open', roles={'clerk'})\n"
        "OWN = Lifecycle(name='own', version=1, record=Record, roles={'clerk': UNIT, 'idle': UNIT},\n"
        "    states=[State('open', final=True)], transitions=[ROW])\n"
        "FOUND = check(OWN)\n"
    )
    command = [sys.executable, "-c", "import checks_itself; print([one.code for one in checks_itself.FOUND])"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("['role_unused']\n", "")


#: Notes each audit event that a check must not cause here, and compares the rest before and after.
WATCHED_SCRIPT = """
import gc, os, sys
from reportflow.office import REPORT
from reportflow.analysis import checks
from tests.analysis.test_isolation import lifecycle
events = []
sys.addaudithook(lambda event, arguments: events.append(event) if event in FORBIDDEN else None)
def state():
    return sys.stdout, sys.stderr, sys.getprofile(), sys.gettrace(), gc.isenabled(), dict(os.environ)
FORBIDDEN = ("sys.addaudithook", "sys.setprofile", "sys.settrace", "gc.freeze")
before = state()
for of in (REPORT, lifecycle("unnamed")):
    assert "bounded" in {one.code for one in checks.check(of)}
del os.fork
checks.check(lifecycle("unnamed"))
assert state() == before, "changed"
assert not events, events
"""


def test_a_check_leaves_the_process_as_it_was() -> None:
    """Audit hooks, profile and trace function, collector, streams and environment stay, whichever way is taken."""
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for name in [name for name in environment if name.startswith("COVERAGE_PROCESS")]:
        del environment[name]  # it would set a trace function of its own
    command = [sys.executable, "-c", WATCHED_SCRIPT]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_that_a_definition_prints_or_changes_reaches_the_caller(capfd: pytest.CaptureFixture[str]) -> None:
    """What functions print goes nowhere, and the lists that they change are the child's."""
    CALLS.clear()
    for of in (NAMED, lifecycle("unnamed")):
        effects = {one.facts["effect"] for one in check(of) if one.code == "rule_effect"}
        assert effects == {"changes", "writes"}
    assert not CALLS
    assert capfd.readouterr() == ("", "")
