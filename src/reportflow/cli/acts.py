"""The commands that change a record, and what may be done: `new`, `fire` and `options`, generated from the table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import click

from reportflow.cli import receipts
from reportflow.cli.completing import acts_of, complete_acts, complete_kinds, complete_triggers
from reportflow.cli.filling import filled, moment_of, reason_of
from reportflow.cli.forms import FireCommand, NewCommand, creating, find_triggers
from reportflow.cli.outcome import INTERRUPTED, USAGE, json_line
from reportflow.cli.translation import CommandFailed, language, option, say, text
from reportflow.cli.whose import Office, asking
from reportflow.flow.base import new_id
from reportflow.lifecycle.drafts import accepted_in_order
from reportflow.model.actor import UNIT, Actor
from reportflow.serialization.plain import to_plain

#: What the keys begin with that the terminal gives to its acts.
_KEY: Final = "terminal-"

#: How many digits of a digest are enough to name it.
_ENOUGH: Final = 8
_number = click.argument("number", metavar="NUMBER")


@contextmanager
def _kept(office: Office, key: str, actor: Actor) -> Iterator[dict[str, str]]:
    """Say after Ctrl-C whether the act was entered, and keep what was written in an editor where it was not.

    It gives what takes the texts that are written.

    Raises:
        CommandFailed: after Ctrl-C.
    """
    done, texts = False, dict[str, str]()
    try:
        yield texts
        done = True
    except KeyboardInterrupt:
        done = office.flow.by_key(key, by=actor) is not None
        said = text("wrong.interrupted_after") if done else text("wrong.interrupted_before")
        raise CommandFailed(said, INTERRUPTED) from None
    finally:
        if not done and texts:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt", delete=False) as file:
                file.write("\n\n".join(texts.values()))
            say(text("done.kept", given=Path(file.name)), err=True)


_ABOUT_ACT: Final = (
    option("--details", metavar="JSON", help="help.details"),
    option("--edit", metavar="FIELD", multiple=True, help="help.edit"),
    option("--at", metavar="TIME", help="help.at"),
    option("--key", metavar="KEY", help="help.key"),
)


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in given.items() if name.startswith("field_")}


@asking(
    "fire", _number, click.argument("trigger", metavar="ACT", shell_complete=complete_acts), *_ABOUT_ACT,
    option("--reason", metavar="TEXT", default="", help="help.reason"),
    option("--head", metavar="DIGEST", help="help.head"),
    option("--seen", metavar="VERSION", type=int, help="help.seen"),
    about="help.fire", acts=True, cls=FireCommand,
)  # fmt: skip
def fire(
    office: Office, number: str, trigger: str, *, as_json: bool, details: str | None, edit: tuple[str, ...],
    at: str | None, key: str | None, reason: str, head: str | None, seen: int | None, **given: Any,
) -> None:  # fmt: skip
    """Do something with a record."""
    record = office.record(number)
    actor, lifecycle = office.on(record), office.lifecycle(record.kind)
    [(_, row)] = find_triggers([lifecycle], trigger, acts_of)
    reason, moment = reason_of(reason), moment_of(office, at)
    if edit and head is None and seen is None:
        head = record.head  # what is edited is this text and no other
    elif head is not None and record.head.startswith(head) and len(head) >= _ENOUGH:
        head = record.head
    key = key or _KEY + new_id()
    with _kept(office, key, actor) as texts:
        value = None
        if row.details is not None:
            value = filled(
                office, lifecycle, row.details, given, texts, record=record, row=row, edit=edit, whole=details
            )
        elif details is not None or edit or any(one not in (None, ()) for one in _fields(given).values()):
            raise CommandFailed(text("wrong.no_details", given=lifecycle.label_of("trigger", row.trigger, language())))
        after = office.flow.fire(
            record.id, row.trigger, value, by=actor, reason=reason, at=moment, key=key, head=head, version=seen
        )
    if as_json:
        click.echo(json_line(to_plain(after)))
    else:
        receipts.show_receipt(after, lifecycle, row.trigger)


@asking(
    "new", click.argument("kind", metavar="[KIND]", default="", shell_complete=complete_kinds),
    option("--trigger", metavar="ACT", help="help.trigger", shell_complete=complete_triggers), *_ABOUT_ACT,
    about="help.new", acts=True, cls=NewCommand,
)  # fmt: skip
def new(
    office: Office, kind: str, *, as_json: bool, trigger: str | None, details: str | None, edit: tuple[str, ...],
    at: str | None, key: str | None, **given: Any,
) -> None:  # fmt: skip
    """Create a record."""
    lifecycle, rows = creating(office.flow.lifecycles, kind, trigger or "")
    if office.anywhere and any(lifecycle.roles.get(role) is UNIT for role in office.actor.roles):
        raise CommandFailed(text("wrong.no_unit"), USAGE)
    offers = {one.trigger: one for one in office.flow.options(lifecycle.name, by=office.actor)}
    able = [row.trigger for row in rows if offers[row.trigger].allowed]
    by_row = (able or [rows[0].trigger])[0]
    accepts = accepted_in_order(lifecycle, by_row)
    moment, key = moment_of(office, at), key or _KEY + new_id()
    with _kept(office, key, office.actor) as texts:
        draft = filled(office, lifecycle, lifecycle.record, given, texts, accepts=accepts, edit=edit, whole=details)
        draft = attrs.evolve(draft, kind=lifecycle.name)
        after = office.flow.create(draft, by=office.actor, trigger=by_row, at=moment, key=key)
    if as_json:
        click.echo(json_line(to_plain(after)))
    else:
        receipts.show_receipt(after, lifecycle, by_row)


@asking("options", _number, option("--all", "every", is_flag=True, help="help.all"), about="help.options")
def options(office: Office, number: str, *, as_json: bool, every: bool) -> None:
    """Show what may be done."""
    kinds = office.lifecycles
    if number in kinds:
        offers, lifecycle = office.flow.options(number, by=office.actor), kinds[number]
    else:
        record = office.record(number)
        offers, lifecycle = office.flow.options(record.id, by=office.on(record)), office.lifecycle(record.kind)
    if as_json:
        click.echo(json_line({"options": [one.describe(language()) for one in offers]}))
    else:
        receipts.show_options(offers, lifecycle, every=every)
