"""What a flow reads, always for an actor, as generators of effects.

The visibility rule is part of each query, so a store leaves out what the actor may not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from reportflow.errors import InvalidValue, UnreadableRecord
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, store
from reportflow.flow.loading import load
from reportflow.flow.requests import checked_id
from reportflow.lifecycle.history import as_of
from reportflow.lifecycle.reading import as_read, foreign_causes
from reportflow.model.actor import Actor
from reportflow.model.checks import type_problem
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query, Visibility
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.storage.base import Group, Of

#: How many records are read at a time, from whose entries others followed.
_SOME: Final = 500


class Queries:
    """The reads of a flow."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def get(self, id: str, actor: Actor) -> Effects[Record]:
        """The record, if the actor may see it.

        Raises:
            RecordNotFound: there is none that the actor may see.
            UnknownLifecycle: the flow was not given its lifecycle.
            UnreadableRecord: its row cannot be read.
        """
        record = yield from load(self._definitions, checked_id(id), actor)
        self._definitions.check_known(record.kind, record.lifecycle_version)
        return record

    def _visible(self, query: Query, actor: Actor) -> Query:
        if not isinstance(query, Query):
            raise InvalidValue("query", *type_problem("Query", query))
        self._definitions.check_names(query)
        return changed(query, {"visible": self._definitions.listed(actor)})

    def find(self, query: Query, actor: Actor) -> Effects[Page]:
        """A page of what the actor may see of a query.

        Raises:
            InvalidValue: the cursor is not one of this query's order, or a name that no definition has.
        """
        return (yield from store.find(self._visible(query, actor)))

    def inbox(self, actor: Actor, *, limit: int, cursor: str | None) -> Effects[Page]:
        """What waits for the actor: in a state that awaits a role of theirs, not assigned to another.

        Raises:
            InvalidValue: the cursor is not one of an inbox.
        """
        query = Query(
            visible=self._definitions.awaiting(actor),
            assignee={None, actor.id},
            order=("due_at", "created_at"),
            limit=limit,
            cursor=cursor,
        )
        return (yield from store.find(query))

    def count(self, query: Query, actor: Actor, of: Of, group: Sequence[str]) -> Effects[dict[Group, int]]:
        """How many, of what the actor may see.

        Raises:
            InvalidValue: an unknown group, or a name that no definition has.
        """
        return (yield from store.count(self._visible(query, actor), of, group))

    def history(self, id: str, actor: Actor) -> Effects[list[Entry]]:
        """What happened to a record, oldest first, as the actor may read it.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        record = yield from self.get(id, actor)
        history, rule = (yield from store.history([id])), self._definitions.visibility(actor)
        if rule.holds(self._definitions.audits(record), record):
            return [entry for entry in history if rule.reads(record, entry)]
        causes = yield from self._readable(foreign_causes(history, but=id), rule)
        return list(as_read(history, self._definitions, record, rule, causes))

    def _readable(self, ids: Sequence[str], rule: Visibility) -> Effects[set[str]]:
        """The refs of the entries of some records that a rule shows; of those that cannot be read, none."""
        refs: set[str] = set()
        for first in range(0, len(ids), _SOME):
            some = ids[first : first + _SOME]
            page = yield from store.find(Query(id=some, visible=rule, limit=_SOME))
            seen = {record.id: record for record in page}
            try:
                entries = yield from store.history(list(seen))
            except UnreadableRecord:
                continue
            refs |= {entry.ref for entry in entries if rule.reads(seen[entry.record_id], entry)}
        return refs

    def as_of(self, id: str, actor: Actor, version: int | None, time: datetime | None) -> Effects[Record]:
        """The record as it was.

        Raises:
            RecordNotFound: there is none that the actor may see, now or as it was.
            InvalidValue: not exactly one of version and time, or there was no such version or record then.
        """
        yield from self.get(id, actor)
        history = yield from store.history([id])
        record = as_of(history, self._definitions, version=version, time=time)
        self._definitions.check_visible(record, actor)
        return record
