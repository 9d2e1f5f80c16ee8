"""Queries to SQL: what a `Query` asks for as conditions, an order, a page and a count, by SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from reportflow.model.actor import Scope, Secrecy
from reportflow.model.checks import is_blank
from reportflow.model.query import (
    ENTRY_GROUPS,
    LABEL_GROUPS,
    RECORD_GROUPS,
    Grant,
    Happened,
    Interval,
    Query,
    Visibility,
    folded,
)
from reportflow.model.values import time_text
from reportflow.storage.base import Of
from reportflow.storage.sql.conditions import FEW, among, label_named
from reportflow.storage.sql.schema import RECORD_COLUMNS, Tables

_ONE_OF = ("id", "state", *(name for name in RECORD_GROUPS if name not in ("lifecycle_version", "state")))
_TIMES = ("created_at", "updated_at", "due_at")
_MARKS = ("party", "level", "code")

#: What the parameters are called that say where a page begins.
PLACE: Final = "place_{}"

Condition = sa.ColumnElement[bool]
Values = frozenset[str | None] | None


def page(tables: Tables, query: Query, position_function: str) -> sa.Select[Any]:
    """The records of a page, one more than its limit, so that it shows whether another page follows.

    Args:
        tables: Where to look.
        query: Where it has a cursor, the place of the cursor is a parameter of the statement (`PLACE`), so that one
            statement serves all pages.
        position_function: The engine's function that gives the position of a text in another one.
    """
    keys = [(tables.record.c[name], downward) for name, downward in query.sort_keys()]
    conditions = found(tables, query, position_function)
    if query.cursor is not None:
        conditions.append(_after(keys, [sa.bindparam(PLACE.format(n), type_=c.type) for n, (c, _) in enumerate(keys)]))
    order = [column.desc() if downward else column.asc() for column, downward in keys]
    columns = [tables.record.c[name] for name in RECORD_COLUMNS]
    return sa.select(*columns).where(*conditions).order_by(*order).limit(query.limit + 1)


def _after(keys: Sequence[tuple[sa.ColumnElement[Any], bool]], place: Sequence[Any]) -> Condition:
    """What comes behind a place: one row-value comparison where all keys run one way, which an index can follow."""
    columns, ways = [column for column, _ in keys], {downward for _, downward in keys}
    if len(ways) == 1:
        here = sa.tuple_(*columns)
        return here < sa.tuple_(*place) if ways == {True} else here > sa.tuple_(*place)
    return sa.or_(
        *(
            sa.and_(
                *(column == at for (column, _), at in zip(keys[:number], place, strict=False)),
                keys[number][0] < place[number] if keys[number][1] else keys[number][0] > place[number],
            )
            for number in range(len(keys))
        )
    )


def count(tables: Tables, query: Query, of: Of, group: Sequence[str], position_function: str) -> sa.Select[Any]:
    """One row a group: the group's values, then the number."""
    by_entry = of == "entries" or any(name in ENTRY_GROUPS for name in group)
    source: Any = tables.record
    if by_entry:
        source = source.join(tables.entry, tables.entry.c.record_id == tables.record.c.id)
        conditions = found_entries(tables, query, position_function)
    else:
        conditions = found(tables, query, position_function)
    columns: list[sa.ColumnElement[Any]] = []
    for name in group:
        if name in LABEL_GROUPS:
            label = tables.label.alias(f"{name}_label")
            named = label_named(label.c.name, name)
            source = source.outerjoin(label, sa.and_(label.c.record_id == tables.record.c.id, named))
            columns.append(label.c.value)
        elif name in RECORD_GROUPS:
            columns.append(tables.record.c[name])
        else:
            columns.append(tables.entry.c["actor_id" if name == "actor" else name])
    number = sa.func.count(sa.distinct(tables.record.c.id)) if by_entry and of == "records" else sa.func.count()
    return sa.select(*columns, number).select_from(source).where(*conditions).group_by(*columns)


def found(tables: Tables, query: Query, position_function: str) -> list[Condition]:
    """Which rows of ``record`` a query finds, whatever its order, limit and cursor."""
    conditions = [*_conditions(tables, query, position_function)]
    if query.happened is not None:
        conditions.append(_in_history(tables, query, query.happened, position_function))
    return conditions


def found_entries(tables: Tables, query: Query, position_function: str) -> list[Condition]:
    """Which rows of ``record``, joined with ``entry``, are entries that a query finds."""
    conditions = [*_conditions(tables, query, position_function)]
    conditions += [_stands(tables, query.happened), *_fitting(tables, query.happened)]
    return [*conditions, *_readable(tables, query.visible, position_function)]


def _conditions(tables: Tables, query: Query, position_function: str) -> Iterator[Condition]:
    record = tables.record
    if query.visible is not None:
        yield _visible(tables, query.visible)
    for name in _ONE_OF:
        yield from _chosen(record.c[name], getattr(query, name))
    for name in _TIMES:
        yield from _inside(record.c[name], getattr(query, name))
    for name in LABEL_GROUPS:
        wanted: Values = getattr(query, name)
        if wanted is not None:
            has = _has_label(tables, name, sorted(str(one) for one in wanted if one is not None))
            yield sa.or_(has, sa.not_(sa.exists(_labelled(tables, name)))) if None in wanted else has
    if query.text is not None:
        position = getattr(sa.func, position_function)
        texts = sorted({folded(str(text)) for text in query.text})
        yield sa.or_(sa.false(), *(position(record.c.folded, text) > 0 for text in texts))


