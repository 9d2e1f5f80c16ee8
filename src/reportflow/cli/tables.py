"""The commands on the tables of a database: their version, their views, and a copy of them all."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from reportflow.cli import moving
from reportflow.cli.lookup import find_lifecycle
from reportflow.cli.translation import (
    CommandFailed,
    DeveloperCommand,
    TranslatedGroup,
    help_option,
    language,
    language_option,
    option,
    text,
)
from reportflow.errors import StorageUnavailable
from reportflow.redaction import redacted

DATABASE: Final = "sqlite:///office.db"

database_option = option(
    "--database", metavar="URL", envvar="REPORTFLOW_DATABASE", default=DATABASE, help="help.database"
)


@contextmanager
def advised(database: str) -> Iterator[None]:
    """Where there are no tables yet, advise how to make some."""
    try:
        yield
    except StorageUnavailable as error:
        if error.advice != "create":
            raise
        url = redacted(database)
        command = f"reportflow demo --database {shlex.quote(url)}"
        raise CommandFailed(text("wrong.no_office", url=url, command=command)) from error


@click.group("db", cls=TranslatedGroup, help="help.db")
@help_option
@language_option
def db() -> None:
    """The commands on the tables."""


def _on_tables(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of that group: a function of the URL, and of what names the tables."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def command(database: str, **place: str | None) -> None:
            with advised(database):
                function(database, **{name: one for name, one in place.items() if one is not None})

        prefix = option("--prefix", metavar="PREFIX", help="help.prefix")
        schema = option("--schema", metavar="SCHEMA", help="help.schema")
        with_options = database_option(prefix(schema(help_option(language_option(command)))))
        return db.command(name, cls=DeveloperCommand, help=f"help.db.{name}")(with_options)

    return decorate


def _migrations() -> Any:
    """The module that upgrades the tables; Alembic is an extra of its own."""
    from reportflow.storage.sql import upgrade

    return upgrade


@_on_tables("upgrade")
def upgrade(database: str, **place: str) -> None:
    """Upgrade the tables."""
    from reportflow.storage.sql.views import standing

    migrations = _migrations()
    views = standing(database, **place)
    number, before = migrations.SCHEMA_VERSION, migrations.upgrade(database, **place)
    code = "db.made" if before is None else "db.already" if before == number else "db.upgraded"
    click.echo(text(code, before=before, number=number))
    if views and not standing(database, **place):
        click.echo(text("db.views_gone"))


@_on_tables("current")
def current(database: str, **place: str) -> None:
    """Show their version."""
    migrations = _migrations()
    before = migrations.current(database, **place)
    code = "db.none" if before is None else "db.current"
    click.echo(text(code, before=before, number=migrations.SCHEMA_VERSION))


@_on_tables("sql")
@option("--since", metavar="VERSION", help="help.since")
def sql(database: str, **place: str) -> None:
    """Print the SQL."""
    migrations = _migrations()
    click.echo(migrations.offline_sql(database, **place), nl=False)


@_on_tables("views")
@option("--lifecycle", "names", metavar="PACKAGE.MODULE:LIFECYCLE", multiple=True, help="help.views_of")
@option("--drop", is_flag=True, help="help.drop_views")
def views(database: str, names: tuple[str, ...], drop: bool, **place: Any) -> None:
    """Make the views, or drop them."""
    from reportflow.storage.sql.views import drop_views, make_views

    if drop:
        click.echo(text("db.views_dropped", number=len(drop_views(database, **place))))
        return
    lifecycles = [find_lifecycle(name) for name in names or [""]]
    made = make_views(database, lifecycles, language=language(), **place)
    click.echo(text("db.views_made"))
    for name in made:
        click.echo(f"  {name}")
    click.echo(text("db.views_secret", name=made[0]))


@db.command("copy", cls=DeveloperCommand, help="help.db.copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@option("--lifecycle", "names", metavar="PACKAGE.MODULE:LIFECYCLE", multiple=True, help="help.lifecycles")
@help_option
@language_option
def copy(source: str, target: str, names: tuple[str, ...]) -> None:
    """Copy a database."""
    with advised(source):
        moving.copy(source, target, [find_lifecycle(name) for name in names or [""]])
