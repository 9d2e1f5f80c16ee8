"""The commands. The terminal acts as the operator of the database: reads with all roles of the report's lifecycle."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, Final, TypeVar

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reportflow.cli import inspection, proof, show, tables
from reportflow.cli.named import beside, imported, named
from reportflow.cli.speech import Command, Group, Option, Told, help_option, language, language_option, say
from reportflow.cli.texts import CATALOG
from reportflow.demo import words, year
from reportflow.demo.stories import SEED, YEAR, ZONE
from reportflow.errors import DuplicateKey, InvalidDefinition, StorageUnavailable
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.diagram import dot, mermaid
from reportflow.model.actor import OWN, Actor, Secrecy
from reportflow.model.query import Happened, Interval, Query
from reportflow.office.figures import Figures, figures
from reportflow.office.report import REPORT
from reportflow.opening import open_flow

F = TypeVar("F", bound=Callable[..., Any])

DATABASE: Final = "sqlite:///office.db"
_MEMORY: Final = ("memory:", "memory://")

_database = click.option(
    "--database", cls=Option, metavar="URL", envvar="REPORTFLOW_DATABASE", default=DATABASE, help="help.database"
)
_unit = click.option("--unit", cls=Option, metavar="UNIT", help="help.unit")


def _zone(context: click.Context, _: click.Parameter, value: str) -> tzinfo:
    try:
        zone = datetime.strptime(value, "%z").tzinfo
    except ValueError:
        raise Told(say("wrong.utc_offset", given=value)) from None
    assert zone is not None, "%z gives one"
    return zone


_utc_offset = click.option(
    "--utc-offset", "zone", cls=Option, metavar="±HH:MM", default="+08:00", callback=_zone, help="help.utc_offset"
)


@click.group(cls=Group, help="help.reportflow")
@help_option
@language_option
def reportflow() -> None:
    """The group."""


def _command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of the group, with its help and the options that all have."""

    def made(function: Callable[..., None]) -> click.Command:
        with_options = help_option(language_option(function))
        return reportflow.command(name, cls=Command, help=f"help.{name}")(with_options)

    return made


# ---------------------------------------------------------------------------------------------------------------


@_command("demo")
@_database
@click.option("--seed", cls=Option, type=int, default=SEED, help="help.seed")
def demo(database: str, seed: int) -> None:
    """Play the year, show its figures and the path of one report."""
    with open_flow(database) as flow:
        _play(flow, year.acts(seed), database)
        operator = _operator(words.UNIT)
        interval = Interval.year(YEAR, ZONE)
        counted = figures(flow, by=operator, interval=interval, body=words.BODY)
        show.show_figures(counted, say("demo.figures", year=YEAR, body=words.BODY))
        instructed = flow.find(Query(kind=REPORT.name, happened=Happened(trigger="instruct", at=interval)), by=operator)
        record = max(instructed, key=lambda one: one.version)
        click.echo()
        show.show_history(record, flow.history(record.id, by=operator), REPORT, ZONE)
    _say_what_next(database, record.id)


def _play(flow: ReportFlow, acts: list[year.Act], database: str) -> None:
    held = flow.store.count(Query())[()]
    if held and flow.store.by_key(acts[0].by.id, acts[0].key) is None:
        raise Told(say("demo.not_empty", url=database, number=held))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = show.console(stderr=True)
    try:
        with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
            for _ in progress.track(year.play(flow, acts), total=len(acts), description=say("demo.playing")):
                pass
    except DuplicateKey:
        raise Told(say("demo.other_seed", url=database)) from None
    except KeyboardInterrupt:
        raise Told(say("demo.interrupted")) from None


def _say_what_next(database: str, id: str) -> None:
    click.echo()
    if database in _MEMORY:
        click.echo(say("demo.forgotten", command=f"{_program()} demo --database {DATABASE}"))
        return
    where = f"--database {shlex.quote(database)}"
    click.echo(say("demo.next"))
    for line in (
        f"figures {where} --year {YEAR} --json",
        f"history {where} {id}",
        f"inbox {where} --as editor",
        "diagram --no-loops",
    ):
        click.echo(f"  {_program()} {line}")


