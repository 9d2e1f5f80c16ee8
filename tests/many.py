"""Many requests of one kind, for `ReportFlow.run`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reportflow import Actor, Create, Fire, Record


def creates(drafts: Iterable[Record], *, by: Actor) -> Iterator[Create]:
    """One creation for each draft."""
    return (Create(draft, by=by) for draft in drafts)


def fires(
    targets: Iterable[Record | str], trigger: str, details: object = None, *, by: Actor, reason: str = ""
) -> Iterator[Fire]:
    """The same transition of each record."""
    return (Fire(target, trigger, details, by=by, reason=reason) for target in targets)
