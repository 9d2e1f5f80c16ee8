"""The commands. The terminal acts as the operator of the database, with all roles of the report's lifecycle."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import attrs
import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reportflow.cli import inspection, integrity, proof, show
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
from reportflow.demo import vocabulary, year
from reportflow.demo.plan import SEED, YEAR, ZONE
from reportflow.errors import DuplicateKey, InvalidDefinition, RecordNotFound, UnreadableRecord
from reportflow.flow.base import LIMIT
from reportflow.flow.sync import ReportFlow
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.client import client_source
from reportflow.lifecycle.diagram import dot, mermaid
from reportflow.model.actor import ANY, OWN, UNIT, Actor, Secrecy
from reportflow.model.query import Happened, Interval, Query
from reportflow.model.record import Record
from reportflow.office.figures import figures, instructions
from reportflow.office.report import REPORT, Credit, Merge
from reportflow.opening import open_flow
from reportflow.redaction import redacted

_MEMORY: Final = ("memory:", "memory://")

_unit = option("--unit", metavar="UNIT", help="help.unit")


def _zone(context: click.Context, _: click.Parameter, value: str) -> tzinfo:
    try:
        zone = datetime.strptime(value, "%z").tzinfo
    except ValueError:
        raise CommandFailed(text("wrong.utc_offset", given=value)) from None
    assert zone is not None, "%z gives one"
    return zone


_utc_offset = option("--utc-offset", "zone", metavar="±HH:MM", default="+08:00", callback=_zone, help="help.utc_offset")


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
        _count(flow, YEAR, ZONE, vocabulary.UNIT, vocabulary.BODY)
        happened = Happened(trigger="instruct", at=Interval.year(YEAR, ZONE))
        record = max(flow.store.find(Query(kind=REPORT.name, happened=happened)), key=lambda one: one.version)
        click.echo()
        _show_history(flow, record, ZONE)
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
@_utc_offset
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


@_command("history")
@click.argument("number", metavar="NUMBER")
@database_option
@_utc_offset
def history(number: str, database: str, zone: tzinfo) -> None:
    """Show what happened to one record."""
    with _opened(database) as flow:
        _show_history(flow, _find(flow, number), zone)


def _find(flow: ReportFlow, number: str) -> Record:
    """The record of an id or of an office's number, in any unit."""
    try:
        return flow.store.get([number])[0]
    except RecordNotFound:
        unreadable: list[str] = []
        found = [one for one in _records(flow, unreadable) if one.reference == number]
        if not found:
            show.say_left_out(unreadable)
            raise
    if len(found) > 1:
        raise CommandFailed(text("wrong.number", given=number, choices=[one.id for one in found]))
    return found[0]


def _records(flow: ReportFlow, unreadable: list[str] | None = None) -> Iterator[Record]:
    """All reports that can be read; the ids of the others are added to a list, where one is given."""
    query: Query | None = Query(kind=REPORT.name, limit=1000)
    while query is not None:
        page = flow.store.find(query)
        if unreadable is not None:
            unreadable += page.unreadable
        yield from page
        query = attrs.evolve(query, cursor=page.next) if page.next else None


def _show_history(flow: ReportFlow, record: Record, zone: tzinfo) -> None:
    operator = _operator(record.unit)  # the operator of the database is of every unit
    entries = flow.history(record.id, by=operator)
    names = {entry.actor.id: entry.actor.name for entry in entries if entry.actor.name}
    others = {entry.details.target for entry in entries if isinstance(entry.details, Merge)}
    others |= {entry.details.source for entry in entries if isinstance(entry.details, Credit)}
    for id in sorted(others):
        with suppress(UnreadableRecord):  # then its id is shown
            [other] = flow.store.get([id])
            facts = {"title": other.title, "number": other.reference}
            names[id] = STANDARD.text("word.record_numbered", language(), facts)
    show.show_history(record, entries, REPORT, zone, names)


@_command("inbox")
@database_option
@option("--as", "role", metavar="ROLE", required=True, help="help.as")
@option("--id", "actor", metavar="ACTOR", help="help.id")
@_unit
@option("--limit", type=int, default=20, show_default=True, help="help.limit")
@_utc_offset
def inbox(database: str, role: str, actor: str | None, unit: str | None, limit: int, zone: tzinfo) -> None:
    """Show what waits."""
    labels = {one: REPORT.label_of("role", one, language()) for one in REPORT.roles}
    if role not in labels:
        choices = [text("wrong.choice", name=one, label=label) for one, label in labels.items()]
        raise CommandFailed(text("wrong.role", given=role, choices=choices))
    if actor is None and REPORT.roles[role] is OWN:
        raise CommandFailed(text("inbox.own", given=labels[role]))
    with _opened(database, unit) as flow:
        asker = Actor(id=actor or _OPERATOR, roles={role}, unit=unit or "", clearance=Secrecy.TOP_SECRET)
        page = flow.inbox(by=asker, limit=limit)
    show.say_left_out(page.unreadable)
    if not page.records:
        click.echo(text("inbox.empty", given=labels[role]))
        return
    show.show_inbox(page.records, REPORT, text("inbox.title", given=labels[role]), zone)
    if page.next:
        click.echo(text("inbox.more", number=limit * 10))


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
def verify(database: str, after: str | None, against: str | None, limit: int) -> None:
    """Verify what is stored."""
    with integrity.not_verified(), _opened(database) as flow:
        code = integrity.verify(flow, after, limit, against)
    raise click.exceptions.Exit(code)


@_command("heads", DeveloperCommand)
@database_option
def heads(database: str) -> None:
    """Write the heads."""
    with _opened(database) as flow:
        for line in flow.heads():
            click.echo(line, nl=False)


reportflow.add_command(db)


_OPERATOR: Final = "operator"


def _operator(unit: str) -> Actor:
    return Actor(id=_OPERATOR, roles=REPORT.roles, unit=unit, clearance=Secrecy.TOP_SECRET)


@contextmanager
def _opened(database: str, unit: str | None = None) -> Iterator[ReportFlow]:
    """A flow on a database that exists; a mistyped path makes no file. Without a unit, roles reach all of them."""
    anywhere = {role: ANY if scope is UNIT else scope for role, scope in REPORT.roles.items()}
    with advised(database):
        lifecycle = REPORT if unit is not None else attrs.evolve(REPORT, roles=anywhere)
        flow = open_flow(database, create=False, lifecycles=lifecycle)
    with flow:
        yield flow
