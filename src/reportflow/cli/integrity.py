"""What `reportflow verify` shows: each flaw with its place, how far it has come, and how to go on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from reportflow.cli.outcome import json_line
from reportflow.cli.show import clean, console
from reportflow.cli.translation import CommandFailed, language, say, text
from reportflow.errors import ReportflowError
from reportflow.flow.sync import ReportFlow
from reportflow.flow.verification import Verification
from reportflow.i18n.catalog import DEVELOPER
from reportflow.lifecycle.chain import Flaw


class NotVerified(CommandFailed):
    """It could not be verified; exit code 2, since 1 says that something is wrong with what is stored."""

    usual_code = 2


def verify(flow: ReportFlow, after: str | None, limit: int, against: str | None, *, as_json: bool = False) -> int:
    """Verify a database and show what is wrong, or print it as JSON; the exit code."""
    latest = [Verification()]
    try:
        with _bar(latest) as progress:
            found = flow.verify(after=after, limit=limit, against=against, progress=progress)
    except KeyboardInterrupt:
        found = latest[0]
    if as_json:
        click.echo(json_line(_plain(found)))
    else:
        _show(found)
    if not found.finished:
        say(text("verify.more", given=shlex.quote(found.reached or "")), err=True)
    return 1 if not found.ok else 0 if found.finished else NotVerified.usual_code


def _plain(found: Verification) -> dict[str, object]:
    """What was found, as plain data."""
    unknown = [{"kind": kind, "version": version, "records": n} for (kind, version), n in found.unknown.items()]
    flaws = [{**attrs.asdict(one), "message": one.text(language())} for one in found.flaws]
    counted = {"records": found.records, "entries": found.entries}
    ended = {"reached": found.reached, "finished": found.finished}
    return {"ok": found.ok, **counted, "flaws": flaws, "unknown": unknown, **ended}


def _show(found: Verification) -> None:
    """Each flaw with its place, and the verdict."""
    shown = console()
    for flaw in found.flaws:
        shown.print(clean(_line(flaw)), soft_wrap=True)
    for (name, number), records in found.unknown.items():
        shown.print(clean(text("verify.unknown", name=name, number=number, records=records)), soft_wrap=True)
    facts = {"records": found.records, "entries": found.entries, "number": len(found.flaws)}
    shown.print(clean(text("verify.sound" if found.ok else "verify.unsound", **facts)), soft_wrap=True)


@contextmanager
def not_verified() -> Iterator[None]:
    """Tell what could not be verified from what is wrong, by the exit code.

    Raises:
        NotVerified: instead of any other error.
    """
    try:
        yield
    except CommandFailed as error:
        raise NotVerified(error.message) from error
    except ReportflowError as error:
        raise NotVerified(error.message(language(), reader=DEVELOPER)) from error


def _line(flaw: Flaw) -> str:
    id = flaw.record_id if flaw.record_id.isprintable() else json.dumps(flaw.record_id)
    facts = {"id": id, "given": flaw.text(language())}
    if flaw.sequence is None:
        return text("verify.record", **facts)
    return text("verify.place", **facts, number=flaw.sequence)


@contextmanager
def _bar(latest: list[Verification]) -> Iterator[Callable[[Verification], None]]:
    """What shows how far it has come, where the errors go to a terminal, and remembers it."""
    terminal = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(text("verify.running"), total=None)

        def show(now: Verification) -> None:
            latest[0] = now
            facts = {"records": now.records, "entries": now.entries, "number": len(now.flaws)}
            bar.update(task, description=text("verify.so_far", **facts))

        yield show
