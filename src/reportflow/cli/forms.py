"""The options of an act: those of the fields of its details, or of its draft, beside those of the command.

What is done is found out before the line is parsed, so that the options are those of its fields: a first look at the
line takes the arguments and the known options, up to the first option that is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import click

from reportflow.cli.completing import acts_of, creations_of
from reportflow.cli.lookup import called
from reportflow.cli.outcome import USAGE
from reportflow.cli.translation import CommandFailed, TranslatedCommand, language, text
from reportflow.cli.typed import FieldOption, options_of
from reportflow.cli.whose import lifecycles_of
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.drafts import accepted_in_order
from reportflow.lifecycle.table import Transition

#: Where the options of the fields are kept while a line is parsed.
FIELDS: Final = "reportflow.fields"
#: And the lifecycles that the line names.
_LIFECYCLES: Final = "reportflow.lifecycles"


def scan(params: Iterable[click.Parameter], args: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The arguments and the options of a line, up to the first option that is unknown: until the act is known."""
    known = {name: one for one in params if isinstance(one, click.Option) for name in (*one.opts, *one.secondary_opts)}
    arguments: list[str] = []
    options: dict[str, list[str]] = {}
    rest = iter(args)
    for one in rest:
        name, equals, value = one.partition("=")
        if one == "-" or not one.startswith("-"):
            arguments.append(one)
        elif name not in known:
            break
        elif not known[name].is_flag:
            options.setdefault(str(known[name].name), []).append(value if equals else next(rest, ""))
    return arguments, options


class ActCommand(TranslatedCommand):
    """A command that has, beside its own options, those of the fields of what is done."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find out what is to be done, and so which options there are, and read all of them."""
        own = super().get_params(ctx)
        arguments, options = scan(own, args)
        taken = {name for one in own for name in (*one.opts, *one.secondary_opts)}
        found: list[FieldOption] = []
        try:
            named = options.get("lifecycles") or _usual(own, ctx)
            ctx.meta[_LIFECYCLES] = lifecycles_of(named)
            found = self.fields(ctx.meta[_LIFECYCLES], arguments, options, taken)
        except CommandFailed:
            if not ctx.resilient_parsing and "--help" not in args:
                raise
        ctx.meta[FIELDS] = {one.spelt: one for one in reversed(found)}
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own, and those of the fields."""
        return [*super().get_params(ctx), *reversed(ctx.meta.get(FIELDS, {}).values())]

    def fields(
        self,
        lifecycles: Sequence[Lifecycle],
        arguments: Sequence[str],
        options: Mapping[str, Sequence[str]],
        taken: Collection[str],
    ) -> list[FieldOption]:
        """The options for the fields of what is done."""
        raise NotImplementedError

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the fields first."""
        every = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        of_fields = [one.get_help_record(ctx) for one in every if isinstance(one, FieldOption)]
        if of_fields:
            with formatter.section(text("field.heading")):
                formatter.write_dl([one for one in of_fields if one is not None])
        own = [one.get_help_record(ctx) for one in every if not isinstance(one, FieldOption)]
        with formatter.section("Options"):
            formatter.write_dl([one for one in own if one is not None])


def _usual(params: Iterable[click.Parameter], ctx: click.Context) -> Sequence[str]:
    """The lifecycles that the environment names."""
    found = next(one for one in params if one.name == "lifecycles").value_from_envvar(ctx)
    return tuple(found or ())


def find_triggers(
    lifecycles: Iterable[Lifecycle], given: str, rows: Callable[[Lifecycle], Iterable[Transition]]
) -> list[tuple[Lifecycle, Transition]]:
    """The rows of a trigger, given by its name or by what people call it, one of each lifecycle that has it.

    Raises:
        CommandFailed: none has it, or people call several so.
    """
    every = [(one, row) for one in lifecycles for row in rows(one)]
    found = [(one, row) for one, row in every if given == row.trigger]
    found = found or [(one, row) for one, row in every if given in called(one, "trigger", row.trigger)]
    if not found or len({row.trigger for _, row in found}) > 1:
        labels = {row.trigger: one.label_of("trigger", row.trigger, language()) for one, row in every}
        choices = [text("wrong.choice", name=name, label=label) for name, label in labels.items()]
        raise CommandFailed(text("wrong.trigger", given=given, choices=choices), USAGE)
    return found


class FireCommand(ActCommand):
    """The command that fires a trigger."""

    def fields(
        self,
        lifecycles: Sequence[Lifecycle],
        arguments: Sequence[str],
        options: Mapping[str, Sequence[str]],
        taken: Collection[str],
    ) -> list[FieldOption]:
        """Those of the details."""
        if len(arguments) < 2:
            return []
        rows = find_triggers(lifecycles, arguments[1], acts_of)
        found = [
            one for lifecycle, row in rows if row.details for one in options_of(row.details, None, lifecycle, taken)
        ]
        return found

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What may be done, where no act is named yet."""
        if not ctx.meta.get(FIELDS):
            _list_rows(ctx, formatter, acts_of)


class NewCommand(ActCommand):
    """The command that creates a record."""

    def fields(
        self,
        lifecycles: Sequence[Lifecycle],
        arguments: Sequence[str],
        options: Mapping[str, Sequence[str]],
        taken: Collection[str],
    ) -> list[FieldOption]:
        """Those of the draft."""
        lifecycle, rows = creating(lifecycles, arguments[0] if arguments else "", (options.get("trigger") or [""])[-1])
        accepted = {name for row in rows for name in accepted_in_order(lifecycle, row.trigger)}
        return options_of(lifecycle.record, accepted, lifecycle, taken)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The rows by which a record is created."""
        _list_rows(ctx, formatter, creations_of)


def _list_rows(
    ctx: click.Context, formatter: click.HelpFormatter, rows: Callable[[Lifecycle], Iterable[Transition]]
) -> None:
    for one in ctx.meta.get(_LIFECYCLES, ()):
        listed = [(row.trigger, one.label_of("trigger", row.trigger, language(ctx))) for row in rows(one)]
        if listed:
            with formatter.section(one.label_of("lifecycle", one.name, language(ctx))):
                formatter.write_dl(listed)


def creating(lifecycles: Sequence[Lifecycle], kind: str, trigger: str) -> tuple[Lifecycle, list[Transition]]:
    """The lifecycle of which a record is to be created, and the rows by which people may.

    Raises:
        CommandFailed: no kind is given and there are several, or there is no such kind or trigger.
    """
    able = {one.name: one for one in lifecycles if creations_of(one)}
    found = [one for name, one in able.items() if not kind or kind in called(one, "lifecycle", name)]
    if len(found) != 1:
        choices = [
            text("wrong.choice", name=name, label=one.label_of("lifecycle", name, language()))
            for name, one in able.items()
        ]
        raise CommandFailed(text("wrong.kind", given=kind, choices=choices), USAGE)
    rows = creations_of(found[0])
    if not trigger:
        return found[0], list(rows)
    return found[0], [row for _, row in find_triggers(found, trigger, creations_of)]
