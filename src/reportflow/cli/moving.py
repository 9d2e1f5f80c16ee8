"""What `reportflow db copy` shows: how far it has come, and what was copied."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from reportflow.cli.lookup import current_folder_importable
from reportflow.cli.show import console
from reportflow.cli.translation import CommandFailed, language, text
from reportflow.errors import InvalidValue
from reportflow.i18n.catalog import DEVELOPER, STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.moving import Copying, copy_database
from reportflow.redaction import redacted


def copy(source: str, target: str, lifecycles: Iterable[Lifecycle]) -> None:
    """Copy a database, and show it where the errors go to a terminal.

    Raises:
        CommandFailed: one of the two cannot be a side of this copy.
        ReportflowError: see `copy_database`.
    """
    terminal = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with current_folder_importable(), Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(text("db.so_far.verifying", records=0, entries=0), total=None)

        def show(now: Copying) -> None:
            code = f"db.so_far.{now.stage}"
            bar.update(task, description=text(code, records=now.records, entries=now.entries))

        try:
            done = copy_database(source, target, lifecycles, progress=show)
        except InvalidValue as error:
            side = {"source": source, "target": target, "store": target}.get(error.field)
            if side is None:
                raise
            why = STANDARD.text(f"value.{error.problem}", language(), error.details, reader=DEVELOPER)
            raise CommandFailed(text("db.no_copy", url=redacted(side), why=why)) from error
    click.echo(text("db.copied", records=done.records, entries=done.entries))