def _has_label(tables: Tables, name: str, values: Sequence[str]) -> Condition:
    """Whether a record has one of the labels: looked up for each record, or of very many values once for all."""
    label = tables.label
    if len(values) <= FEW:
        return sa.exists(_labelled(tables, name).where(label.c.value.in_(values)))
    return tables.record.c.id.in_(
        sa.select(label.c.record_id).where(label.c.name == name, among(label.c.value, values)).correlate(None)
    )


def _labelled(tables: Tables, name: str) -> sa.Select[Any]:
    label, record = tables.label, tables.record
    labels = sa.select(label.c.record_id).where(label.c.record_id == record.c.id, label.c.name == name)
    return labels.correlate(record)  # and nothing else, where a host's SELECT is from labels too


def _chosen(column: sa.ColumnElement[Any], wanted: Values) -> Iterator[Condition]:
    if wanted is None:
        return
    values = sorted(str(one) for one in wanted if one is not None)
    found = among(column, values)
    yield sa.or_(found, column.is_(None)) if None in wanted else found


def _inside(column: sa.ColumnElement[Any], wanted: Interval | None) -> Iterator[Condition]:
    """Times are texts of one width; no due date is a text behind all of them, and inside no interval."""
    if wanted is None:
        return
    if wanted.start is not None:
        yield column >= time_text(wanted.start)
    yield column < (time_text(wanted.end) if wanted.end is not None else ":")


def _visible(tables: Tables, rule: Visibility) -> Condition:
    clear = _within_clearance(tables.record, rule)
    return sa.and_(clear, sa.or_(sa.false(), *(_granted(tables, rule, grant) for grant in rule.grants)))


def _readable(tables: Tables, rule: Visibility | None, position_function: str) -> Iterator[Condition]:
    """Of a record that the rule shows, the entries that it shows: `Visibility.reads`."""
    if rule is None:
        return
    yield _within_clearance(tables.entry, rule)
    audience = tables.entry.c.audience
    named = sa.literal(",", audience.type) + audience + ","
    holds = getattr(sa.func, position_function)
    yield sa.or_(
        audience.is_(None),
        *(
            sa.and_(sa.or_(*(holds(named, f",{role},") > 0 for role in sorted(grant.roles))), granted)
            for grant in rule.grants
            if grant.roles
            for granted in (_granted(tables, rule, grant),)
        ),
    )


def _within_clearance(table: sa.Table, rule: Visibility) -> Condition:
    return table.c.secrecy.in_([level.value for level in Secrecy.up_to(rule.clearance)])


def _granted(tables: Tables, rule: Visibility, grant: Grant) -> Condition:
    record = tables.record
    where: list[Condition] = [record.c.kind == grant.kind]
    if grant.states is not None:
        where.append(record.c.state.in_(sorted(grant.states)))
    if grant.versions is not None:
        where.append(record.c.lifecycle_version.in_(sorted(grant.versions)))
    means: dict[Scope, Condition] = {
        Scope.ANY: sa.true(),
        Scope.UNIT: sa.false() if is_blank(rule.unit) else record.c.unit == rule.unit,
        Scope.OWN: record.c.id.in_(_own(tables, rule.actor)),
    }
    return sa.and_(*where, sa.or_(sa.false(), *(means[scope] for scope in sorted(grant.scopes))))


def _own(tables: Tables, actor: str) -> sa.Select[Any]:
    """The ids of what a person created or wrote: looked up by an index each, where an OR would look at every record.

    The union stands in a table of its own, since MariaDB would ask a union for each record again.
    """
    label, mine = tables.label, tables.record.alias("mine")
    created = sa.select(mine.c.id).where(mine.c.created_by == actor).correlate(None)
    written = sa.select(label.c.record_id).where(label.c.name == "author", label.c.value == actor).correlate(None)
    return sa.select(sa.union_all(created, written).subquery("own").c.id)


def _in_history(tables: Tables, query: Query, happened: Happened, position_function: str) -> Condition:
    entries = sa.select(tables.entry.c.sequence).where(tables.entry.c.record_id == tables.record.c.id)
    entries = entries.correlate(tables.record)
    readable = _readable(tables, query.visible, position_function)
    return sa.exists(entries.where(*_fitting(tables, happened), _stands(tables, happened), *readable))


def _stands(tables: Tables, happened: Happened | None) -> Condition:
    """No entry takes it back, as far as was recorded before the end of what is asked for."""
    entry, later = tables.entry, tables.entry.alias("later")
    gone = sa.select(later.c.sequence).where(
        later.c.record_id == entry.c.record_id, later.c.retracts == entry.c.sequence
    )
    if happened is not None and happened.recorded_at is not None and happened.recorded_at.end is not None:
        gone = gone.where(later.c.recorded_at < time_text(happened.recorded_at.end))
    return sa.not_(sa.exists(gone.correlate(entry)))


def _fitting(tables: Tables, happened: Happened | None) -> list[Condition]:
    if happened is None:
        return []
    entry = tables.entry
    return [
        *_chosen(entry.c.trigger, happened.trigger),
        *_chosen(entry.c.actor_id, happened.actor),
        *(condition for mark in _MARKS for condition in _chosen(entry.c[mark], getattr(happened, mark))),
        *_inside(entry.c.at, happened.at),
        *_inside(entry.c.recorded_at, happened.recorded_at),
    ]
