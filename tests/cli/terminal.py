"""A terminal on a small database of a test's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner, Result

from reportflow import Lifecycle, open_flow
from reportflow.cli import commands
from reportflow.office import REPORT

EDITOR = ("--as", "editor", "--id", "li", "--name", "李娜", "--unit", "yulin")
REVIEWER = ("--as", "reviewer", "--id", "wang", "--name", "王强")
REGISTRAR = ("--as", "registrar", "--id", "chen", "--name", "陈静")
#: What a terminal would obey, or would not show.
OBEYED = "\x1b[2J\x07\u202e\u2066\u200b\x9b"


@attrs.frozen
class Shell:
    """What is typed in a shell, in a terminal of 80 columns."""

    url: str
    language: str = "en"
    env: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def on(cls, folder: Path, *lifecycles: Lifecycle, **settings: Any) -> Shell:
        """A shell on a new database."""
        url = f"sqlite:///{folder / 'office.db'}"
        with open_flow(url, lifecycles=lifecycles or (REPORT,)):
            return cls(url, **settings)

    def run(self, *typed: str, given: str = "", expected: int = 0) -> Result:
        """One command, which ends with this exit code."""
        usual: dict[str, str | None] = {
            "COLUMNS": "80",
            "REPORTFLOW_LANGUAGE": self.language,
            "REPORTFLOW_DATABASE": self.url,
            "REPORTFLOW_ACTOR": None,
        }
        settings = {**usual, **self.env}
        typed_in = given.encode("utf-8", "surrogateescape")
        result = CliRunner().invoke(
            commands.reportflow, list(typed), env=settings, prog_name="reportflow", input=typed_in
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == expected, result.output
        return result

    def says(self, *typed: str, given: str = "") -> str:
        """What a command prints."""
        return self.run(*typed, given=given).stdout

    def wrong(self, *typed: str, expected: int = 1, given: str = "") -> str:
        """What a command says on stderr that fails; it prints nothing."""
        result = self.run(*typed, expected=expected, given=given)
        assert result.stdout == ""
        return result.stderr

    def plain(self, *typed: str, expected: int = 0, given: str = "") -> Any:
        """The one object of a command with ``--json``."""
        result = self.run(*typed, "--json", expected=expected, given=given)
        assert (result.stdout.count("\n"), result.stderr) == (1, "")
        return json.loads(result.stdout)

    def new(self, *typed: str, title: str = "Eight lamps") -> str:
        """The id of a new report."""
        about = ("--title", title, "--text", "They are dark.", "--authors", "Qian")
        return str(self.plain("new", *about, *EDITOR, *typed)["id"])
