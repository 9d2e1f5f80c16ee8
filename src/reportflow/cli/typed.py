"""Options from the fields of a class, and what is typed for them as plain data for `parse`.

A field is an option of its name. A text may come from a file (``@path``) or from the standard input (``-``); a choice
is given by its code or by what people call it; a time without a zone is the office's; a value of several parts is
``name=…,unit=…`` or JSON. What cannot be read so stays as it was typed: `parse` then says what is wrong with it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from reportflow.cli.translation import language, text
from reportflow.errors import FieldProblem
from reportflow.i18n.catalog import STANDARD, Renderer
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.attachment import Attachment
from reportflow.serialization.shapes import (
    ANY_VALUE,
    NULL,
    Choice,
    Either,
    FieldShape,
    Items,
    Nested,
    Scalar,
    Shape,
    fields_of,
)

#: What stands before the name of a field that an option of the command already has.
_TAKEN: Final = "field-"
_METAVARS: Final[Mapping[str, str]] = {
    "string": "TEXT",
    "integer": "NUMBER",
    "number": "NUMBER",
    "decimal": "NUMBER",
    "date-time": "TIME",
    "date": "DATE",
    "uuid": "ID",
}
#: Takes the path of a file, and gives the plain data of the attachment that it became.
Upload = Callable[[str], Mapping[str, Any]]


class Unreadable(Exception):
    """A file that is named in place of a text cannot be read; its argument is the sentence that says so."""


def bare(shape: Shape) -> Shape:
    """A shape without null."""
    if isinstance(shape, Either):
        rest = tuple(one for one in shape.several if one != NULL)
        return rest[0] if len(rest) == 1 else Either(rest)
    return shape


class FieldOption(click.Option):
    """An option for a field; its value is what was typed, one text or several, or a flag; None for nothing."""

    def __init__(self, field: FieldShape, lifecycle: Lifecycle, taken: Collection[str]) -> None:
        self.field = field
        self.shape = bare(field.shape)
        self.lifecycle = lifecycle
        spelt = field.name.replace("_", "-")
        spelt = f"{_TAKEN}{spelt}" if f"--{spelt}" in taken else spelt
        flag = isinstance(self.shape, Scalar) and self.shape.kind == "boolean"
        several = isinstance(self.shape, Items)
        settings: dict[str, Any] = {} if flag else {"metavar": _metavar(self.shape), "multiple": several}
        names = f"--{spelt}/--no-{spelt}" if flag else f"--{spelt}"
        super().__init__([names, name_of_option(field.name)], default=None, **settings)

    @property
    def spelt(self) -> str:
        """How it is typed."""
        return self.opts[0]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """Its names, what people call the field, and what it takes."""
        names, _ = super().get_help_record(ctx) or (self.spelt, "")
        parts = [self.lifecycle.label_of("field", self.field.name, language(ctx)), self._takes(ctx)]
        if self.field.required:
            parts.append(text("field.required"))
        return names, text("field.join").join(filter(None, parts))

    def _takes(self, ctx: click.Context) -> str:
        inner = bare(self.shape.item) if isinstance(self.shape, Items) else self.shape
        if isinstance(inner, Choice):
            choices = [
                code if code == label else text("field.choice", given=code, label=label)
                for code, label in self._choices(inner, language(ctx))
            ]
            return Renderer(STANDARD, language(ctx)).join(choices)
        return text("field.several") if isinstance(self.shape, Items) else ""

    def _choices(self, shape: Choice, chosen: str) -> Iterator[tuple[str, str]]:
        for constant, _ in shape.members:
            yield str(constant), label_of_choice(shape, self.field.name, constant, self.lifecycle, chosen)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The codes of a choice, each with what people call it."""
        inner = bare(self.shape.item) if isinstance(self.shape, Items) else self.shape
        if not isinstance(inner, Choice):
            return super().shell_complete(ctx, incomplete)
        choices = self._choices(inner, language(ctx))
        return [CompletionItem(code, help=label) for code, label in choices if code.startswith(incomplete)]


def name_of_option(field: str) -> str:
    """The name under which a command is given the value of a field."""
    return f"field_{field}"


def _metavar(shape: Shape) -> str:
    match shape:
        case Scalar(kind=kind):
            return _METAVARS.get(kind, "JSON")
        case Choice():
            return "CODE"
        case Items(item=item):
            return _metavar(bare(item))
        case Nested(cls=cls) if issubclass(cls, Attachment):
            return "@FILE"
        case Nested(cls=cls):
            names = [f"{one.name}=…" for one in fields_of(cls)]
            return ",".join(names[:2]) + (",…" if len(names) > 2 else "")
        case _:
            return "JSON"


def label_of_choice(shape: Choice, field: str, constant: object, lifecycle: Lifecycle, chosen: str) -> str:
    """What people call a constant of a choice, in a language."""
    return STANDARD.label(shape.room or field, constant, chosen, lifecycle=lifecycle.name, labels=lifecycle.labels)


