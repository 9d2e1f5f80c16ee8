"""click in two languages: help that is looked up when it is shown, and errors as one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, Any, ClassVar, Final, TypeVar

import click
from click.exceptions import NoArgsIsHelpError

from reportflow.cli.environment import LANGUAGES, language_of_environment
from reportflow.cli.outcome import INTERRUPTED, REFUSED, document_of, exit_code_of, json_line
from reportflow.cli.widths import columns, wrapped
from reportflow.errors import ReportflowError, StorageUnavailable
from reportflow.i18n.catalog import CLERK, DEVELOPER, ENGLISH, STANDARD, Reader, printable

F = TypeVar("F", bound=Callable[..., Any])

_LANGUAGE: Final = "reportflow.language"


def language(context: click.Context | None = None) -> str:
    """The language of a command, by default of the one that runs."""
    context = context or click.get_current_context(silent=True)
    chosen = context.meta.get(_LANGUAGE) if context else None
    return chosen or language_of_environment()


def text(code: str, **facts: object) -> str:
    """A text of the terminal, in the language of the command that runs."""
    return STANDARD.text(f"cli.{code}", language(), facts)


def say(message: str, *, file: IO[Any] | None = None, err: bool = False) -> None:
    """Print a sentence that may quote what is stored or typed; no character of it is obeyed by the terminal."""
    click.echo(printable(message), file=file, err=err)


def _word(name: str) -> str:
    """One of click's own words."""
    return STANDARD.label("cli.click", name, language())


class CommandFailed(click.ClickException):
    """What is wrong and what to do, in one sentence on stderr; exit code 1 unless another is given."""

    #: Where no other is given.
    usual_code: ClassVar[int] = REFUSED

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = type(self).usual_code if exit_code is None else exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence on one line."""
        say(" ".join(self.message.split()), file=file, err=True)


class _WrongUsage(click.UsageError):
    """A usage error of click, translated; exit code 2."""

    def __init__(self, code: str, facts: dict[str, object], language: str, context: click.Context | None) -> None:
        super().__init__(STANDARD.text(f"cli.usage.{code}", language, facts), context)
        self._language = language

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the usage, where to find help, and the error."""
        if self.ctx is not None:
            hint = STANDARD.text("cli.usage.help", self._language, {"command": self.ctx.command_path})
            say(f"{self.ctx.get_usage()}\n{hint}\n", file=file, err=True)
        say(STANDARD.text("cli.usage.error", self._language, {"given": self.message}), file=file, err=True)


def _translated(error: click.UsageError, context: click.Context | None) -> click.UsageError:
    """The error in the language of its command, or of the context around it; click's own in English."""
    chosen = language(error.ctx or context)
    if chosen == ENGLISH or isinstance(error, NoArgsIsHelpError | _WrongUsage):
        return error
    code, name, choices = "other", "", ()
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = error.param.get_error_hint(error.ctx).strip("'")
        choices = tuple(getattr(error.param.type, "choices", ()))
        code = "missing" if isinstance(error, click.MissingParameter) else "choice" if choices else "value"
    elif isinstance(error, click.NoSuchOption):
        code, name = "no_option", error.option_name
    elif isinstance(error, click.BadOptionUsage):
        code, name = "option", error.option_name
    name = STANDARD.label("cli.click", name, chosen)
    return _WrongUsage(code, {"name": name, "choices": choices}, chosen, error.ctx)


class _Formatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, _word("Usage: ") if prefix is None else prefix)

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        with super().section(_word(name)):
            yield

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names and what they mean, in cells."""
        self.write(columns(list(rows), self.current_indent, self.width, col_max, col_spacing))

    def write_text(self, text: str) -> None:
        """Write a paragraph, in cells."""
        indent = " " * self.current_indent
        self.write("".join(f"{indent}{line}\n" for line in wrapped(text, self.width - self.current_indent)))

    def write_heading(self, heading: str) -> None:
        """Write a heading, with the colon of the language."""
        self.write(f"{'':>{self.current_indent}}{heading}{_word(':')}\n")


class _Context(click.Context):
    formatter_class: type[click.HelpFormatter] = _Formatter

    def get_usage(self) -> str:
        """The usage, in the language of this command also after it has ended."""
        with self.scope(cleanup=False):
            return super().get_usage()


class _TranslatedHelp:
    """Its `help` is a code of the terminal's texts, read in the language of the command that runs."""

    _code: str | None = None

    @property
    def help(self) -> str | None:
        return None if self._code is None else text(self._code)

    @help.setter
    def help(self, code: str | None) -> None:
        self._code = code


class TranslatedOption(_TranslatedHelp, click.Option):  # pyright: ignore[reportIncompatibleVariableOverride]
    """An option with help in two languages."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Its names and its help."""
        if record := super().get_help_record(ctx):
            names, help = record
            for word in ("[required]", "[default: "):
                help = help.replace(word, _word(word))
            record = names, help
        return record


class _Translated(_TranslatedHelp):
    context_class = _Context
    #: Who reads its errors.
    reader: Reader = CLERK

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **more: Any
    ) -> Any:
        try:
            return super().make_context(info_name, args, parent, **more)  # type: ignore[misc]  # click's own, the next base
        except click.UsageError as error:
            raise _translated(error, parent) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)  # type: ignore[misc]  # as above
        except click.UsageError as error:
            raise _translated(error, ctx) from None
        except ReportflowError as error:
            message = error.message(language(), reader=self.reader)
            if self.reader == CLERK and isinstance(error, StorageUnavailable):
                message = text("wrong.technical", given=message, why=error.message(language(), reader=DEVELOPER))
            raise self._failed(ctx, CommandFailed(message, exit_code_of(error)), error) from error
        except CommandFailed as failed:
            raise self._failed(ctx, failed, failed.__cause__) from failed.__cause__
        except KeyboardInterrupt:
            raise CommandFailed(text("wrong.interrupted"), INTERRUPTED) from None

    def _failed(self, ctx: click.Context, failed: CommandFailed, cause: BaseException | None) -> Exception:
        """What ends a command that failed: with ``--json`` its one object is a problem document, on stdout."""
        if not ctx.params.get("as_json"):
            return failed
        click.echo(json_line(document_of(cause, failed.message, language(), self.reader)))
        return click.exceptions.Exit(failed.exit_code)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]  # as above
        return [_word(piece) for piece in pieces]


class TranslatedCommand(_Translated, click.Command):  # type: ignore[misc]  # as `TranslatedOption`
    """A command with help in two languages, whose errors are sentences."""


class TranslatedGroup(_Translated, click.Group):  # type: ignore[misc]  # as `TranslatedOption`
    """A group of such commands."""

    command_class = TranslatedCommand

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run what was typed; a terminal that lacks a character gets an escape in its place."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **settings)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that is typed."""
        if language() != ENGLISH and self.get_command(ctx, args[0]) is None:
            raise _WrongUsage("no_command", {"name": args[0]}, language(), ctx)
        return super().resolve_command(ctx, args)


class DeveloperCommand(TranslatedCommand):
    """A command for developers: its errors name classes, ids and addresses."""

    reader = DEVELOPER


def _choose(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_LANGUAGE] = value


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """`click.option` with help in two languages."""
    return click.option(*names, cls=TranslatedOption, **settings)


#: For every command, eager, so that the errors of the other options are in the language.
language_option = option(
    "--language",
    type=click.Choice(LANGUAGES),
    callback=_choose,
    is_eager=True,
    expose_value=False,
    help="help.language",
)
help_option = click.help_option("--help", cls=TranslatedOption, help="help.help")
