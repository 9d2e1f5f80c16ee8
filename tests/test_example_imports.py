"""The examples that import rows: on the real files, whose figures are counted again, and on files with any mess."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import MemoryStore, ReportFlow, open_flow
from tests.test_examples import database, load, printed, replayed

QUESTIONS = load("imports/questions")
REQUESTS = load("imports/information_requests")
NOW = "2026-01-01"


def test_questions_print_the_figures_of_the_file(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 2,707 questions are in, 2,705 answered, 1,983 late, and started again nothing is made twice."""
    with gzip.open(data_dir / QUESTIONS.FILE, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    answered = [one for one in every if one["dateAnswered"]]
    days = sorted(
        (date.fromisoformat(one["dateAnswered"][:10]) - date.fromisoformat(one["dateTabled"][:10])).days
        for one in answered
    )
    median, most = (
        int(statistics.median(days)),
        next(d for d in days if sum(one <= d for one in days) >= 0.9 * len(days)),
    )
    expected = {
        "tabled": len(every),
        "answered": len(answered),
        "with a holding answer": sum(1 for one in every if one["dateHoldingAnswer"]),
        "answer corrected": sum(1 for one in every if one["dateAnswerCorrected"]),
        "not answered yet": len(every) - len(answered),
        "answered together with others": sum(1 for one in answered if one["groupedQuestions"]),
        "answered after the due date": sum(1 for one in answered if one["dateAnswered"] > one["dateForAnswer"]),
        "days from tabling to answer, median": median,
        "days within which 90 % were answered": most,
        **Counter(one["answeringBodyName"] for one in every),
    }
    names = ("tabled", "answered", "answered after the due date")
    assert [*(expected[name] for name in names), median, most] == [2707, 2705, 1983, 8, 37]
    url = database("sqlite", tmp_path)
    for again in (False, True):
        assert QUESTIONS.main([str(data_dir), "--database", url]) == 0
        figures = printed(capsys.readouterr().out)
        for name, number in expected.items():
            assert figures[name] == [f"{number:,}"] * 2
        assert figures["in, with all that they say"] == ["2,707"]
        assert figures.get("were there already") == (["2,707"] if again else None)
    with open_flow(url, create=False, lifecycles=QUESTIONS.QUESTION) as flow:
        assert replayed(flow, QUESTIONS.READER, "question") == len(every)


def test_requests_are_in_or_named_with_their_reason(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 9,972 requests each is in, or is listed with its line and reason; what is in is what can be true."""
    with gzip.open(data_dir / REQUESTS.FILE, "rt", encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    assert len(every) == 9972
    sound, decided = dict[str, Mapping[str, str]](), Counter[str]()
    for row in every:
        numbered, year = row["identifier"].split("-")[1:2], row["date_accepted"][:4]
        if numbered and year and int(year) - int(numbered[0]) in (0, 1) and row["identifier"] not in sound:
            sound[row["identifier"]] = row
            if row["date_accepted"] <= row["date"] < NOW:
                decided[row["decision"]] += 1
    assert REQUESTS.main([str(data_dir), "--all"]) == 0
    text = capsys.readouterr().out
    figures = printed(text)
    assert figures["accepted"] == [f"{len(sound):,}"] * 2
    for decision, number in decided.items():
        assert figures[f"decided: {decision}"] == [f"{number:,}"] * 2
    assert figures["not decided yet"] == [f"{len(sound) - decided.total():,}"] * 2
    listed = {int(line) for line in re.findall(r"^line (\d+), ", text, re.MULTILINE)}
    assert len(listed) == len(every) - int(figures["in, with all that they say"][0].replace(",", ""))
    # each reason is there, and true
    said = dict(re.findall(r"^line (\d+), (.*)$", text, re.MULTILINE))
    assert "accepted in 1301, but its number is of 2015" in said["2"]
    blank = next(number for number, row in enumerate(every, 2) if not row["identifier"])
    assert said[str(blank)] == "?: without what it must have ('identifier')"
    repeated = [number for number, row in enumerate(every, 2) if sound.get(row["identifier"], row) != row]
    assert listed.issuperset(repeated)


def test_a_file_that_breaks_off_is_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A truncated file is an error with the line, what came before is in; the whole one then adds the rest."""
    url, path = database("sqlite", tmp_path), tmp_path / QUESTIONS.FILE
    rows = [{**ROW, "id": number, "questionText": str(random.Random(number).random())} for number in range(900)]
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    path.write_bytes(whole[: len(whole) // 2])
    assert QUESTIONS.main([str(path), "--database", url]) == 2
    output = capsys.readouterr()
    line = re.search(r"cannot be read after line (\d+) ", output.err)
    assert line is not None
    assert (output.out, 0 < int(line[1]) < 900) == ("", True)
    path.write_bytes(whole)
    assert QUESTIONS.main([str(tmp_path), "--database", url]) == 0
    figures = printed(capsys.readouterr().out)
    assert (figures["were there already"], figures["tabled"]) == ([line[1]], ["900", "900"])


# -- any mess ---------------------------------------------------------------------------------------------------------

ROW: Mapping[str, Any] = {
    "id": 1, "askingMemberId": 4934, "dateTabled": "2024-07-25T00:00:00", "dateForAnswer": "2024-07-30T00:00:00",
    "uin": "1830", "questionText": "What?", "answeringBodyName": "Treasury", "isWithdrawn": False, "isNamedDay": True,
    "groupedQuestions": ["1829"], "answeringMemberId": 4682, "dateAnswered": "2024-10-14T00:00:00",
    "answerText": "That.", "dateAnswerCorrected": None, "dateHoldingAnswer": None, "heading": "Housing",
}  # fmt: skip
DATES: st.SearchStrategy[object] = st.sampled_from(
    ["2024-07-24", "2024-07-25T00:00:00", "2024-10-14", "2024-10-15", "1301-01-01", "3001-01-01", "0001-01-01"]
)
JUNK: st.SearchStrategy[object] = st.sampled_from(
    [None, "", " ", 7, -1, 1.5, True, [], [None], ["x"], {}, "\0", "\ud800", "2024-13-45", "9999-12-31", "x" * 300, "é"]
)
LINES = st.sampled_from(
    [b"\xff\xfe\n", b"{\n", b"[1]\n", b"\n", b"null\n", b'{"id": 1e400}\n', b"{}\n", b"[" * 5000 + b"\n"]
)


@st.composite
def messy_questions(draw: st.DrawFn) -> bytes:
    """A file of questions, each with some fields that are wrong, and some lines that are none."""
    parts: list[bytes] = []
    for _ in range(draw(st.integers(0, 5))):
        row = {**ROW, "id": draw(st.integers(1, 3))}
        for name in draw(st.lists(st.sampled_from(sorted(ROW)), max_size=3)):
            row[name] = draw(DATES | JUNK if name.startswith("date") else JUNK)
            if draw(st.booleans()) and row[name] is None:
                del row[name]
        parts.append(json.dumps(row).encode() + b"\n")
        parts += draw(st.lists(LINES, max_size=1))
    return b"".join(parts) or b"\n"


def entered_twice(module: ModuleType, lifecycle: Any, read: Any, data: bytes, suffix: str) -> None:
    """The rows of a file go in, each or with a reason, and again; the store counts what the file says."""
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(data)
        file.flush()
        rows = partial(read, Path(file.name))
        store = MemoryStore()
        flow = ReportFlow(store, lifecycle, zone=module.ZONE)
        first = module.enter(flow, rows, "zh")
        kept = store.feed(limit=1000)
        again = module.enter(flow, rows)
        assert store.feed(limit=1000) == kept
        assert (again.known, again.entered) == (len(first.entered), first.entered)
        assert {line for line, _ in first.faults} == {line for line, _ in again.faults}
        assert first.lines - first.entered <= {line for line, _ in first.faults}
        counted, expected = module.count_in_store(flow), module.count_in_file(rows)
        assert {name: number for name, number in counted.items() if number} == {
            name: number for name, number in expected.items() if number
        }


@settings(max_examples=60)
@given(messy_questions())
def test_any_file_of_questions_is_entered_or_named(data: bytes) -> None:
    """Whatever is wrong with rows, each is in or named, the figures agree, and nothing is made twice."""
    entered_twice(QUESTIONS, QUESTIONS.QUESTION, QUESTIONS.read_jsonl, data, ".jsonl")


CELLS: Mapping[str, Sequence[str]] = {
    "identifier": ("AG-2014-00001", "AG-2014-00002", "7", "", " ", "é\0"),
    "abstract": ("", "A copy", "\x1b[31m"),
    "classification": ("general", ""),
    "applicant_type": ("public", ""),
    "date_accepted": (
        "2014-05-01",
        "2015-01-01",
        "1301-01-01",
        "3001-01-01",
        "",
        "2014-02-30",
        "01/05/2014",
        "0001-01-01",
    ),
    "date": ("2014-06-01", "2014-05-01", "2014-04-30", "", "9999-12-31", "soon"),
    "decision": ("all disclosed", "discontinued", "", "unheard of"),
    "number_of_pages": ("", "7", "many", "9" * 40, "٣", "1.5"),
}


@settings(max_examples=60)
@given(
    st.lists(st.tuples(*map(st.sampled_from, CELLS.values())), max_size=6),
    st.lists(st.sampled_from([b"\xff\xfe,b\n", b"AG-2014-00003\n", b'"open\n', b"\n"]), max_size=2),
)
def test_any_file_of_requests_is_entered_or_named(rows: list[tuple[str, ...]], lines: list[bytes]) -> None:
    """The same of comma-separated values."""
    text = io.StringIO()
    csv.writer(text).writerows([tuple(CELLS), *rows])
    data = text.getvalue().encode() + b"".join(lines)
    read = lambda path: REQUESTS.read_csv(path, REQUESTS.COLUMNS)  # noqa: E731  # a way to read, named
    entered_twice(REQUESTS, REQUESTS.REQUEST, read, data, ".csv")


@pytest.mark.parametrize(
    ("module", "name", "data", "said"),
    [
        (QUESTIONS, "questions.jsonl", b"", "there is nothing in it"),
        (QUESTIONS, "questions.jsonl.gz", b"no gzip", "cannot be read (Not a gzipped file"),
        (QUESTIONS, "questions.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 9, mtime=0)[:-9], "cannot be read after line"),
        (REQUESTS, "requests.csv", b"", "names no column identifier, abstract"),
        (REQUESTS, "requests.csv", b"identifier,abstract\nx,y\n", "names no column classification"),
        (REQUESTS, "requests.csv", b"x" * 200_000, "cannot be read (field larger"),
        (REQUESTS, "requests.csv.gz", gzip.compress(b"x" * 9999, mtime=0)[:-9], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported(
    module: ModuleType, name: str, data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty, truncated or altered file, or one without a column, is one line with its name, and exit code 2."""
    (tmp_path / name).write_bytes(data)
    assert module.main([str(tmp_path / name)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert said in output.err
    assert name in output.err


def test_what_is_printed_is_in_the_language_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures and reasons are in Chinese where that is asked for, and what a terminal would obey is not printed."""
    rows = [ROW, {**ROW, "uin": "\x1b[31m"}, {**ROW, "id": 2, "dateAnswered": "2024-01-01"}, {**ROW, "id": 3, "uin": 4}]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert QUESTIONS.main([str(path), "--language", "zh", "--all"]) == 0
    text = capsys.readouterr().out
    assert "库中统计的各项数字与文件一致。" in text
    assert [line for line in text.splitlines() if line.startswith("第")] == [
        "第 2 行，?：编号已被使用 (该编号已有人使用，请另取编号。)",
        "第 3 行，1830：办理早于开始 (“办理日期”早于提交日期，请核对。)",
        "第 4 行，4：值的类型不符 ('uin: 4')",
    ]
    assert "\x1b" not in text
