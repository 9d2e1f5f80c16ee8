"""Erasing content of one record or of all records of a query, judged as a whole before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import attrs

from reportflow.errors import Conflict, InvalidValue
from reportflow.flow.effects import Effects, pause
from reportflow.flow.handler import Handler
from reportflow.flow.queries import Queries
from reportflow.flow.requests import Fire, actor_of, check_target
from reportflow.flow.unit_of_work import UnitOfWork
from reportflow.lifecycle.table import Transition
from reportflow.model.actor import Actor
from reportflow.model.checks import text_problem, type_problem
from reportflow.model.entry import marked
from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.model.values import Value, as_texts, changed, not_blank

#: How many records are read at a time.
_PAGE: Final = 100
#: How often a record is judged anew that is written to meanwhile, and the pause before, in seconds.
_TRIES: Final = 20
_PAUSE: Final = 0.002


class ErasedPart(NamedTuple):
    """Which fields of which entry are erased, as `Erased` names them."""

    sequence: int
    fields: tuple[str, ...]


@attrs.frozen(kw_only=True)
class PlannedErasure(Value):
    """What is erased of one record.

    Attributes:
        id: The record.
        trigger: The transition that erases.
        entries: What is erased from each entry that is touched.
        size: How much stored content that is, in bytes.
    """

    id: str
    trigger: str
    entries: tuple[ErasedPart, ...]
    size: int

    def __attrs_post_init__(self) -> None:
        """Nothing: it is made here alone, of what was checked."""


@attrs.frozen(kw_only=True)
class ErasurePlan(Value):
    """What an erasure removes, or would.

    Attributes:
        records: The records of which something is erased.
        skipped: The ids of those of which nothing is left to erase.
    """

    records: tuple[PlannedErasure, ...]
    skipped: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Nothing: it is made here alone, of what was checked."""

    @property
    def entries(self) -> int:
        """How many entries are touched."""
        return sum(len(one.entries) for one in self.records)

    @property
    def size(self) -> int:
        """How many bytes of stored content are removed from them."""
        return sum(one.size for one in self.records)


def _target(value: Any) -> Any:
    if not isinstance(value, Record | str | Query):
        raise InvalidValue("target", *type_problem("Record | str | Query", value))
    return value


def _names(value: Any) -> tuple[str, ...]:
    names = as_texts(value) if isinstance(value, str | Iterable) else value
    if not isinstance(names, tuple):
        raise InvalidValue("fields", *type_problem("tuple[str, ...]", value))
    for name in names:
        problem = text_problem(name)
        if problem:
            raise InvalidValue("fields", *problem)
    return names