def _program() -> str:
    """How this program was started, so that what is shown can be typed as it stands."""
    started = sys.argv[0]
    if started.endswith(os.path.join("reportflow", "cli", "__main__.py")):
        return "python -m reportflow.cli"
    found = shutil.which("reportflow")
    elsewhere = os.path.basename(started) == "reportflow" and (found is None or not os.path.samefile(found, started))
    return shlex.quote(started) if elsewhere else "reportflow"


# ---------------------------------------------------------------------------------------------------------------


@_command("figures")
@_database
@click.option("--year", "wanted", cls=Option, type=int, required=True, help="help.year")
@click.option("--json", "as_json", cls=Option, is_flag=True, help="help.json")
@_utc_offset
@click.option("--body", cls=Option, metavar="NAME", help="help.body")
@_unit
def show_figures(database: str, wanted: int, as_json: bool, zone: tzinfo, body: str | None, unit: str | None) -> None:
    """Count a year."""
    interval = Interval.year(wanted, zone)
    with _opened(database) as flow:
        chosen = _chosen_unit(flow, unit)
        counted = figures(flow, by=_operator(chosen), interval=interval, body=body)
    if as_json:
        click.echo(json.dumps(counted.as_dict(), ensure_ascii=False))
    elif _is_empty(counted):
        click.echo(say("figures.empty", year=wanted, url=database))
    else:
        show.show_figures(counted, say("figures.title" if chosen else "figures.of_all", year=wanted, unit=chosen))


def _is_empty(counted: Figures) -> bool:
    return not any(counted.as_dict().values())


@_command("history")
@click.argument("id")
@_database
@_utc_offset
def history(id: str, database: str, zone: tzinfo) -> None:
    """Show one record's path."""
    with _opened(database) as flow:
        unit = flow.store.get([id])[0].unit  # the operator of the database is of every unit
        operator = _operator(unit)
        show.show_history(flow.get(id, by=operator), flow.history(id, by=operator), REPORT, zone)


@_command("inbox")
@_database
@click.option("--as", "role", cls=Option, metavar="ROLE", required=True, help="help.as")
@click.option("--id", "actor", cls=Option, metavar="ACTOR", help="help.id")
@_unit
@click.option("--limit", cls=Option, type=int, default=20, show_default=True, help="help.limit")
@_utc_offset
def inbox(database: str, role: str, actor: str | None, unit: str | None, limit: int, zone: tzinfo) -> None:
    """Show what waits."""
    if role not in REPORT.roles:
        raise Told(say("wrong.role", given=role, choices=list(REPORT.roles)))
    named = CATALOG.label("role", role, language())
    if actor is None and REPORT.roles[role] is OWN:
        raise Told(say("inbox.own", given=named))
    with _opened(database) as flow:
        asker = Actor(id=actor or _OPERATOR, roles={role}, unit=_chosen_unit(flow, unit), clearance=Secrecy.TOP_SECRET)
        page = flow.inbox(by=asker, limit=limit)
    if not page.records:
        click.echo(say("inbox.empty", given=named))
        return
    show.show_inbox(page, REPORT, say("inbox.title", given=named), zone)
    if page.next:
        click.echo(say("inbox.more", number=limit * 10))


@_command("diagram")
@click.argument("lifecycle", metavar="[PACKAGE.MODULE:LIFECYCLE]", default="")
@click.option(
    "--format", "kind", cls=Option, type=click.Choice(["mermaid", "dot"]), default="mermaid", help="help.format"
)
@click.option("--loops/--no-loops", cls=Option, default=True, help="help.loops")
def diagram(lifecycle: str, kind: str, loops: bool) -> None:
    """Draw a lifecycle."""
    draw = mermaid if kind == "mermaid" else dot
    found = _named_lifecycle(lifecycle) if lifecycle else REPORT
    click.echo(draw(found, language(), loops=loops), nl=False)


@_command("conform")
@click.argument("factory", metavar="PACKAGE.MODULE:FACTORY")
@click.option("--reopen", cls=Option, metavar="PACKAGE.MODULE:FUNCTION", help="help.reopen")
@click.option(
    "--profile", cls=Option, type=click.Choice(["brief", "default", "thorough"]), default="default", help="help.profile"
)
@click.option("--seed", cls=Option, type=int, help="help.random_seed")
def conform(factory: str, reopen: str | None, profile: str, seed: int | None) -> None:
    """Prove a store."""
    if not proof.prove(factory, reopen, profile, seed):
        raise click.exceptions.Exit(1)


