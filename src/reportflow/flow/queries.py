"""Reading: what an actor may see, as generators like those of `handle`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.flow.definitions import Definitions
from reportflow.flow.requests import Call, Steps, checked_id
from reportflow.lifecycle.history import as_of
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.checks import type_problem
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.storage.base import Group, Of


class Reader:
    """What a flow reads, always for somebody."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def get(self, id: str, actor: Actor) -> Steps[Record]:
        """The record, if the actor may see it.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        rule = self._definitions.visibility(actor)
        record: Record = (yield Call("get", ([checked_id(id)],)))[0]
        if not rule.covers(record):
            raise RecordNotFound([id])
        return record

    def _visible(self, query: Query, actor: Actor) -> Query:
        if not isinstance(query, Query):
            raise InvalidValue("query", *type_problem("Query", query))
        return changed(query, {"visible": self._definitions.visibility(actor)})

    def find(self, query: Query, actor: Actor) -> Steps[Page]:
        """A page of what the actor may see of a query.

        Raises:
            InvalidValue: the cursor is not one of this query's order.
        """
        page: Page = yield Call("find", (self._visible(query, actor),))
        return page

    def inbox(self, actor: Actor, *, limit: int, cursor: str | None) -> Steps[Page]:
        """What waits for the actor: in a state that awaits a role of theirs, not assigned to another.

        Raises:
            InvalidValue: the cursor is not one of an inbox.
        """
        query = Query(
            visible=self._definitions.awaiting_grants(actor),
            assignee={None, actor.id},
            order=("due_at", "created_at"),
            limit=limit,
            cursor=cursor,
        )
        page: Page = yield Call("find", (query,))
        return page

    def count(self, query: Query, actor: Actor, of: Of, group: Sequence[str]) -> Steps[dict[Group, int]]:
        """How many, of what the actor may see.

        Raises:
            InvalidValue: an unknown group.
        """
        found: dict[Group, int] = yield Call("count", (self._visible(query, actor), of, group))
        return found

    def history(self, id: str, actor: Actor) -> Steps[list[Entry]]:
        """What happened to a record, oldest first; what happened above the actor's clearance is left out.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        yield from self.get(id, actor)
        entries: list[Entry] = yield Call("history", ([id],))
        if actor.clearance is max(Secrecy):
            return entries
        lifecycle = self._definitions.of_history(entries)
        shown: list[Entry] = []
        record: Record | None = None
        for entry in entries:
            record = lifecycle.fold(record, entry)
            if record.readable_by(actor):
                shown.append(entry)
        return shown

    def as_of(self, id: str, actor: Actor, version: int | None, time: datetime | None) -> Steps[Record]:
        """The record as it was.

        Raises:
            RecordNotFound: there is none that the actor may see, now or as it was.
            InvalidValue: not exactly one of version and time, or there was no such version or record then.
        """
        yield from self.get(id, actor)
        history: list[Entry] = yield Call("history", ([id],))
        record = as_of(history, self._definitions.of_history(history), version=version, time=time)
        self._definitions.check_visible(record, actor)
        return record
