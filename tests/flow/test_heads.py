"""Heads that are kept elsewhere: the file, what is wrong with one, and what a verification finds by it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportflow import InvalidValue, MemoryStore, ReportFlow
from reportflow.flow.heads import FORMAT, HeadsWriter, NotedHead, order_key, read_heads
from reportflow.office import REPORT, Author, Comment, Report
from reportflow.testing.strategies import texts
from tests.tampering import LI, STRANGER, Stored, codes, office, play


@pytest.fixture
def flow() -> ReportFlow:
    """Four reports in memory, r1 to r4, with 14 entries."""
    made = office(MemoryStore())
    play(made)
    return made


@pytest.fixture
def noted(flow: ReportFlow, tmp_path: Path) -> Path:
    """A file with their heads."""
    path = tmp_path / "heads"
    path.write_text("".join(flow.heads()), encoding="utf-8")
    return path


# -- the file -----------------------------------------------------------------------------------------------------


def test_a_file_of_heads_has_a_line_a_record(flow: ReportFlow) -> None:
    """The form, then id, version and head of each record in the order of the ids, then their number and the root."""
    first, *lines, last = flow.heads()
    assert first == f"{FORMAT}\n"
    records = flow.store.get(["r1", "r2", "r3", "r4"])
    assert lines == [f'"{one.id}"\t{one.version}\t{one.head}\n' for one in records]
    before = f"{first}{''.join(lines)}root\t4\t"
    assert last == f"root\t4\t{sha256(before.encode()).hexdigest()}\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(texts(), st.integers(1, 2**31)))
def test_any_id_survives(tmp_path: Path, versions: dict[str, int]) -> None:
    """Whatever an id is, with blanks, quotes, line ends or Chinese, a file of heads gives it back."""
    heads = [NotedHead(id, versions[id], sha256(id.encode()).hexdigest()) for id in sorted(versions, key=order_key)]
    writer = HeadsWriter()
    path = tmp_path / "heads"
    path.write_text("".join([writer.first(), *map(writer.line, heads), writer.last()]), encoding="ascii", newline="\n")
    assert list(read_heads(path)) == heads


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_of_a_file_is_found(noted: Path, data: st.DataObject) -> None:
    """A file of heads that was altered, cut or lengthened is refused: nothing is verified by it."""
    whole = noted.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.binary(min_size=1, max_size=2).filter(lambda some: some != whole[place : place + 1]))
    for altered in (whole[:place], whole[:place] + other + whole[place + 1 :], whole + other):
        path = noted.with_name("altered")
        path.write_bytes(altered)
        with pytest.raises(InvalidValue) as caught:
            list(read_heads(path))
        assert caught.value.field == "against"
        assert str(path) in str(caught.value)


WRONG = {
    "heads_form": ("", "line 1"),
    "heads_line": ('{form}\n"r1"\t0\t{head}\nroot', "line 2"),
    "heads_order": ('{form}\n"r2"\t1\t{head}\n"r1"\t1\t{head}\n', "line 3"),
    "heads_cut": ('{form}\n"r1"\t1\t{head}\n', "line 2"),
    "heads_root": ('{form}\n"r1"\t1\t{head}\nroot\t1\t{head}\n', "line 3"),
}


@pytest.mark.parametrize("problem", WRONG)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_wrong_file_is_refused_with_the_line(flow: ReportFlow, tmp_path: Path, problem: str, language: str) -> None:
    """The error names the file, the line, and what to do, and nothing is verified."""
    text, line = WRONG[problem]
    path = tmp_path / "wrong"
    path.write_text(text.format(form=FORMAT, head="0" * 64), encoding="utf-8")
    calls: list[Any] = []
    with pytest.raises(InvalidValue) as caught:
        flow.verify(against=path, progress=calls.append)
    assert caught.value.problem == problem
    message = caught.value.message(language, reader="developer")
    assert str(path) in message
    assert (line if language == "en" else line.replace("line ", "第 ")) in message
    assert not calls


def test_text_behind_the_root_is_refused(flow: ReportFlow, noted: Path) -> None:
    """Two files one behind the other are no file of heads."""
    noted.write_text(noted.read_text("utf-8") * 2, encoding="utf-8")
    with pytest.raises(InvalidValue) as caught:
        flow.verify(against=noted)
    assert (caught.value.problem, caught.value.details["line"]) == ("heads_behind", 7)


def test_a_file_that_is_not_there(flow: ReportFlow, tmp_path: Path) -> None:
    """A path that cannot be read is an error that says so."""
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(InvalidValue) as caught:
            flow.verify(against=path)
        assert caught.value.problem == "heads_unreadable"


def test_a_file_of_another_database(noted: Path) -> None:
    """Where none of its records is here, the file is of another database: an error, and no thousand findings."""
    other = office(MemoryStore())
    with pytest.raises(InvalidValue) as caught:
        other.verify(against=noted)
    assert (caught.value.problem, caught.value.details["number"]) == ("heads_elsewhere", 4)


def test_heads_of_nothing(tmp_path: Path) -> None:
    """The heads of an empty store are a file too, and hold against it."""
    empty = ReportFlow(MemoryStore(), REPORT)
    path = tmp_path / "heads"
    path.write_text("".join(empty.heads()), encoding="utf-8")
    assert list(read_heads(path)) == []
    assert empty.verify(against=path).ok


# -- what is found by it ------------------------------------------------------------------------------------------


def test_what_was_done_since_is_no_flaw(flow: ReportFlow, noted: Path) -> None:
    """Records that went on since, and new ones, hold against heads that were noted before."""
    flow.fire("r3", "comment", Comment(text="later"), by=LI)
    flow.create(Report.draft(title="Mud", text="Deep.", authors=[Author(name="Sun")]), by=LI)
    assert flow.verify(against=noted).ok


def test_a_rewritten_record_is_found(flow: ReportFlow, noted: Path) -> None:
    """A history that was rewritten with all its digests agrees with itself; noted heads show it."""
    stored = Stored(flow, "r3")
    stored.change(3, reason="because I say so")
    stored.chain()
    assert flow.verify().ok
    assert codes(flow.verify(against=noted)) == [("rewritten", "r3", 3)]


def test_a_record_that_was_set_back_is_found(flow: ReportFlow, noted: Path) -> None:
    """A record of an older backup with its entries agrees with itself; noted heads show that it was longer."""
    stored = Stored(flow, "r3")
    stored.store._records["r3"] = flow.as_of("r3", by=LI, version=2)
    del stored.rows[-1]
    assert flow.verify().ok
    assert codes(flow.verify(against=noted)) == [("truncated", "r3", 3)]


def test_a_record_that_was_removed_is_found(flow: ReportFlow, noted: Path) -> None:
    """A record that was removed with its entries leaves nothing behind; noted heads name it."""
    stored = Stored(flow, "r4")
    del stored.store._records["r4"], stored.store._sealed["r4"]
    assert flow.verify().ok
    assert codes(flow.verify(against=noted)) == [("removed", "r4", None)]
    assert codes(flow.verify(against=noted, after="r3")) == [("removed", "r4", None)]
    assert flow.verify(against=noted, after="r4").ok


def test_who_may_not_see_a_record_is_not_told_of_it(flow: ReportFlow, noted: Path) -> None:
    """Against heads too an actor is shown what they may see: not even that a record of another unit was removed."""
    stored = Stored(flow, "r4")
    del stored.store._records["r4"], stored.store._sealed["r4"]
    assert flow.verify(against=noted, by=STRANGER).ok
