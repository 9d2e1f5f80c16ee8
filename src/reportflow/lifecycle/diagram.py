"""A lifecycle as Mermaid and DOT text, drawn from the table alone."""

from __future__ import annotations

from reportflow.i18n.catalog import ENGLISH
from reportflow.lifecycle.definition import Lifecycle


def mermaid(lifecycle: Lifecycle, language: str = ENGLISH, *, loops: bool = True) -> str:
    """A Mermaid ``stateDiagram-v2``; without `loops`, what leaves the state as it is stays out."""
    lines = ["stateDiagram-v2"]
    for number, state in enumerate(lifecycle.states):
        lines.append(f"    s{number} : {_plain(lifecycle.label_of('state', state.name, language))}")
    number_of = {state.name: f"s{number}" for number, state in enumerate(lifecycle.states)}
    for (source, dest), labels in _arrows(lifecycle, language, loops).items():
        start = "[*]" if source is None else number_of[source]
        lines.append(f"    {start} --> {number_of[dest]} : {_plain(', '.join(labels))}")
    lines += [f"    {number_of[state.name]} --> [*]" for state in lifecycle.states if state.final]
    return "\n".join(lines) + "\n"


def dot(lifecycle: Lifecycle, language: str = ENGLISH, *, loops: bool = True) -> str:
    """A Graphviz ``digraph``; final states have a double border. Without `loops` as `mermaid`."""
    lines = [f"digraph {_quoted(lifecycle.name)} {{", "    rankdir=LR;", '    "" [shape=point];']
    for state in lifecycle.states:
        shape = "doublecircle" if state.final else "circle"
        label = _quoted(lifecycle.label_of("state", state.name, language))
        lines.append(f"    {_quoted(state.name)} [label={label} shape={shape}];")
    for (source, dest), labels in _arrows(lifecycle, language, loops).items():
        start = '""' if source is None else _quoted(source)
        lines.append(f"    {start} -> {_quoted(dest)} [label={_quoted(', '.join(labels))}];")
    return "\n".join([*lines, "}"]) + "\n"


def _arrows(lifecycle: Lifecycle, language: str, loops: bool) -> dict[tuple[str | None, str], list[str]]:
    """(state, state) -> what leads from the one to the other, in the order of the states."""
    order: dict[str | None, int] = {None: -1}
    order.update({state.name: number for number, state in enumerate(lifecycle.states)})
    found: dict[tuple[str | None, str], list[str]] = {}
    for row in lifecycle.transitions:
        for source in row.sources:
            for dest in row.dests(source):
                if loops or dest != source:
                    label = lifecycle.label_of("trigger", row.trigger, language)
                    found.setdefault((source, dest), []).append(label)
    return dict(sorted(found.items(), key=lambda pair: (order[pair[0][0]], order[pair[0][1]])))


def _plain(text: str) -> str:
    """Text that ends no Mermaid statement."""
    return "".join(" " if one in ":;#" or not one.isprintable() else one for one in text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else " " for one in escaped) + '"'
