"""The pages: complete, and in one form.

That their snippets run is proven by sybil; see the conftest.py beside README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reportflow

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))


def prose(page: str) -> list[str]:
    """The lines of a page that are sentences: no code, no tables, no headings."""
    without_code = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    return [line for line in without_code.splitlines() if line and line[0] not in "#|"]


def test_reference_names_every_public_name_once() -> None:
    """The reference documents every name that `reportflow` gives, each once, and no other."""
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    named = re.findall(r"^\.\. auto(?:class|data|exception|function):: (?:\S+\.)?(\w+)$", page, re.MULTILINE)
    assert sorted(named) == sorted(reportflow.__all__)


def test_every_page_is_listed_on_the_first() -> None:
    """Each page can be reached from the index, and the index lists no page that is not there."""
    page = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"```\{toctree\}(.*?)```", page, re.DOTALL)[0].splitlines()
    names = [line for line in listed if line and not line.startswith(":")]
    assert sorted(["index", *names]) == [path.stem for path in PAGES]


def test_reading_order_says_a_sentence_of_each_module() -> None:
    """Each module of the house is explained once, in the order of the house."""
    page = (DOCS / "reading-order.md").read_text(encoding="utf-8")
    (house,) = re.findall(r"^```text house\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    modules = [line for line in house.splitlines() if not line.startswith("--")]
    assert re.findall(r"^- `(\S+\.py)`: .+\.$", page, re.MULTILINE) == modules


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_one_sentence_stands_on_a_line(path: Path) -> None:
    """A line of a page ends where its sentence does, so that a change of a sentence is a change of a line."""
    wrong = [line for line in prose(path.read_text(encoding="utf-8")) if re.search(r"[a-z`)][.?!] +[A-Z`]", line)]
    assert not wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    """Every link to another page names a page that is there, and a heading that it has."""
    for name, heading in re.findall(r"\]\(([\w-]*\.md)?(?:#([\w-]+))?\)", path.read_text(encoding="utf-8")):
        target = (DOCS / name if name else path).read_text(encoding="utf-8")
        slugs = {
            re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", target, re.M)
        }
        assert not heading or heading in slugs