def _text(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    problem = None if value is None else text_problem(value)
    if problem:
        raise InvalidValue(attribute.name, *problem)


@attrs.frozen
class ErasureRequest:
    """What is to be erased, with the arguments of `ReportFlow.erase`.

    Raises:
        InvalidValue: one of them is wrong, or nothing is named.
    """

    target: Record | str | Query = attrs.field(converter=_target)
    by: Actor = attrs.field(kw_only=True, converter=actor_of)
    fields: tuple[str, ...] = attrs.field(kw_only=True, converter=_names)
    person: str | None = attrs.field(default=None, kw_only=True, validator=[_text, not_blank])
    reason: str = attrs.field(default="", kw_only=True, validator=_text)
    key: str | None = attrs.field(default=None, kw_only=True, validator=[_text, not_blank])


def erase(handler: Handler, queries: Queries, asked: ErasureRequest, *, plan: bool) -> Effects[ErasurePlan]:
    """Erase, or only say what would be erased.

    Raises:
        Everything that `ReportFlow.erase` raises.
    """
    planned: list[PlannedErasure] = []
    requests: list[Fire] = []
    skipped: list[str] = []
    nowhere: InvalidValue | None = None
    found = False
    after: str | None = None
    while True:
        records, after = yield from _some(queries, asked, after)
        for record in records:
            request = _request(handler, asked, record)
            try:
                one = yield from _rehearsed(handler, request)
            except InvalidValue as error:
                if error.problem != "person_nowhere":
                    raise
                nowhere = error
                continue
            found = True
            if one is None:
                skipped.append(record.id)
            else:
                planned.append(one)
                requests.append(request)
        if after is None:
            break
    if asked.person is not None and not found:
        raise nowhere or InvalidValue("person", "person_nowhere", {"given": asked.person})
    if not plan:
        for request in requests:
            yield from handler.run([request])
    return ErasurePlan(records=tuple(planned), skipped=tuple(skipped))


#: Some records, and where the next ones are; None behind the last.
_Some = tuple[tuple[Record, ...], str | None]


def _some(queries: Queries, asked: ErasureRequest, cursor: str | None) -> Effects[_Some]:
    """Some of the records that are meant."""
    if not isinstance(asked.target, Query):
        id = asked.target if isinstance(asked.target, str) else asked.target.id
        return ((yield from queries.get(id, asked.by)),), None
    query = changed(asked.target, {"order": ("id",), "limit": _PAGE, "cursor": cursor})
    page = yield from queries.find(query, asked.by)
    return page.records, page.next


def _request(handler: Handler, asked: ErasureRequest, record: Record) -> Fire:
    """The request that erases content of one record.

    Raises:
        InvalidValue: no row of its lifecycle erases from its state, or it does not take what was named.
    """
    lifecycle = handler.definitions.of(record)
    rows = (row for row in lifecycle.transitions if row.erases is not None and record.state in row.sources)
    row = next(rows, None)
    if row is None:
        raise InvalidValue("target", "nothing_erases", {"given": lifecycle.name, "state": record.state})
    seen: dict[str, Any] = {}
    key = asked.key
    if isinstance(asked.target, Record):
        seen = {"version": asked.target.version, "head": asked.target.head}
    elif isinstance(asked.target, Query) and key is not None:
        key = f"{key}/{record.id}"
    request = Fire(record.id, row.trigger, _details(row, asked), by=asked.by, reason=asked.reason, key=key, **seen)
    check_target(request)
    return request


def _details(row: Transition, asked: ErasureRequest) -> object:
    """The details of a row that erases what was named.

    Raises:
        InvalidValue: they do not take it, or need more.
    """
    given: dict[str, object] = {}
    place = {"trigger": row.trigger}
    if isinstance(row.erases, str):
        given[row.erases] = asked.fields
    elif asked.fields:
        raise InvalidValue("fields", "names_fixed", place)
    if asked.person is not None:
        field = None if row.details is None else marked(row.details).get("person")
        if field is None:
            raise InvalidValue("person", "names_fixed", place)
        given[field] = asked.person
    if row.details is None:
        return None
    aliases = {field.name: field.alias or field.name for field in attrs.fields(row.details)}
    try:
        return row.details(**{aliases[name]: value for name, value in given.items()})
    except InvalidValue:
        raise
    except Exception as error:
        raise InvalidValue(row.details.__name__, "refused", {"given": f"{type(error).__name__}: {error}"}) from error


def _rehearsed(handler: Handler, request: Fire) -> Effects[PlannedErasure | None]:
    """What a request would erase, found by deciding it without a commit; None where nothing is left to erase.

    Raises:
        Everything that `ReportFlow.fire` raises but a failure to write.
    """
    unit = UnitOfWork()
    for attempt in range(_TRIES):
        unit = UnitOfWork()
        try:
            bare = attrs.evolve(request, key=None)
            yield from handler.perform(unit, bare, handler.clock(), id=handler.id_of(bare), retried=False)
            break
        except Conflict:  # it was written to while it was read
            if attempt == _TRIES - 1:
                raise
            yield from pause(_PAUSE)
    tracked = unit.tracked[request.id]
    touched = tuple(ErasedPart(one.sequence, one.fields) for one in tracked.entries[0].erased)
    if not touched:
        return None
    return PlannedErasure(id=request.id, trigger=request.trigger, entries=touched, size=tracked.removed)
