"""Commands for a record: such as `decide` allows, and such as it refuses, mostly for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reportflow.analysis.people import able
from reportflow.analysis.samples import START
from reportflow.analysis.spoilt import Asked, unknown_trigger
from reportflow.analysis.tries import REASON, Judge, naming_details, refusal
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import Transition
from reportflow.model.entry import Command, marked
from reportflow.model.record import Record
from reportflow.testing.strategies.people import actors
from reportflow.testing.strategies.values import details, names, plain_instances

_MINUTE: Final = timedelta(minutes=1)
#: How long ago it happened, in parts of the time since the creation.
_PARTS: Final = st.none() | st.integers(0, 4)
_REASONS: Final = st.just("") | names()
_ONE_OF_FOUR: Final = st.sampled_from((False, False, False, True))


def commands(
    lifecycle: Lifecycle,
    record: Record,
    *,
    legal: bool | None = None,
    now: datetime | None = None,
    ids: Sequence[str] = (),
) -> SearchStrategy[Command]:
    """Commands for a record as it is, or creations for a draft; of one without an id they bring the id ``r1``.

    Args:
        lifecycle: The definition by which it is judged.
        record: As it is now.
        legal: True for such as `decide` allows, False for such as it does not, None for both. Where nothing can be
            found that is allowed, True gives `st.nothing()`: its ``is_empty`` says so.
        now: When they are recorded; a minute after the record's last entry unless given.
        ids: The ids of other records, which details may name.

    Raises:
        RuleFailed: a guard, `sets` or `then` of the definition raised.
        Unbuildable: the details of a transition cannot be made; `register` a strategy.
    """
    when = now or (record.updated_at or START) + _MINUTE
    asked = Asked(lifecycle, record, when, ids, plain_instances)
    found: SearchStrategy[Command] = st.nothing() if legal is False or not asked.ways else _allowed(asked)
    if not legal:
        found |= _refused(asked)
    return found if asked.id == "" else found.map(lambda one: attrs.evolve(one, id=asked.id))


# -- allowed ----------------------------------------------------------------------------------------------------


@attrs.frozen
class _Way:
    """A command that is allowed, and by whom that is said."""

    lifecycle: Lifecycle
    record: Record
    plain: Command
    judge: Judge
    ids: Sequence[str]

    def __repr__(self) -> str:
        return f"{self.lifecycle.name}: {self.plain.trigger}"


def around(
    lifecycle: Lifecycle, record: Record, plain: Command, *, judge: Judge, ids: Sequence[str] = ()
) -> SearchStrategy[Command]:
    """Commands that are allowed, of the same trigger as one that is; they shrink to that one."""
    return _around(_Way(lifecycle, record, plain, judge, ids))


@st.composite
def _around(draw: st.DrawFn, way: _Way) -> Command:
    record, plain = way.record, way.plain
    found = way.lifecycle.row(record.state if record.version else None, plain.trigger)
    assert found is not None, "it is allowed, so the row is there"
    row = found[0]
    actor = draw(st.sampled_from([plain.actor, *able(way.lifecycle, row, record)]))
    chosen = draw(_details_like(way, row))
    # a creation has no details but its draft
    reason = draw(_REASONS) or plain.reason if record.version else ""
    part = draw(_PARTS)
    varied = attrs.evolve(plain, actor=actor, details=chosen, reason=reason)
    if part is not None and record.created_at is not None and record.created_at <= plain.now:
        varied = attrs.evolve(varied, at=plain.now - (plain.now - record.created_at) * part / 4)
    # what a guard refuses is given up one by one, so that nothing is ever thrown away
    of_plain = {"actor": plain.actor, "details": plain.details}
    for kept in ((), ("actor",), ("details",)):
        one = attrs.evolve(varied, **{name: of_plain[name] for name in kept})
        if one == plain or refusal(way.judge, one) is None:
            return one
    return plain


@st.composite
def _details_like(draw: st.DrawFn, way: _Way, row: Transition) -> Any:
    """Details of a row, as its class gives them: those of the plain command are one of many, not every other one.

    Where the plain ones name a record or a field, so do most of these, and all the rest varies.
    """
    plain = way.plain.details
    if row.details is None:
        return plain
    drawn = draw(details(row.details))
    if row.then is None and row.erases is None and "retracts" not in marked(row.details):
        return drawn
    others = naming_details(way.lifecycle, row, plain_instances, way.ids)
    naming = plain if row.then is None and row.erases is None else draw(st.sampled_from([plain, *others]))
    named = _naming_fields(naming, way.ids, row)
    if not named or draw(_ONE_OF_FOUR):
        return drawn
    try:
        return attrs.evolve(drawn, **named)
    except Exception:  # whatever a validator of the host's class raises: it takes them alone, not with the rest
        return naming


def _naming_fields(chosen: Any, ids: Sequence[str], row: Transition) -> dict[str, Any]:
    """The fields of details that name a record, what is to be erased, or the entry that is taken back."""
    fields = [field for field in attrs.fields(type(chosen)) if field.init]
    values = {field: getattr(chosen, field.name) for field in fields}
    return {
        str(field.alias or field.name): value
        for field, value in values.items()
        if field.name in (row.erases, marked(type(chosen)).get("retracts")) or (isinstance(value, str) and value in ids)
    }


# -- refused ----------------------------------------------------------------------------------------------------


@st.composite
def _allowed(draw: st.DrawFn, asked: Asked) -> Command:
    plain = draw(st.sampled_from(asked.ways))
    return draw(around(asked.lifecycle, asked.record, plain, judge=asked.judge, ids=asked.ids))


@st.composite
def _refused(draw: st.DrawFn, asked: Asked) -> Command:
    if not draw(st.booleans()):
        return draw(st.sampled_from(asked.refused))
    row = draw(st.sampled_from(asked.lifecycle.transitions))
    chosen = draw(st.sampled_from((None, "text")) | details(row))
    reason = draw(st.sampled_from(("", " ", REASON)))
    actor = draw(actors(asked.lifecycle))
    one = Command(trigger=row.trigger, actor=actor, now=asked.now, details=chosen, reason=reason)
    return one if refusal(asked.judge, one) is not None else attrs.evolve(one, trigger=unknown_trigger(asked.lifecycle))