def options_of(
    cls: type[Any], accepts: Collection[str] | None, lifecycle: Lifecycle, taken: Collection[str]
) -> list[FieldOption]:
    """An option for each field of a class that can be given from outside.

    Args:
        cls: Of details, or of a record.
        accepts: The fields that a draft may bring; all of the class unless given.
        lifecycle: Has the labels.
        taken: The options that the command has already.
    """
    found = [one for one in fields_of(cls, accepts) if accepts is None or one.name in accepts]
    return [FieldOption(one, lifecycle, taken) for one in found if bare(one.shape) != ANY_VALUE]


# -- what is typed ----------------------------------------------------------------------------------------------------


def time_of(given: str, zone: tzinfo) -> datetime | None:
    """A time that is typed as ``2022-04-27``, ``2022-04-27 14:20`` or ISO 8601 has it; None where it is none."""
    try:
        found = datetime.fromisoformat(given.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def text_from(given: str) -> str:
    """What is typed, or the text of the file or the standard input that it names; ``@@`` begins a text with an ``@``.

    Raises:
        Unreadable: there is no such file, or it is no text in UTF-8.
    """
    if given == "-":
        return _stdin()
    if given.startswith("@@"):
        return given[1:]
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8-sig").rstrip("\n")
    except (OSError, ValueError) as error:
        raise Unreadable(text("wrong.file", given=given[1:], why=type(error).__name__)) from error


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\n")
    except (OSError, ValueError) as error:
        raise Unreadable(text("wrong.file", given="-", why=type(error).__name__)) from error


class TypedValues:
    """What is typed for some options, as plain data.

    Args:
        zone: Of times that say none.
        upload: Takes files; None where the office keeps none.
    """

    def __init__(self, zone: tzinfo, upload: Upload | None = None) -> None:
        self._zone = zone
        self._upload = upload
        #: What could not be read: the option and the sentence.
        self.faults: list[tuple[str, str]] = []

    def plain(self, options: Iterable[FieldOption], given: Mapping[str, Any]) -> dict[str, Any]:
        """The plain data of those options that were typed, by field."""
        found = {}
        for one in options:
            typed = given.get(name_of_option(one.field.name))
            if typed is None or typed == ():
                continue
            try:
                found[one.field.name] = self._read(one.field.shape, typed, one)
            except Unreadable as error:
                self.faults.append((one.spelt, str(error)))
        return found

    def _read(self, shape: Shape, typed: Any, option: FieldOption) -> Any:
        inner = bare(shape)
        if typed == "" and inner != shape and inner != Scalar("string"):
            return None  # an empty text takes away what may be missing
        match inner:
            case Items(item=item) if isinstance(typed, tuple):
                return [] if typed == ("",) else [self._read(item, one, option) for one in typed]
            case Scalar(kind="string"):
                return text_from(typed)
            case Scalar(kind=kind):
                return self._scalar(kind, typed)
            case Choice():
                return self._choice(inner, typed, option)
            case Nested(cls=cls):
                return self._nested(cls, typed, option)
            case _:
                return json_from(typed)

    def _scalar(self, kind: str, typed: Any) -> Any:
        if kind == "date-time":
            found = time_of(typed, self._zone)
            return typed if found is None else found.isoformat()
        if kind in ("integer", "number"):
            with suppress(ValueError):
                return int(typed)
            with suppress(ValueError):
                return float(typed)
        return json_from(typed) if kind == "plain" else typed

    def _choice(self, shape: Choice, typed: str, option: FieldOption) -> Any:
        for constant, _ in shape.members:
            labels = (
                label_of_choice(shape, option.field.name, constant, option.lifecycle, one)
                for one in STANDARD.languages()
            )
            if typed == str(constant) or typed in labels:
                return constant
        return typed

    def _nested(self, cls: type[Any], typed: str, option: FieldOption) -> Any:
        if issubclass(cls, Attachment) and typed.startswith("@"):
            if self._upload is None:
                raise Unreadable(text("wrong.no_files"))
            return dict(self._upload(typed[1:]))
        fields = {one.name: one for one in fields_of(cls)}
        if typed == "-" or typed.startswith(("{", "@")):
            return json_from(typed)
        if "=" not in typed:
            first = [one.name for one in fields.values() if one.required and bare(one.shape) == Scalar("string")]
            return {first[0]: typed} if len(first) == 1 else typed
        try:
            parts = [one.partition("=") for one in next(csv.reader([typed]))]
        except csv.Error:  # ends of lines outside of quotation marks
            return typed
        given = {name.strip(): value for name, _, value in parts}
        return {
            name: self._read(fields[name].shape, value, option) if name in fields else value
            for name, value in given.items()
        }


def json_from(typed: str) -> Any:
    """What is typed, or stands in the file that is named, as JSON; the text itself where it is none."""
    found = text_from(typed)
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        return found


def place_of_problem(found: FieldProblem, options: Sequence[FieldOption], whole: str) -> str:
    """The option that a problem is about; that of the whole where it is about none."""
    first = found.path[0] if found.path else ""
    return next((one.spelt for one in options if one.field.name == first), whole)
