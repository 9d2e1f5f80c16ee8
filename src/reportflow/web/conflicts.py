"""Two people at one record: what another one changed, and the first one's text on top of it.

The form says which version it showed. Where the record has moved on, nothing is written: of each field that stands in
both, what only one of them changed is kept, and long texts that both changed are merged sentence by sentence. Where the
sentences clash, the sender's own stay, and the others are listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from reportflow.analysis.wording import Clash, merge
from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.model.record import Record
from reportflow.web.diffing import diff_markup
from reportflow.web.lookups import name_all
from reportflow.web.pages.reading import note_reading
from reportflow.web.prefilling import prefilled, texts_of
from reportflow.web.sending import DRAFT, HEAD, SEEN, Task, context, unsent, version_seen
from reportflow.web.typed import Typed, inner


class Combined(NamedTuple):
    """What was typed, on top of what another person changed.

    Attributes:
        typed: What stands in the form now.
        clashes: The name of each field whose sentences clash -> both.
        merged: The names of the fields in which both texts are.
    """

    typed: Typed
    clashes: Mapping[str, tuple[Clash, ...]]
    merged: frozenset[str]


def combined(base: Typed, mine: Typed, theirs: Typed, long: frozenset[str]) -> Combined:
    """What was typed, with what another person changed since.

    Args:
        base: What the form showed at first.
        mine: What was sent.
        theirs: What it would show now.
        long: The names of the fields that are merged sentence by sentence.
    """
    typed = dict(mine)
    clashes: dict[str, tuple[Clash, ...]] = {}
    merged = set()
    for name in {**base, **theirs}:
        was, own, now = _even(base.get(name)), _even(mine.get(name)), _even(theirs.get(name))
        if now == was or own == now:
            continue
        if own == was:
            if name in theirs:
                typed[name] = theirs[name]
            else:
                typed.pop(name, None)
        elif name in long and was and own and now:
            result = merge(was[0], own[0], now[0])
            typed[name] = [result.text]
            merged.add(name)
            if result.clashes:
                clashes[name] = result.clashes
    return Combined(typed, clashes, frozenset(merged))


def _even(values: Sequence[str] | None) -> list[str]:
    """What stands in a field, as browsers send it: one kind of line end, and nothing for a blank field."""
    even = [one.replace("\r\n", "\n").replace("\r", "\n") for one in values or ()]
    return [] if even in ([""], []) else even


async def conflict_page(task: Task, typed: Typed) -> Response:
    """What another person changed since the form was opened, and the form with both; nothing was written.

    Args:
        task: For the record as it is now.
        typed: What was sent.
    """
    visit, record = task.visit, task.record
    assert record is not None, "only a record that is there changes"
    seen = version_seen(typed)
    changes = [one for one in task.history if one.sequence > seen]
    if not task.option.allowed:
        return unsent(
            visit,
            409,
            visit.t("together.closed_title"),
            visit.t("together.closed_detail", action=visit.t.label("trigger", task.option.trigger, task.kind)),
            typed,
            reasons=[visit.t.refusal(one) for one in task.option.refusals],
            onward=visit.urls.to("r", record.id),
        )
    base = await _base(task, record, seen)
    await note_reading(visit, record, *changes, *([] if base is None else [base]))
    found = Combined(typed, {}, frozenset())
    if base is not None:
        before, after = (task.form.blank(prefilled(task.option.row, one)) for one in (base, record))
        for stands in (before, after):
            await name_all(visit, task.form.widgets, stands)
        if task.option.row.sets:
            long = frozenset(name for one, name, _ in inner(task.form.widgets, typed) if one.kind == "long")
            found = combined(before, typed, after, long)
    now: Typed = {**found.typed, HEAD: [record.head], SEEN: [str(record.version)]}
    now.pop(DRAFT, None)
    shown = context(task, now)
    shown.update(
        changes=changes,
        clashes=[(task.form.label_of(name), several) for name, several in found.clashes.items()],
        merged=[task.form.label_of(name) for name in sorted(found.merged)],
        differences=_differences(task, base, record),
        texts=texts_of(record),
        saved_at=visit.t.clock(record.updated_at) if record.updated_at else "",
    )
    return visit.page("conflict.html", 409, **shown)


async def _base(task: Task, record: Record, seen: int) -> Record | None:
    """The record as the form showed it; None where that cannot be read any more."""
    if not 0 < seen < record.version:
        return None
    visit = task.visit
    try:
        found: Record = await visit.ask(visit.flow.as_of, record.id, version=seen)
    except (InvalidValue, RecordNotFound):
        return None
    return found


def _differences(task: Task, base: Record | None, record: Record) -> list[tuple[str, Any, str]]:
    """What changed of each text of the record, marked; and the text as it is now."""
    t = task.visit.t
    before = {} if base is None else dict(texts_of(base))
    now = dict(texts_of(record))
    return [
        (t.label("field", name, task.kind), diff_markup(before.get(name, ""), now.get(name, ""), t), now.get(name, ""))
        for name in ({**before, **now} if base is not None else {})
        if before.get(name) != now.get(name)
    ]
