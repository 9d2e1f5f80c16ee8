"""click in two languages: help that is looked up when it is shown, and errors as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import click

from reportflow.cli.texts import CATALOG, LANGUAGES, language_of_environment
from reportflow.errors import ReportflowError

_LANGUAGE: Final = "reportflow.language"


def language() -> str:
    """The language of the command that runs."""
    context = click.get_current_context(silent=True)
    chosen = context.meta.get(_LANGUAGE) if context else None
    return chosen or language_of_environment()


def say(code: str, **facts: object) -> str:
    """A text of the terminal, in the language of the command that runs."""
    return CATALOG.text(f"cli.{code}", language(), facts)


class Told(click.ClickException):
    """What is wrong and what to do, in one sentence on stderr; exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence on one line."""
        click.echo(" ".join(self.message.split()), file=file, err=True)


class _Formatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, say("help.Usage") if prefix is None else prefix)

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        with super().section(CATALOG.label("cli.help", name, language())):
            yield


class _Context(click.Context):
    formatter_class = _Formatter


class _Spoken:
    """Its `help` is a code of the terminal's texts, read in the language of the command that runs."""

    _code: str | None = None

    @property
    def help(self) -> str | None:
        return None if self._code is None else CATALOG.text(f"cli.{self._code}", language())

    @help.setter
    def help(self, code: str | None) -> None:
        self._code = code


class Option(_Spoken, click.Option):
    """An option with help in two languages."""


class _Answering(_Spoken):
    context_class = _Context

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)  # type: ignore[misc]  # click's own, which comes next in line
        except ReportflowError as error:
            raise Told(error.message(language())) from error


class Command(_Answering, click.Command):  # type: ignore[misc]  # as `Option`
    """A command with help in two languages, whose errors are sentences."""


class Group(_Answering, click.Group):  # type: ignore[misc]  # as `Option`
    """A group of such commands."""

    command_class = Command


def _choose(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_LANGUAGE] = value


#: For every command, eager, so that what is wrong with the others is said in the language.
language_option = click.option(
    "--language",
    cls=Option,
    type=click.Choice(LANGUAGES),
    callback=_choose,
    is_eager=True,
    expose_value=False,
    help="help.language",
)
help_option = click.help_option("--help", cls=Option, help="help.help")