@_command("check")
@click.argument("lifecycle", metavar="[PACKAGE.MODULE:LIFECYCLE]", default="")
@click.option("--matrix", cls=Option, type=click.Choice(sorted(inspection.MATRICES)), help="help.matrix")
@click.option("--with", "modules", cls=Option, metavar="PACKAGE.MODULE", multiple=True, help="help.with")
def check(lifecycle: str, matrix: str | None, modules: tuple[str, ...]) -> None:
    """Try a lifecycle out, or show who may do what in it."""
    try:
        more = [imported(one, one, "wrong.module") for one in modules]
        found = _named_lifecycle(lifecycle) if lifecycle else REPORT
    except Told as told:
        if not isinstance(told.__cause__, InvalidDefinition):
            raise
        inspection.show_faults(told.__cause__)
        raise click.exceptions.Exit(1) from None
    if matrix is not None:
        click.echo(inspection.draw_matrix(found, matrix), nl=False)
        return
    own = [sys.modules[lifecycle.partition(":")[0]]] if lifecycle else []
    with beside():  # rules may import too, when they are first asked
        sound = inspection.inspect(found, inspection.neighbours(found, own, more))
    if not sound:
        raise click.exceptions.Exit(1)


@reportflow.group("db", cls=Group, help="help.db")
@help_option
@language_option
def db() -> None:
    """The group of what is done to the tables."""


def _on_tables(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of that group, with the options that say where the tables are."""

    def made(function: Callable[..., None]) -> click.Command:
        prefix = click.option("--prefix", cls=Option, metavar="PREFIX", help="help.prefix")
        schema = click.option("--schema", cls=Option, metavar="SCHEMA", help="help.schema")
        with_options = _database(prefix(schema(help_option(language_option(function)))))
        return db.command(name, cls=Command, help=f"help.db.{name}")(with_options)

    return made


@_on_tables("upgrade")
def upgrade(database: str, prefix: str | None, schema: str | None) -> None:
    """Upgrade the tables."""
    with _offered(database):
        click.echo(tables.upgrade(database, prefix=prefix, schema=schema))


@_on_tables("current")
def current(database: str, prefix: str | None, schema: str | None) -> None:
    """Say which version they are of."""
    with _offered(database):
        click.echo(tables.current(database, prefix=prefix, schema=schema))


@_on_tables("sql")
@click.option("--since", cls=Option, metavar="VERSION", help="help.since")
def sql(database: str, prefix: str | None, schema: str | None, since: str | None) -> None:
    """Print the SQL."""
    click.echo(tables.sql(database, prefix=prefix, schema=schema, since=since), nl=False)


def _named_lifecycle(given: str) -> Lifecycle:
    found = named(given, "wrong.lifecycle")
    if not isinstance(found, Lifecycle):
        kind = type(found).__name__
        raise Told(say("wrong.lifecycle", given=given, why=say("wrong.not_a_lifecycle", kind=kind)))
    return found


# ---------------------------------------------------------------------------------------------------------------

_OPERATOR: Final = "operator"


def _operator(unit: str) -> Actor:
    return Actor(id=_OPERATOR, roles=REPORT.roles, unit=unit, clearance=Secrecy.TOP_SECRET)


@contextmanager
def _offered(database: str) -> Iterator[None]:
    """Where there is nothing yet, say how to make an office."""
    try:
        yield
    except StorageUnavailable as error:
        if error.advice != "create":
            raise
        command = f"reportflow demo --database {shlex.quote(database)}"
        raise Told(say("wrong.no_office", url=database, command=command)) from error


@contextmanager
def _opened(database: str) -> Iterator[ReportFlow]:
    """A flow on what is there; a mistyped path makes no file."""
    with _offered(database):
        flow = open_flow(database, create=False)
    with flow:
        yield flow


def _chosen_unit(flow: ReportFlow, unit: str | None) -> str:
    """The unit that was named, else the only one."""
    if unit is not None:
        return unit
    units = sorted(str(one) for (one,) in flow.store.count(Query(kind=REPORT.name), group=("unit",)))
    if len(units) > 1:
        raise Told(say("wrong.unit", choices=units))
    return units[0] if units else ""
