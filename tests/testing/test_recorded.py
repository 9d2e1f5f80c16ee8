"""Recorded rows: what the classes of today can no longer read is named before it is deployed.

The rows of `REPORT` are recorded anew by ``python -m tests.testing.test_recorded``: only after a change that is meant.
"""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from reportflow import ANY, SAME, Actor, Details, Lifecycle, MemoryStore, Record, ReportFlow, Schema, State, Transition
from reportflow.demo import year
from reportflow.office import REPORT
from reportflow.testing import check_rows, record_rows
from reportflow.testing.broken import BrokenPromise

RECORDED = Path(__file__).with_name("recorded.jsonl")
ANN = Actor(id="ann", roles={"clerk"})


def office() -> MemoryStore:
    """The store of an office in which much of a year was done."""
    store = MemoryStore()
    with ReportFlow(store, REPORT) as flow:
        for _ in year.play(flow, year.acts(2022)):
            pass
        return store


def test_the_recorded_rows_of_the_report_are_read() -> None:
    """The committed rows of `REPORT`, of every trigger of the demonstration's year, are read without a loss."""
    assert check_rows(RECORDED, REPORT) > 20
    rows = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    assert {row.get("trigger") for row in rows} >= {None, "create", "edit", "adopt", "instruct", "merge", "credit"}
    assert "salt" not in RECORDED.read_text(encoding="utf-8")


def case(record: type[Any], details: type[Any], *, version: int = 1) -> Lifecycle:
    """A lifecycle of two classes."""
    return Lifecycle(
        name="case",
        version=version,
        record=record,
        roles={"clerk": ANY},
        states=[State("open", final=True)],
        transitions=[
            Transition("create", source=None, dest="open", roles={"clerk"}),
            Transition("note", source="open", dest=SAME, roles={"clerk"}, details=details),
        ],
    )


@attrs.frozen
class Room:
    """A value in a record."""

    name: str
    floor: int = 0


@attrs.frozen(kw_only=True)
class File(Record):
    """A record of the first version."""

    text: str = ""
    room: Room | None = None


@attrs.frozen(kw_only=True)
class Note(Details):
    """Its details."""

    body: str
    days: int = 1


def recorded(path: Path) -> Path:
    """A file of rows of the first version."""
    store = MemoryStore()
    with ReportFlow(store, case(File, Note)) as flow:
        for number in range(9):
            record = flow.create(File.draft(text=f"{number}", room=Room("a", number)), by=ANN)
            flow.fire(record, "note", Note(body="n", days=number), by=ANN)
        assert record_rows(store, path, each=2) == 6
    return path


def test_classes_that_did_not_change_pass(tmp_path: Path) -> None:
    """A few rows of each shape are recorded, and the same classes read them."""
    assert check_rows(recorded(tmp_path / "rows.jsonl"), case(File, Note)) == 6


def _changed(change: str) -> tuple[type[Any], type[Any]]:
    """The classes after a change."""
    room: Any = Room
    if change == "a nested field is removed":
        room = attrs.make_class("Room", {"name": attrs.field(type=str)}, frozen=True)
    fields: dict[str, Any] = {"text": attrs.field(type=str, default="")}
    if change == "a field of a record is renamed":
        fields = {"content": attrs.field(type=str, default="")}
    if change != "a field of a record is removed":
        fields["room"] = attrs.field(type=room | None, default=None)
    name = "Folder" if change == "a class is renamed" else "File"
    file: Any = attrs.make_class(name, fields, bases=(Record,), frozen=True, kw_only=True)
    told: dict[str, Any] = {"body": attrs.field(type=str), "days": attrs.field(type=int, default=1)}
    if change == "a field of details is removed":
        del told["days"]
    if change == "a field of details is retyped":
        told["days"] = attrs.field(type=str, default="1")
    if change == "a field without a default is added":
        told["by"] = attrs.field(type=str)
    note: Any = attrs.make_class("Note", told, bases=(Details,), frozen=True, kw_only=True)
    return file, note


BREAKING = (
    "a field of a record is renamed",
    "a field of a record is removed",
    "a nested field is removed",
    "a class is renamed",
    "a field of details is removed",
    "a field of details is retyped",
    "a field without a default is added",
)


@pytest.mark.parametrize("change", BREAKING)
def test_a_breaking_change_is_named(change: str, tmp_path: Path) -> None:
    """Each change without an upgrader is found, with the line and the kind of each row."""
    path = recorded(tmp_path / "rows.jsonl")
    with pytest.raises(BrokenPromise) as caught:
        check_rows(path, case(*_changed(change)))
    assert isinstance(caught.value, AssertionError)
    names: Any = caught.value.facts["names"]
    of_details = "details" in change or "without a default" in change
    assert len(names) == (2 if of_details else 4)
    assert all("case 1" in name for name in names)
    assert str(path) in str(caught.value)


def test_an_upgrader_makes_it_pass(tmp_path: Path) -> None:
    """The same changes with upgraders, a former name and a new default are read."""

    def to_content(plain: dict[str, Any]) -> dict[str, Any]:
        return {"content": plain["text"], "room": plain["room"] and plain["room"]["name"]}

    @attrs.frozen(kw_only=True)
    class Folder(Record):
        __schema__ = Schema(version=2, upgraders={1: to_content}, formerly=("File",))
        content: str = ""
        room: str | None = None

    @attrs.frozen(kw_only=True)
    class Note(Details):
        __schema__ = Schema(version=2, upgraders={1: lambda plain: {"body": plain["body"]}})
        body: str
        by: str = "?"

    path = recorded(tmp_path / "rows.jsonl")
    assert check_rows(path, case(Folder, Note)) == 6


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON\n",
        "{}\n",
        '{"kind": "case", "version": 2, "plain": {}}\n',
        '{"kind": [], "version": 1, "plain": 5}\n',
    ],
)
def test_a_file_that_proves_nothing_is_refused(text: str, tmp_path: Path) -> None:
    """An empty file, lines that are no rows, and rows of a lifecycle that was not given are told."""
    path = tmp_path / "rows.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenPromise):
        check_rows(path, case(File, Note))


def test_an_empty_store_has_nothing_to_record(tmp_path: Path) -> None:
    """A store without records gives no file that could prove nothing."""
    with pytest.raises(BrokenPromise):
        record_rows(MemoryStore(), tmp_path / "rows.jsonl")
    assert list(tmp_path.iterdir()) == []


if __name__ == "__main__":
    record_rows(office(), RECORDED)
