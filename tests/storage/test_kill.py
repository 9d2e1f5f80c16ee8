"""A process that is killed at any moment leaves a store in which nothing is half done."""

from __future__ import annotations

import multiprocessing
import random
import time
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import create_engine, text

from reportflow import (
    ANY,
    SAME,
    Actor,
    Create,
    Details,
    Entry,
    Fire,
    Lifecycle,
    Query,
    Record,
    ReportFlow,
    State,
    Step,
    Transition,
    open_flow,
    replay,
)

ROUNDS = 12
BY = Actor(id="hand", roles={"hand"})
#: What was acknowledged: the mark of a call, and the ids and versions of the records that it gave back.
Said = tuple[str, list[tuple[str, int]]]


@attrs.frozen(kw_only=True)
class KilledSheet(Record):
    marks: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class KilledMark(Details):
    mark: str


def _copied(before: KilledSheet, entry: Entry) -> list[Step]:
    """Each mark of a sheet also marks its parent and creates a note: three records, one commit."""
    assert before.parent is not None
    note = KilledSheet.draft(title=entry.ref, parent=before.id)
    return [
        Step(target=before.parent, trigger="copy", details=entry.details),
        Step(target=note, trigger="create"),
    ]


def _marked(before: KilledSheet, entry: Entry) -> tuple[str, ...]:
    assert isinstance(entry.details, KilledMark)
    return (*before.marks[-20:], entry.details.mark)


SHEETS = Lifecycle(
    name="killed",
    version=1,
    record=KilledSheet,
    roles={"hand": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"hand"}, accepts={"id", "title", "parent"}),
        Transition("copy", source="open", dest=SAME, roles={"hand"}, details=KilledMark, sets={"marks": _marked}),
        Transition(
            "mark", source="open", dest=SAME, roles={"hand"}, details=KilledMark, sets={"marks": _marked}, then=_copied
        ),
    ],
)


def work(url: str, root: str, name: str, reports: Connection) -> None:
    """The process that will be killed: it writes without end, and reports each call after it has returned."""
    with open_flow(url, lifecycles=SHEETS) as flow:
        mine = flow.create(KilledSheet.draft(title=name, parent=root), by=BY)
        for number in count():
            mark = f"{name}.{number}"
            done: list[Any]
            if number % 3 == 0:
                done = [flow.create(KilledSheet.draft(title=mark), by=BY)]
            elif number % 3 == 1:
                done = [flow.fire(mine.id, "mark", KilledMark(mark=mark), by=BY)]
            else:
                draft = KilledSheet.draft(id=f"{mark}-id", title=mark, parent=root)
                fire = Fire(draft.id, "mark", KilledMark(mark=mark), by=BY)
                done = flow.batch([Create(draft, by=BY), fire, Fire(mine.id, "mark", KilledMark(mark=mark), by=BY)])
            reports.send((mark, [(record.id, record.version) for record in done]))


def heard(connection: Connection) -> list[Said]:
    """Everything that the process reported before it was killed."""
    calls = []
    while True:
        try:
            calls.append(connection.recv())
        except (EOFError, OSError):  # the pipe ends, perhaps in the middle of a word
            return calls


def hold_together(flow: ReportFlow, url: str) -> dict[str, list[Entry]]:
    """Check that records equal their replay, and that each act has all its steps; gives the histories."""
    found: list[Record] = []
    query = Query(order="id", limit=500)
    while True:
        page = flow.find(query, by=BY)
        found += page.records
        if page.next is None:
            break
        query = attrs.evolve(query, cursor=page.next)
    histories: dict[str, list[Entry]] = {record.id: [] for record in found}
    for entry in flow.store.history(list(histories)):
        histories[entry.record_id].append(entry)
    for record in found:
        assert replay(histories[record.id], SHEETS) == record
    every = [entry for history in histories.values() for entry in history]
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert connection.scalar(text("SELECT count(*) FROM reportflow_entry")) == len(every)
    engine.dispose()
    acts = sorted(entry.ref for entry in every if entry.trigger == "mark")
    for trigger in ("copy", "create"):
        assert sorted(entry.cause for entry in every if entry.trigger == trigger and entry.cause) == acts
    return histories


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_sigkill_loses_nothing_that_was_acknowledged(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """After SIGKILL each record equals its replay, each acknowledged call is there, and work can go on."""
    url = f"sqlite:///{office(tmp_path_factory)}/killed.db"
    name = f"round{seed}"
    with open_flow(url, lifecycles=SHEETS) as flow:
        roots = [one.id for one in flow.find(Query(order="created_at", limit=1), by=BY)]
        root = roots[0] if roots else flow.create(KilledSheet.draft(title="root"), by=BY).id
    context = multiprocessing.get_context("spawn")
    listening, speaking = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(url, root, name, speaking), daemon=True)
    process.start()
    speaking.close()
    first = listening.recv()  # it has begun to write
    time.sleep(random.Random(seed).uniform(0, 0.15))
    process.kill()
    process.join(60)
    calls = [first, *heard(listening)]
    listening.close()
    assert process.exitcode == -9
    with open_flow(url, lifecycles=SHEETS, create=False) as flow:
        histories = hold_together(flow, url)
        for mark, done in calls:
            for id, version in done:
                entry = histories[id][version - 1]
                details = entry.details
                stored = details.mark if isinstance(details, KilledMark) else getattr(details, "title", "")
                assert (entry.sequence, stored) == (version, mark)
        after = flow.fire(root, "copy", KilledMark(mark=f"{name}.after"), by=BY)
        assert after.version == len(histories[root]) + 1


def office(factory: pytest.TempPathFactory) -> Path:
    """One folder for all rounds: each continues with the store of the round before."""
    folder = factory.getbasetemp() / "killed"
    folder.mkdir(exist_ok=True)
    return folder
