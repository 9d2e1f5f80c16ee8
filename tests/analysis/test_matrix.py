"""The matrix: every cell is what the table and `decide` say, in each form and language."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings

from reportflow import ANY, EVERYBODY, NOBODY, SAME, UNIT, Actor, Lifecycle, Record, Secrecy, State, Transition, has
from reportflow.analysis.matrix import May, matrix
from reportflow.analysis.samples import START
from reportflow.lifecycle.decision import options
from reportflow.model.values import changed
from reportflow.office import REPORT
from reportflow.testing.strategies import lifecycles

BOTH = pytest.mark.parametrize("language", ["en", "zh"])

#: Labels with all that a page, a table or a spreadsheet would take for more than text.
NASTY = Lifecycle(
    name="nasty",
    version=1,
    record=Record,
    label={"en": "<b>nasty</b> & |co|", "zh": "<b>刁钻</b>|表"},
    roles={"=clerk": UNIT, "the|chief": ANY},
    states=[State("a|b", label={"en": "<i>*first*\n| x |</i>", "zh": "<i>首</i>"}), State("end", final=True)],
    transitions=[
        Transition("create", source=None, dest="a|b", roles=EVERYBODY),
        Transition("=1+1", source="a|b", dest=SAME, roles={"=clerk"}, guards=[has("title")], label="=HYPERLINK(1)"),
        Transition("step", source="a|b", dest="end", roles=NOBODY),
    ],
)


def in_state(lifecycle: Lifecycle, state: str) -> Record:
    """A record in a state, made by hand, that everybody may see."""
    draft = lifecycle.record.draft(id="r")
    return changed(draft, {"kind": lifecycle.name, "state": state, "version": 1, "created_by": "who", "unit": "u"})


@given(lifecycles())
@settings(max_examples=25)
def test_each_cell_is_what_the_offer_says(lifecycle: Lifecycle) -> None:
    """A role is said yes or no just as `options` refuses it for its role or not, guards aside; none is left out."""
    found = matrix(lifecycle)
    assert len(found.cells) == (len(lifecycle.states) + 1) * len(lifecycle.triggers) * len(lifecycle.roles)
    for role in lifecycle.roles:
        who = Actor(id="who", roles={role}, unit="u", clearance=Secrecy.TOP_SECRET)
        for state in lifecycle.states:
            offered = options(lifecycle, in_state(lifecycle, state.name), who, now=START)
            for option in offered:
                (cell,) = [
                    one
                    for one in found.cells
                    if (one.state, one.role, one.trigger) == (state.name, role, option.trigger)
                ]
                refused = {refusal.code for refusal in option.refusals}
                assert (cell.dest is None) == ("state" in refused)
                assert (cell.may in (May.YES, May.GUARDED)) == (not refused & {"state", "role"})
                assert set(cell.guards) == ({guard.code for guard in option.row.guards} if cell.dest else set())


def test_before_there_is_a_record_creations_are_listed() -> None:
    """Where nothing is there yet, just the roles that may create have a yes."""
    cells = {one.role: one.may for one in matrix(REPORT).cells if (one.state, one.trigger) == (None, "create")}
    assert cells == {
        "contributor": May.YES, "editor": May.YES, "reviewer": May.NO, "registrar": May.NO, "auditor": May.NO
    }  # fmt: skip


def test_the_report_s_cells_say_guards_and_steps() -> None:
    """A guarded act names its guard, a step's row says that it is one, and everybody's act is everybody's."""
    cells = {(one.state, one.role, one.trigger): one for one in matrix(REPORT).cells}
    review = cells["edited", "reviewer", "review"]
    assert (review.may, review.dest, review.guards) == (May.GUARDED, "reviewed", ("same_person",))
    assert cells["edited", "editor", "credit"].may is May.STEPS
    assert cells["merged", "auditor", "comment"].may is May.YES
    assert cells["merged", "auditor", "review"].dest is None


@BOTH
@pytest.mark.parametrize("lifecycle", [REPORT, NASTY], ids=["report", "nasty"])
def test_csv_has_a_line_for_each_cell(lifecycle: Lifecycle, language: str) -> None:
    """Read back, the CSV has each state, act and role once, with names and labels, and no cell is a formula."""
    found = matrix(lifecycle)
    lines = list(csv.DictReader(io.StringIO(found.csv(language).encode().decode("utf-8"))))
    assert len(lines) == len(found.cells)
    for line, cell in zip(lines, found.cells, strict=True):
        plain = {name: text.removeprefix("'") for name, text in line.items()}
        assert (plain["state"], plain["role"], plain["trigger"]) == (cell.state or "", cell.role, cell.trigger)
        assert (plain["may"], plain["dest"]) == (cell.may.value, cell.dest or "")
        assert not any(text.startswith(("=", "+", "-", "@")) for text in line.values())
    labels = {line["state"]: line["state_label"] for line in lines}
    if lifecycle is REPORT and language == "zh":
        assert (labels["draft"], labels[""]) == ("来稿", "（尚未提交）")


class _Page(HTMLParser):
    """What a page has: its tags with their attributes, in order, and the text of each cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@BOTH
@pytest.mark.parametrize("lifecycle", [REPORT, NASTY], ids=["report", "nasty"])
def test_html_is_a_whole_page_with_headed_tables(lifecycle: Lifecycle, language: str) -> None:
    """The page names its language, each table has a caption and headings with a scope, and labels are text only."""
    found = matrix(lifecycle)
    page = _Page(found.html(language))
    tags = [tag for tag, _ in page.tags]
    assert not page.open
    assert page.tags[0] == ("html", {"lang": language})
    assert {"title", "main", "h1"} <= set(tags)
    tables = {cell.state for cell in found.cells if cell.dest}
    assert tags.count("table") == tags.count("caption") == len(tables)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")
    assert tags.count("td") == sum(cell.dest is not None for cell in found.cells)
    assert not {"b", "i"} & set(tags)
    assert lifecycle.label_of("lifecycle", lifecycle.name, language) in " ".join(page.texts)


def cells_of(line: str) -> list[str]:
    """The cells of a line of a Markdown table; a bar after a backslash is no border."""
    return re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |"))


@BOTH
@pytest.mark.parametrize("lifecycle", [REPORT, NASTY], ids=["report", "nasty"])
def test_markdown_has_a_table_for_each_state(lifecycle: Lifecycle, language: str) -> None:
    """Each table has a column for each role and a line for each act of the state, whatever the labels are."""
    found = matrix(lifecycle)
    written = found.markdown(language)
    lines = [line for line in written.splitlines() if line.startswith("|")]
    acts = {(cell.state, cell.trigger) for cell in found.cells if cell.dest}
    states = {state for state, _ in acts}
    assert len(lines) == len(acts) + 2 * len(states)
    assert all(len(cells_of(line)) == 1 + len(lifecycle.roles) for line in lines)
    assert len(re.findall(r"^## ", written, re.MULTILINE)) == len(states)
    assert "<" not in written


def test_the_forms_speak_chinese() -> None:
    """In Chinese all headings and answers are Chinese, with the labels that the catalog has."""
    found = matrix(REPORT)
    assert "| 审核通过 | 否 | 否 | 有条件 → 待编发 (不得为编辑人本人) | 否 | 否 |" in found.markdown("zh")
    assert "<caption>环节“来稿”</caption>" in found.html("zh")
    assert "谁可以办什么：社情民意信息" in found.html("zh")
