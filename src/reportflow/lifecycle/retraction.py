"""What a later entry takes back: which entries may be, which are, and why not. Pure.

An act takes an earlier entry of its record back where a field of its details is marked `RETRACTS` and holds that
entry's sequence. Nothing is removed: the history keeps both, and the figures leave out what was taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reportflow.errors import Refusal
from reportflow.i18n.catalog import NO_LABELS, Labels
from reportflow.model.entry import Entry


def retracted(entries: Sequence[Entry], *, until: datetime | None = None) -> frozenset[int]:
    """The sequences of the entries of one record that others take back, as far as was known before a time."""
    known = (entry for entry in entries if until is None or entry.recorded_at < until)
    return frozenset(entry.retracts for entry in known if entry.retracts is not None)


def retraction_refusals(entry: Entry, history: Sequence[Entry], labels: Labels = NO_LABELS) -> Iterator[Refusal]:
    """Why an entry cannot take back the one that it names, by the entries before it.

    Args:
        entry: What is to happen; it names an entry from the second to the last of the history.
        history: All entries of its record before it; of another history nothing is said.
        labels: What the lifecycle calls states and triggers, for the texts.
    """
    if entry.retracts is None or len(history) != entry.sequence - 1:
        return
    named = {"lifecycle": entry.kind, "trigger": entry.trigger, "sequence": entry.retracts}
    if history[entry.retracts - 1].retracts is not None:
        yield Refusal(code="retraction", params=named, labels=labels)
    if entry.retracts in retracted(history):
        yield Refusal(code="already_retracted", params=named, labels=labels)
