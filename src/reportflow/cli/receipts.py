"""What the terminal shows after an act, and what may be done: a receipt, and the offers in three groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.padding import Padding
from rich.text import Text

from reportflow.cli.show import clean, console
from reportflow.cli.translation import language, text
from reportflow.cli.whose import named, roles_of
from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY
from reportflow.model.record import Record


def show_receipt(record: Record, lifecycle: Lifecycle, trigger: str) -> None:
    """What was entered, of what, how far it is now, and whose turn it is."""
    shown = console()
    act = lifecycle.label_of("trigger", trigger, language())
    shown.print(clean(text("done.entered", act=act, given=named(record))), soft_wrap=True)
    state = lifecycle.state(record.state)
    label = lifecycle.label_of("state", record.state, language())
    code = "done.state_next" if state.awaits else "done.state"
    shown.print(clean(text(code, given=label, roles=roles_of(lifecycle, state.awaits))), soft_wrap=True)
    if not record.reference:
        shown.print(clean(text("done.id", given=record.id)), style="dim", soft_wrap=True)


def show_options(offers: Sequence[Option], lifecycle: Lifecycle, *, every: bool) -> None:
    """What the person may do now, what others may do, and what is not for now: how much it is, or `every` reason."""
    people = [one for one in offers if NOBODY not in one.row.roles]
    able = [one for one in people if one.allowed]
    rest = [one for one in people if not one.allowed]
    later = [one for one in rest if any(refusal.code == "state" for refusal in one.refusals)]
    others = [one for one in rest if one not in later]
    shown = console()
    if not people:
        shown.print(clean(text("options.none")))
    parts: tuple[tuple[str, list[Option], Callable[[Option], list[str]]], ...] = (
        (text("options.now"), able, lambda one: [_needs(one)]),
        (text("options.others"), others, lambda one: _why_not(one, lifecycle)),
        (text("options.later"), later, lambda one: _why_not(one, lifecycle)),
    )
    for heading, several, about in parts:
        if not several:
            continue
        if several is later and not every:
            shown.print(clean(text("options.number", given=heading, number=len(several))), style="bold")
            continue
        shown.print(clean(heading), style="bold")
        for one in several:
            line = clean(one.text(language()))
            line.append(f"  {clean(one.trigger).plain}", style="dim")
            shown.print(Padding(line, (0, 0, 0, 2)))
            for sentence in filter(None, about(one)):
                shown.print(Padding(Text(clean(sentence).plain), (0, 0, 0, 6)))


def _needs(offer: Option) -> str:
    """Whether a reason has to be given."""
    return text("options.reason") if offer.reason_required else ""


def _why_not(offer: Option, lifecycle: Lifecycle) -> list[str]:
    """Every reason, and by whom it is done where the reasons do not say it."""
    sentences = [one.text(language()) for one in offer.refusals]
    if not any(one.code == "role" for one in offer.refusals):
        sentences.append(text("options.by", roles=roles_of(lifecycle, offer.row.roles)))
    return sentences
