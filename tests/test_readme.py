"""README.md: its picture is current, and what it names is there. That its example runs is proven by sybil."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from reportflow.lifecycle.diagram import mermaid
from reportflow.office import REPORT

#: Where the drawing stands on the page.
PICTURE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_picture_is_the_one_that_the_table_draws() -> None:
    """The Mermaid block is, to the letter, what `mermaid(REPORT, loops=False)` draws."""
    assert PICTURE.findall(README) == [mermaid(REPORT, loops=False)]


def test_picture_is_redrawn_by_the_command_beside_it() -> None:
    """The command that the page names draws the picture anew."""
    assert "`reportflow diagram --no-loops`" in README
    drawn = subprocess.run(
        [sys.executable, "-m", "reportflow.cli", "diagram", "--no-loops"],
        env={**os.environ, "REPORTFLOW_LANGUAGE": "en", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert PICTURE.findall(README) == [drawn.stdout]


def test_every_file_that_is_linked_is_there() -> None:
    """A link that is no address of the web names a file of the repository."""
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert linked
    assert [link for link in linked if not (ROOT / link).is_file()] == []


def test_every_chore_that_is_named_is_there() -> None:
    """Each `make` word of the page is a chore of the Makefile."""
    chores = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)(?=`|\s+#)", README))
    assert {"demo", "test"} <= named <= chores


def test_example_is_about_twenty_lines() -> None:
    """The page has one example in Python, of 18 to 22 lines with something on them."""
    (example,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert 18 <= sum(bool(line.strip()) for line in example.splitlines()) <= 22
