"""README.md and README.zh-CN.md: what they show is current, and the same in both. Their example is run by sybil."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from reportflow.lifecycle.diagram import mermaid
from reportflow.office import REPORT

ROOT: Final = Path(__file__).resolve().parent.parent
#: Language -> the page.
PAGES: Final = {
    "en": (ROOT / "README.md").read_text(encoding="utf-8"),
    "zh": (ROOT / "README.zh-CN.md").read_text(encoding="utf-8"),
}
LANGUAGES: Final = sorted(PAGES)

_PICTURE: Final = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_EXAMPLE: Final = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: The column of the comparison -> the row of benchmarks/RESULTS.md that it is from.
_MEASURED: Final = {2: "beside an ORM", 3: "beside Django", 5: "beside eventsourcing", 6: "SQLite: `fire`, by id"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_picture_is_the_one_that_the_table_draws(language: str) -> None:
    """The Mermaid block is, to the letter, what `mermaid(REPORT, …, loops=False)` draws in the page's language."""
    assert _PICTURE.findall(PAGES[language]) == [mermaid(REPORT, language, loops=False)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_picture_is_redrawn_by_the_command_beside_it(language: str) -> None:
    """The command that the page names draws the picture anew."""
    (command,) = re.findall(r"`reportflow (diagram --no-loops[^`]*)`", PAGES[language])
    drawn = subprocess.run(
        [sys.executable, "-m", "reportflow.cli", *command.split()],
        env={**os.environ, "REPORTFLOW_LANGUAGE": "en", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert _PICTURE.findall(PAGES[language]) == [drawn.stdout]


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_picture_is_a_path_of_the_table(language: str) -> None:
    """The line of arrows at the top is a path that the table has, by the names or labels of the page's language."""
    acts, states = re.findall(r"^```text\n(.*?)\n(.*?)\n```$", PAGES[language], re.DOTALL | re.MULTILINE)[0]
    path, triggers = re.split(r" *─+▶ *", states.strip()), acts.split()
    names = {REPORT.label_of("state", one.name, language): one.name for one in REPORT.states}
    doing = {REPORT.label_of("trigger", one, language): one for one in REPORT.triggers}
    path = [names[one] if language == "zh" else one for one in path]
    triggers = [doing[one] if language == "zh" else one for one in triggers]
    assert len(path) == len(triggers) + 1 == 5
    for source, trigger, dest in zip(path, triggers, path[1:], strict=False):
        found = REPORT.row(source, trigger)
        assert found is not None
        assert found[1] == dest


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_that_is_linked_is_there(language: str) -> None:
    """A link that is no address of the web names a file of the repository."""
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", PAGES[language]) if "://" not in link]
    assert linked
    assert [link for link in linked if not (ROOT / link).is_file()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chore_that_is_named_is_there(language: str) -> None:
    """Each `make` word of the page is a chore of the Makefile."""
    chores = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)(?=`|\s+#)", PAGES[language]))
    assert {"demo", "test"} <= named <= chores


def test_example_is_about_twenty_lines_and_the_same_in_both() -> None:
    """Both pages have one example in Python, the same, of 18 to 22 lines with something on them."""
    (example,) = _EXAMPLE.findall(PAGES["en"])
    assert _EXAMPLE.findall(PAGES["zh"]) == [example]
    assert 18 <= sum(bool(line.strip()) for line in example.splitlines()) <= 22


def test_pages_have_the_same_parts() -> None:
    """Both pages have as many headings, promises, reasons and rows in the same order."""
    shapes = [
        [line.split(" ")[0] for line in page.splitlines() if line[:1] in {"#", "-", "|"}] for page in PAGES.values()
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_measured_speed_is_that_of_the_results(language: str) -> None:
    """The speeds beside other libraries are those that `make bench` wrote, within a quarter."""
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in PAGES[language].splitlines() if line.startswith("|")]
    last = rows[-1]
    assert last[1] == "1"
    for column, what in _MEASURED.items():
        shown = re.match(r"[\d.]+", last[column])
        share = re.search(rf"^\| {re.escape(what)}.*?\| [\d.]+ / ([\d.]+) / [\d.]+ ", results, re.MULTILINE)
        assert shown
        assert share
        assert float(shown[0]) == pytest.approx(float(share[1]), rel=0.25)


def test_contributors_read_every_chore() -> None:
    """The table of CONTRIBUTING.md has every chore of the Makefile, and no other."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    chores = re.findall(r"^(\w+):.*##", makefile, re.MULTILINE)
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `make (\w+)` \|", page, re.MULTILINE)) == sorted(set(chores) - {"help"})
