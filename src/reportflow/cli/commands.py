"""The commands. The terminal acts as the operator of the database, with all roles of the report's lifecycle."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import attrs
import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reportflow.cli import acts, inspection, integrity, keeping, proof, reads, serving, show
from reportflow.cli.completing import SHELLS, script
from reportflow.cli.lookup import current_folder_importable, find_lifecycle
from reportflow.cli.tables import DATABASE, advised, database_option, db
from reportflow.cli.translation import (
    CommandFailed,
    DeveloperCommand,
    TranslatedCommand,
    TranslatedGroup,
    help_option,
    language,
    language_option,
    option,
    text,
)
from reportflow.cli.whose import OPERATOR, Asker, json_option, office_of, zone_option
from reportflow.demo import vocabulary, year
from reportflow.demo.plan import SEED, YEAR, ZONE
from reportflow.errors import DuplicateKey, InvalidDefinition
from reportflow.flow.base import LIMIT
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.client import client_source
from reportflow.lifecycle.diagram import dot, mermaid
from reportflow.model.actor import ANY, UNIT, Actor, Secrecy
from reportflow.model.query import Happened, Interval, Query
from reportflow.office.figures import figures, instructions
from reportflow.office.report import REPORT
from reportflow.opening import open_flow
from reportflow.redaction import redacted

_MEMORY: Final = ("memory:", "memory://")

_unit = option("--unit", metavar="UNIT", help="help.unit")


@click.group(cls=TranslatedGroup, help="help.reportflow")
@help_option
@language_option
def reportflow() -> None:
    """The group."""


def _command(name: str, cls: type[TranslatedCommand] = TranslatedCommand) -> Callable[[Callable[..., None]], Any]:
    """A command of the group, with its help and the options that all have."""
    registered = reportflow.command(name, cls=cls, help=f"help.{name}")
    return lambda function: registered(help_option(language_option(function)))


@_command("demo")
@database_option
@option("--seed", type=int, default=SEED, help="help.seed")
def demo(database: str, seed: int) -> None:
    """Play the year, show its figures and the history of one report."""
    with open_flow(database) as flow:
        _play(flow, year.acts(seed), database)
        click.echo(vocabulary.NOTE.get(language(), vocabulary.NOTE["en"]))
        click.echo()
        _count(flow, YEAR, ZONE, vocabulary.UNIT, vocabulary.BODY)
        happened = Happened(trigger="instruct", at=Interval.year(YEAR, ZONE))
        record = max(flow.store.find(Query(kind=REPORT.name, happened=happened)), key=lambda one: one.version)
        click.echo()
        operator = Asker(OPERATOR, None, None, {})
        reads.show_past(office_of(flow, operator, [REPORT], ZONE), record)
    click.echo()
    if database in _MEMORY:
        click.echo(text("demo.forgotten", command=f"{_program()} demo --database {DATABASE}"))
        return
    where = f"--database {shlex.quote(redacted(database))}"
    click.echo(text("demo.next"))
    for line in (
        f"figures {where} --year {YEAR} --json",
        f"history {where} {record.reference}",
        f"inbox {where} --as editor",
        "diagram --no-loops",
    ):
        click.echo(f"  {_program()} {line}")


@_command("serve")
@database_option
@option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="help.host")
@option("--port", type=click.IntRange(0, 65535), default=8300, show_default=True, help="help.port")
@option("--lifecycle", "names", metavar="PACKAGE.MODULE:LIFECYCLE", multiple=True, help="help.lifecycles")
def serve(database: str, host: str, port: int, names: tuple[str, ...]) -> None:
    """Serve the portal."""
    serving.check_host(host)
    own = [find_lifecycle(name) for name in names]
    with (
        serving.listen(host, port) as listening,
        current_folder_importable(),
        open_flow(database, lifecycles=own or REPORT, zone=None if own else ZONE) as flow,
    ):
        app = serving.application(flow, own)
        if not own and not flow.store.count(Query())[()]:
            _play(flow, year.acts(SEED), database)
        serving.run(app, listening)


def _play(flow: ReportFlow, acts: list[year.DemoAct], database: str) -> None:
    stored = flow.store.count(Query())[()]
    if stored and flow.store.by_key(acts[0].by.id, acts[0].key) is None:
        raise CommandFailed(text("demo.not_empty", url=redacted(database), number=stored))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = show.console(stderr=True)
    try:
        with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
            for _ in progress.track(year.play(flow, acts), total=len(acts), description=text("demo.playing")):
                pass
    except DuplicateKey:
        raise CommandFailed(text("demo.other_seed", url=redacted(database))) from None
    except KeyboardInterrupt:
        raise CommandFailed(text("demo.interrupted")) from None


def _program() -> str:
    """How this program was started, so that the commands shown can be typed as they stand."""
    started = sys.argv[0]
    if started.endswith(os.path.join("reportflow", "cli", "__main__.py")):
        return "python -m reportflow.cli"
    found = shutil.which("reportflow")
    elsewhere = os.path.basename(started) == "reportflow" and (found is None or not os.path.samefile(found, started))
    return shlex.quote(started) if elsewhere else "reportflow"


@_command("figures")
@database_option
@option("--year", "wanted", type=int, required=True, help="help.year")
@option("--json", "as_json", is_flag=True, help="help.json")
@zone_option
@option("--body", metavar="NAME", help="help.body")
@_unit
def show_figures(database: str, wanted: int, as_json: bool, zone: tzinfo, body: str | None, unit: str | None) -> None:
    """Count a year."""
    with _opened(database, unit) as flow:
        _count(flow, wanted, zone, unit or "", body, title=body or unit or "", as_json=as_json)


def _count(
    flow: ReportFlow, wanted: int, zone: tzinfo, unit: str, body: str | None, title: str = "", *, as_json: bool = False
) -> None:
    operator, interval = _operator(unit), Interval.year(wanted, zone)
    counted = figures(flow, by=operator, interval=interval, body=body)
    if as_json:
        click.echo(json.dumps(counted.as_dict(), ensure_ascii=False))
    elif not any(counted.as_dict().values()):
        click.echo(text("figures.empty", year=wanted))
    else:
        title = text("figures.title", year=wanted, given=title or body or "").strip(" ,")
        show.show_figures(counted, title, instructions(flow, by=operator, interval=interval))


@_command("diagram")
@click.argument("lifecycle", metavar="[PACKAGE.MODULE:LIFECYCLE]", default="")
@option("--format", "kind", type=click.Choice(["mermaid", "dot"]), default="mermaid", help="help.format")
@option("--loops/--no-loops", default=True, help="help.loops")
def diagram(lifecycle: str, kind: str, loops: bool) -> None:
    """Draw a lifecycle."""
    draw = mermaid if kind == "mermaid" else dot
    click.echo(draw(find_lifecycle(lifecycle), language(), loops=loops), nl=False)


@_command("client", DeveloperCommand)
@click.argument("lifecycle", metavar="[PACKAGE.MODULE:LIFECYCLE]", default="")
@option("--check", "current", metavar="FILE", help="help.current")
def client(lifecycle: str, current: str | None) -> None:
    """Write a typed client, or see that a file is the one that would be written."""
    found = find_lifecycle(lifecycle)
    try:
        source = client_source(found, lifecycle)
    except InvalidDefinition as error:
        raise CommandFailed(str(error)) from error
    if current is None:
        click.echo(source, nl=False)
        return
    try:
        written = Path(current).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(text("wrong.client_unreadable", given=current, why=type(error).__name__)) from error
    if written != source:
        command = f"reportflow client {lifecycle}".rstrip()
        raise CommandFailed(text("wrong.client_differs", given=current, command=f"{command} > {current}"))


@_command("conform", DeveloperCommand)
@click.argument("factory", metavar="PACKAGE.MODULE:FACTORY")
@option("--reopen", metavar="PACKAGE.MODULE:FUNCTION", help="help.reopen")
@option("--profile", type=click.Choice(["brief", "default", "thorough"]), default="default", help="help.profile")
@option("--seed", type=int, help="help.random_seed")
def conform(factory: str, reopen: str | None, profile: str, seed: int | None) -> None:
    """Hold a store against the contract."""
    if not proof.prove(factory, reopen, profile, seed):
        raise click.exceptions.Exit(1)


@_command("cover", DeveloperCommand)
@click.argument("lifecycle", metavar="[PACKAGE.MODULE:LIFECYCLE]", default="")
@option("--with", "modules", metavar="PACKAGE.MODULE", multiple=True, help="help.with")
def cover(lifecycle: str, modules: tuple[str, ...]) -> None:
    """Go every way that a lifecycle allows, and show what was covered."""
    with current_folder_importable():
        proof.cover(*inspection.find_with(lifecycle, modules))


@_command("check", DeveloperCommand)
@click.argument("lifecycle", metavar="[PACKAGE.MODULE:LIFECYCLE]", default="")
@option("--matrix", type=click.Choice(sorted(inspection.MATRICES)), help="help.matrix")
@option("--with", "modules", metavar="PACKAGE.MODULE", multiple=True, help="help.with")
@option("--accept", metavar="CODE=REASON", multiple=True, help="help.accept")
def check(lifecycle: str, matrix: str | None, modules: tuple[str, ...], accept: tuple[str, ...]) -> None:
    """Try a lifecycle out, or show who may do what in it."""
    found = inspection.find_whole(lifecycle, modules)
    if found is None:
        raise click.exceptions.Exit(1)
    if matrix is not None:
        click.echo(inspection.draw_matrix(found[0], matrix), nl=False)
        return
    with current_folder_importable():  # rules may import too, when they are first evaluated
        if not inspection.inspect(*found, accept):
            raise click.exceptions.Exit(1)


@_command("verify", DeveloperCommand)
@database_option
@option("--after", metavar="ID", help="help.after")
@option("--against", metavar="FILE", help="help.against")
@option("--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="help.flaws")
@json_option
def verify(database: str, after: str | None, against: str | None, limit: int, as_json: bool) -> None:
    """Verify what is stored."""
    with integrity.not_verified(), _opened(database) as flow:
        code = integrity.verify(flow, after, limit, against, as_json=as_json)
    raise click.exceptions.Exit(code)


@_command("heads", DeveloperCommand)
@database_option
def heads(database: str) -> None:
    """Write the heads."""
    with _opened(database) as flow:
        for line in flow.heads():
            click.echo(line, nl=False)


for _one in (db, acts.new, acts.fire, acts.options, reads.show, reads.find, reads.inbox, reads.history, reads.diff,
             keeping.upload, keeping.download, keeping.sweep, keeping.relay):  # fmt: skip
    reportflow.add_command(_one)


@_command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what a shell runs."""
    click.echo(script(reportflow, "reportflow", shell), nl=False)


def _operator(unit: str) -> Actor:
    return Actor(id=OPERATOR, roles=REPORT.roles, unit=unit, clearance=Secrecy.TOP_SECRET)


@contextmanager
def _opened(database: str, unit: str | None = None) -> Iterator[ReportFlow]:
    """A flow on a database that exists; a mistyped path makes no file. Without a unit, roles reach all of them."""
    anywhere = {role: ANY if scope is UNIT else scope for role, scope in REPORT.roles.items()}
    with advised(database):
        lifecycle = REPORT if unit is not None else attrs.evolve(REPORT, roles=anywhere)
        flow = open_flow(database, create=False, lifecycles=lifecycle)
    with flow:
        yield flow
