"""The terminal: ``reportflow demo``, ``figures``, ``history``, ``inbox``, ``diagram``. Needs the extra ``cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that was typed and exit; with 1 and a sentence where click or rich is not installed."""
    try:
        from reportflow.cli.commands import reportflow
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("click", "rich"):
            raise
        from reportflow.cli.environment import language_of_environment
        from reportflow.errors import MissingExtra

        sys.exit(MissingExtra(package, '"reportflow[cli]"').message(language_of_environment()))
    reportflow(prog_name="reportflow")
