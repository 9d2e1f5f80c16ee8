"""The commands on files and relays: `upload`, `download`, `sweep` and `relay`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import attrs
import click

from reportflow.cli import sheets
from reportflow.cli.outcome import USAGE, json_line
from reportflow.cli.show import FIXED, WIDE, clean, console, table
from reportflow.cli.translation import (
    CommandFailed,
    DeveloperCommand,
    option,
    text,
)
from reportflow.cli.whose import Office, asking
from reportflow.flow.base import GRACE
from reportflow.model.attachment import attachments_in
from reportflow.serialization.plain import to_plain
from reportflow.storage.leases import Delivery, Leases, SupportsLeases

#: How many entries that wait for a relay are counted.
_COUNTED: Final = 1000


def _check_files(office: Office) -> None:
    if not office.keeps_files:
        raise CommandFailed(text("wrong.no_files"), USAGE)


@asking(
    "upload", click.argument("paths", metavar="FILE...", nargs=-1, required=True),
    about="help.upload", acts=True,
)  # fmt: skip
def upload(office: Office, *, as_json: bool, paths: tuple[str, ...]) -> None:
    """Keep some files."""
    _check_files(office)
    kept = []
    for path in paths:
        try:
            with Path(path).open("rb") as content:
                kept.append(office.flow.upload(content, name=Path(path).name, by=office.actor))
        except OSError as error:
            raise CommandFailed(text("wrong.file", given=path, why=type(error).__name__)) from error
    if as_json:
        click.echo(json_line({"attachments": [to_plain(one) for one in kept]}))
        return
    for one in kept:
        sheets.show_facts({text("files.name"): one.name, text("files.size"): one.size, "sha256": one.sha256})


@asking(
    "download", click.argument("number", metavar="NUMBER"),
    click.argument("name", metavar="[FILE]", default=""), option("--to", "target", metavar="PATH", help="help.to_path"),
    about="help.download",
)  # fmt: skip
def download(office: Office, number: str, name: str, *, as_json: bool, target: str | None) -> None:
    """Save a file of a record."""
    _check_files(office)
    record = office.record(number)
    actor = office.on(record)
    entries = office.wide.history(record.id, by=actor)
    held = [one for value in (record, *(entry.details for entry in entries)) for _, one in attachments_in(value)]
    known = list(dict.fromkeys(held))
    found = [one for one in known if name in (one.name, one.sha256)]
    if not found:
        names = [one.name for one in known]
        raise CommandFailed(text("files.which", names=names) if names else text("files.none"))
    path = Path(target or Path(found[0].name).name)
    with office.wide.download(record.id, found[0], by=actor) as content:
        _save(path, content)
    if as_json:
        click.echo(json_line({"path": str(path), "attachment": to_plain(found[0])}))
    else:
        console().print(clean(text("files.saved", given=path, size=found[0].size)), soft_wrap=True)


def _save(path: Path, content: Any) -> None:
    """Write a new file; one that is there is left alone.

    Raises:
        CommandFailed: there is one, or it cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for some in content:
                file.write(some)
    except OSError as error:
        raise CommandFailed(text("files.not_saved", given=path, why=type(error).__name__)) from error


@asking(
    "sweep", option("--grace", type=float, default=GRACE, metavar="SECONDS", help="help.grace"),
    about="help.sweep",
    cls=DeveloperCommand,
)  # fmt: skip
def sweep(office: Office, *, as_json: bool, grace: float) -> None:
    """Remove the contents that nothing names."""
    _check_files(office)
    gone = office.flow.sweep_files(grace=grace)
    click.echo(json_line({"removed": gone}) if as_json else text("files.swept", number=len(gone)))


@asking(
    "relay", option("--relay", "name", metavar="NAME", default="relay", help="help.relay_name"),
    option("--requeue", "id", metavar="ID", multiple=True, help="help.requeue"), about="help.relay",
    cls=DeveloperCommand,
)  # fmt: skip
def relay(office: Office, *, as_json: bool, name: str, id: tuple[str, ...]) -> None:
    """Show how far a relay has come, and what it could not publish."""
    store = office.flow.store
    if not isinstance(store, SupportsLeases):
        raise CommandFailed(text("relay.no_leases"))
    leases: Leases = store.leases
    for one in id:
        if not leases.requeue(name, one, now=datetime.now(UTC)):
            raise CommandFailed(text("relay.no_letter", given=one))
    lease = leases.current(name)
    waiting = len(store.feed(None if lease is None else lease.position, _COUNTED))
    dead, rest = leases.deliveries(name, dead=True), leases.deliveries(name, dead=False)
    if as_json:
        plain = {
            "lease": None if lease is None else _plain(lease),
            "unread": waiting,
            "waiting": [_plain(one) for one in rest],
            "dead": [_plain(one) for one in dead],
        }
        click.echo(json_line(plain))
        return
    if id:
        click.echo(text("relay.requeued", number=len(id)))
    if lease is None:
        click.echo(text("relay.never", name=name))
    else:
        until = lease.expires_at.astimezone(office.zone).strftime("%Y-%m-%d %H:%M:%S")
        facts = {"name": name, "holder": lease.holder, "until": until, "position": lease.position or 0}
        console().print(clean(text("relay.lease", **facts)), soft_wrap=True)
    more = text("relay.or_more") if waiting == _COUNTED else ""
    click.echo(text("relay.unread", number=waiting, more=more, failing=len(rest), dead=len(dead)))
    _show_deliveries([*rest, *dead])


def _plain(value: Any) -> dict[str, Any]:
    plain = attrs.asdict(value)
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in plain.items()}


def _show_deliveries(several: list[Delivery]) -> None:
    if several:
        rows = table({"relay.entry": WIDE, "relay.state": FIXED, "relay.tries": FIXED, "relay.error": WIDE})
        for one in several:
            rows.add_row(*map(clean, (one.id, one.state, str(one.tries), one.error)))
        console().print(rows)
