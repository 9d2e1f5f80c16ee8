"""Creating records and acting on them: one address for all acts, whose bodies are read by the class of the details.

An act that is called like a part of a record, such as ``history``, is no other address: that part is read by GET.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import attrs
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import FieldProblem, InvalidDefinition, InvalidValue
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY
from reportflow.model.checks import cache_by_class, shown
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.serialization.parse import parse
from reportflow.web.api import answers
from reportflow.web.api.asking import body_of, check_names, head_of, key_of
from reportflow.web.api.records import PARTS, found
from reportflow.web.routes import Route
from reportflow.web.visit import Visit


@attrs.frozen(kw_only=True)
class Creation:
    """A new record. `at` is when it came to be, now unless given."""

    kind: str
    trigger: str = ""
    draft: Any
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class Act:
    """What is done. `at` is when it happened, now unless given."""

    reason: str = ""
    at: datetime | None = None


@cache_by_class
def _with_details(details: type[Any]) -> type[Act]:
    """The class of the body of an act whose details are of a class. What must be given, the flow says."""
    nullable: Any = details | None
    own = {"details": attrs.field(type=nullable, default=None)}
    return attrs.make_class("Act", own, bases=(Act,), frozen=True, kw_only=True)


def creations(lifecycle: Lifecycle) -> tuple[str, ...]:
    """The triggers by which people create a record."""
    return tuple(row.trigger for row in lifecycle.creations if NOBODY not in row.roles)


async def create(visit: Visit) -> Response:
    """Create a record."""
    check_names(visit, ())
    body, key = await body_of(visit), key_of(visit)
    draft, trigger, at = _creation(visit, body)
    made = await visit.ask(visit.flow.create, draft, trigger=trigger, at=at, key=key)
    where = visit.urls.to("api", "records", made.id)
    return await answers.record(visit, made, 201, {"Location": where})


def _creation(visit: Visit, body: Any) -> tuple[Record, str, datetime | None]:
    """The draft of a body, by which trigger it is created, and when it came to be.

    Raises:
        InvalidValue: with all that is wrong with any of them.
    """
    said: dict[str, Any] = body if isinstance(body, dict) else {}
    problems: list[FieldProblem] = []
    given = draft = None
    try:
        given = parse(Creation, {**said, "draft": None} if "draft" in said else body)
    except InvalidValue as error:
        problems += error.problems
    kinds = visit.site.lifecycles
    kind, trigger = said.get("kind"), said.get("trigger")
    lifecycle = kinds.get(kind) if isinstance(kind, str) else None
    if isinstance(kind, str) and lifecycle is None:
        problems.append(_choice("/kind", kind, tuple(kinds)))
    if lifecycle is not None:
        if "trigger" not in said:
            trigger = next(iter(creations(lifecycle)), None)
        known = tuple(row.trigger for row in lifecycle.creations)
        if isinstance(trigger, str) and trigger not in known:
            problems.append(_choice("/trigger", trigger, known))
        elif isinstance(trigger, str) and "draft" in said:
            try:
                draft = _draft(lifecycle, trigger, said["draft"])
            except InvalidValue as error:
                problems += error.problems
            except InvalidDefinition:  # what JSON cannot say is no creation of the API
                raise HTTPException(404) from None
    if given is None or draft is None or problems:
        problems = problems or [_choice("/kind", kind, ())]  # people create none of this kind
        raise InvalidValue.of(problems, {} if lifecycle is None else lifecycle.labels)
    return draft, str(trigger), given.at


def _choice(pointer: str, given: object, choices: tuple[str, ...]) -> FieldProblem:
    return FieldProblem(pointer, "choice", {"given": shown(given), "choices": choices})


def _draft(lifecycle: Lifecycle, trigger: str, data: Any) -> Record:
    accepts = lifecycle.accepted(trigger)
    draft: Record = parse(lifecycle.record, data, accepts=accepts, at="/draft", lifecycle=lifecycle)
    if draft.kind not in ("", lifecycle.name):
        raise InvalidValue.of([_choice("/draft/kind", draft.kind, (lifecycle.name,))])
    return changed(draft, {"kind": lifecycle.name})


async def fire(visit: Visit) -> Response:
    """Do something with a record."""
    trigger = visit.params["trigger"]
    if trigger in PARTS and not any(trigger in one.triggers for one in visit.flow.lifecycles):
        raise HTTPException(405, headers={"Allow": "GET, HEAD"})
    check_names(visit, ())
    body, key, head = await body_of(visit), key_of(visit), head_of(visit)
    record = await found(visit)
    lifecycle = of_record(visit, record)
    row = lifecycle.rows(trigger)[0]
    try:
        given = parse(Act if row.details is None else _with_details(row.details), body, lifecycle=lifecycle)
    except InvalidDefinition:  # what JSON cannot say is no act of the API
        raise HTTPException(404) from None
    details = getattr(given, "details", None)
    done = await visit.ask(
        visit.flow.fire, record.id, trigger, details, reason=given.reason, at=given.at, key=key, head=head
    )
    return await answers.record(visit, done)


def of_record(visit: Visit, record: Record) -> Lifecycle:
    """The definition that a record has pinned."""
    several: tuple[Lifecycle, ...] = visit.flow.lifecycles
    return next(one for one in several if (one.name, one.version) == (record.kind, record.lifecycle_version))


ROUTES: Final = (
    Route("POST", "/api/records", create),
    Route("POST", "/api/records/{id}/{trigger}", fire),
)
