"""What was typed for an act, as values: an instance of its details or its draft, a time, a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from reportflow.cli.forms import FIELDS
from reportflow.cli.outcome import USAGE
from reportflow.cli.translation import CommandFailed, language, say, text
from reportflow.cli.typed import (
    FieldOption,
    TypedValues,
    Unreadable,
    bare,
    json_from,
    place_of_problem,
    text_from,
    time_of,
)
from reportflow.cli.whose import Office
from reportflow.errors import InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
from reportflow.model.record import Record
from reportflow.serialization.parse import parse
from reportflow.serialization.shapes import TEXT


class WrongFields(CommandFailed):
    """What was typed for some fields is wrong: a sentence for each on stderr, after the name of its option."""

    usual_code = USAGE

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__(text("field.faults").join(": ".join(one) for one in faults))
        self.faults: tuple[tuple[str, str], ...] = tuple(faults)

    def show(self, file: Any = None) -> None:
        """Print the sentences, one a line."""
        for name, sentence in self.faults:
            say(f"{name}: {' '.join(sentence.split())}", file=file, err=True)


def filled(
    office: Office, lifecycle: Lifecycle, cls: type[Any], given: Mapping[str, Any], texts: dict[str, str], *,
    accepts: Collection[str] | None = None, record: Record | None = None, row: Transition | None = None,
    edit: Sequence[str] = (), whole: str | None = None,
) -> Any:  # fmt: skip
    """An instance of a class of what was typed for its fields.

    Raises:
        WrongFields: something of it is wrong; all of it is named.
    """
    options = list(click.get_current_context().meta[FIELDS].values())
    reading = TypedValues(office.zone, partial(_uploaded, office) if office.keeps_files else None)
    data: Any = {}
    if whole is not None:
        try:
            data = json_from(whole)
        except Unreadable as error:
            reading.faults.append(("--details", str(error)))
    plain = reading.plain(options, given)
    for name in edit:
        field = _editable(name, options).field.name
        plain[field] = texts[field] = _edited(field, record, row)
    data = {**data, **plain} if isinstance(data, Mapping) else data
    try:
        made = parse(cls, data, accepts=accepts, lifecycle=lifecycle)
    except InvalidValue as error:
        renderer = error.renderer(language())
        unread = {name for name, _ in reading.faults}
        found = [(place_of_problem(one, options, "--details"), one.render(renderer)) for one in error.problems]
        raise WrongFields([*reading.faults, *(one for one in found if one[0] not in unread)]) from error
    if reading.faults:
        raise WrongFields(reading.faults)
    return made


def _uploaded(office: Office, path: str) -> dict[str, Any]:
    """A file that is named by its path, kept; as plain data."""
    try:
        with Path(path).open("rb") as content:
            found = office.flow.upload(content, name=Path(path).name, by=office.actor)
    except (OSError, InvalidValue) as error:
        why = error.message(language()) if isinstance(error, InvalidValue) else type(error).__name__
        raise Unreadable(text("wrong.file", given=path, why=why)) from error
    return {"name": found.name, "media_type": found.media_type, "size": found.size, "sha256": found.sha256}


def _editable(name: str, options: Iterable[FieldOption]) -> FieldOption:
    found = [one for one in options if bare(one.shape) == TEXT]
    for one in found:
        if name.removeprefix("--") in (one.field.name, one.spelt.removeprefix("--")):
            return one
    choices = [one.spelt.removeprefix("--") for one in found]
    raise CommandFailed(text("wrong.edit", given=name, choices=choices), USAGE)


def _edited(field: str, record: Record | None, row: Transition | None) -> str:
    """A text that is written in the editor of the environment, beginning with what the record has there."""
    target = field if row is None else next((one for one, setting in row.sets.items() if setting == field), field)
    before = getattr(record, target, "")
    found = click.edit(before if isinstance(before, str) else "", extension=".txt")
    if found is None or not found.strip():
        raise CommandFailed(text("wrong.not_edited"))
    return found.rstrip("\n")


def moment_of(office: Office, given: str | None) -> datetime | None:
    """A time that was typed; None for none.

    Raises:
        CommandFailed: it is none.
    """
    if given is None:
        return None
    found = time_of(given, office.zone)
    if found is None:
        raise CommandFailed(text("wrong.time", given=given), USAGE)
    return found


def reason_of(given: str) -> str:
    """A reason that was typed, or the file that it names.

    Raises:
        WrongFields: it cannot be read.
    """
    try:
        return text_from(given)
    except Unreadable as error:
        raise WrongFields([("--reason", str(error))]) from error
