"""What a shell completes: the names of a table, each with what people call it, and the script that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from reportflow.cli.lookup import find_lifecycle
from reportflow.cli.translation import CommandFailed, language
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition

#: The shells that click can complete in.
SHELLS: Final = ("bash", "zsh", "fish")

Names = Callable[[Lifecycle], Iterable[tuple[str, str]]]
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def script(group: click.Group, program: str, shell: str) -> str:
    """What a shell runs at its start so that it completes the commands of a program."""
    variable = f"_{program.replace('-', '_').replace('.', '_').upper()}_COMPLETE"
    found = get_completion_class(shell)
    assert found is not None, "the shells are those of click"
    made = found(group, {}, program, variable)
    return made.source_template % made.source_vars()


def acts_of(lifecycle: Lifecycle) -> Iterator[Transition]:
    """One row of each trigger that people may fire on a record, in the order of the table."""
    for trigger in lifecycle.triggers:
        rows = [row for row in lifecycle.rows(trigger) if row.sources - {None} and NOBODY not in row.roles]
        if rows:
            yield rows[0]


def creations_of(lifecycle: Lifecycle) -> tuple[Transition, ...]:
    """The rows by which people create a record."""
    return tuple(row for row in lifecycle.creations if NOBODY not in row.roles)


def _completer(room: str, names: Callable[[Lifecycle], Iterable[str]]) -> Completer:
    def complete(context: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
        found: dict[str, str] = {}
        for lifecycle in _lifecycles(context):
            for name in names(lifecycle):
                found.setdefault(name, lifecycle.label_of(room, name, language(context)))
        return [CompletionItem(one, help=label) for one, label in found.items() if one.startswith(typed)]

    return complete


def _lifecycles(context: click.Context) -> list[Lifecycle]:
    """Those that are named on the line so far; a completion says nothing where one cannot be found."""
    try:
        return [find_lifecycle(one) for one in context.params.get("lifecycles") or [""]]
    except CommandFailed:
        return []


complete_roles: Final = _completer("role", lambda lifecycle: lifecycle.roles)
complete_states: Final = _completer("state", lambda lifecycle: [one.name for one in lifecycle.states])
complete_acts: Final = _completer("trigger", lambda lifecycle: [row.trigger for row in acts_of(lifecycle)])
complete_triggers: Final = _completer("trigger", lambda lifecycle: lifecycle.triggers)
complete_kinds: Final = _completer("lifecycle", lambda lifecycle: [lifecycle.name])
