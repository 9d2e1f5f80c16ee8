"""What the capabilities declare, `durable` and `shared`, proven by processes that are killed while they write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from own_store import SqliteStore
from reportflow import Actor, ReportFlow, replay
from reportflow.office import REPORT, Author, Report

LI = Actor(id="li", roles={"editor"}, unit="yulin")
WRITER = """
import sys, time
from own_store import SqliteStore
from reportflow import Actor, ReportFlow
from reportflow.office import REPORT, Comment

me = Actor(id=sys.argv[2], roles={"editor"}, unit="yulin")
with ReportFlow(SqliteStore(sys.argv[1]), REPORT, retry_timeout=60) as flow:
    while True:
        flow.fire("r1", "comment", Comment(text="I was here."), by=me)
        print("kept", flush=True)
        time.sleep(0.001)  # the other one shall have its turn
"""


def test_processes_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    """Two processes write to one record until they are killed: all that was confirmed is kept, and each act whole."""
    path = tmp_path / "office.db"
    draft = Report.draft(title="Dark lamps", text="Eight.", authors=[Author(name="Qian")])
    with ReportFlow(SqliteStore(path), REPORT, new_id=lambda: "r1") as flow:
        flow.create(draft, by=LI)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = {
        name: subprocess.Popen(
            [sys.executable, "-c", WRITER, path, name], env=environment, stdout=subprocess.PIPE, text=True
        )
        for name in ("wang", "zhao")
    }
    try:
        for writer in writers.values():
            assert writer.stdout is not None
            assert [writer.stdout.readline() for _ in range(5)] == ["kept\n"] * 5
    finally:
        for writer in writers.values():
            writer.kill()
    confirmed = {name: 5 + writer.communicate()[0].count("kept\n") for name, writer in writers.items()}
    with ReportFlow(SqliteStore(path), REPORT) as flow:
        history = flow.history("r1", by=LI)
        assert replay(history, REPORT) == flow.get("r1", by=LI)
    kept = Counter(entry.actor.id for entry in history)
    assert all(confirmed[name] <= kept[name] <= confirmed[name] + 1 for name in confirmed), (confirmed, kept)
