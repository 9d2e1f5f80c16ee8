"""What a flow reads, always for an actor, as generators of effects.

The visibility rule is part of each query, so a store leaves out what the actor may not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import attrs

from reportflow.errors import InvalidValue, UnknownLifecycle, UnreadableRecord
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, store
from reportflow.flow.loading import load
from reportflow.flow.people import Directory
from reportflow.flow.requests import actor_of, checked_id
from reportflow.lifecycle.history import as_of, happened_by, replay, until_end_of_command
from reportflow.lifecycle.reading import as_read, foreign_causes
from reportflow.model.actor import Actor
from reportflow.model.checks import is_blank, text_problem, type_problem
from reportflow.model.entry import Entry
from reportflow.model.query import LIMIT, Page, Query, Visibility, check_range
from reportflow.model.record import Record
from reportflow.model.values import changed
from reportflow.storage.base import FeedItem, Group, Of

#: How many records whose histories are needed, or items of the feed, are read at a time.
_SOME: Final = 500
#: The last position that a feed can have.
_LAST: Final = 2**63 - 1


@attrs.frozen(kw_only=True)
class KeyUse:
    """What an idempotency key came to.

    Attributes:
        record_id: The record that was created or acted on.
        sequence: Which entry of its history that is.
        record: The record as it was after that act; None where the actor may no longer see it.
    """

    record_id: str
    sequence: int
    record: Record | None


class Queries:
    """The reads of a flow."""

    def __init__(self, definitions: Definitions, people: Directory) -> None:
        self._definitions = definitions
        self._people = people

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

    def visible(self, query: Query, actor: Actor) -> Query:
        """A query with the rule of what the actor may see.

        Raises:
            InvalidValue: no query, or a name that no definition has.
        """
        if not isinstance(query, Query):
            raise InvalidValue("query", *type_problem("Query", query))
        self._definitions.check_names(query)
        return changed(query, {"visible": self._definitions.listed(actor)})

    def find(self, query: Query, actor: Actor) -> Effects[Page]:
        """A page of what the actor may see of a query.

        Raises:
            InvalidValue: the cursor is not one of this query's order, or a name that no definition has.
        """
        return (yield from store.find(self.visible(query, actor)))

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
        return (yield from store.count(self.visible(query, actor), of, group))

    def history(self, id: str, actor: Actor) -> Effects[list[Entry]]:
        """What happened to a record, oldest first, as the actor may read it.

        Raises:
            RecordNotFound: there is none that the actor may see.
        """
        record = yield from self.get(id, actor)
        found = yield from self._as_read([record], self._definitions.visibility(actor))
        return found[id]

    def histories(self, query: Query, actor: Actor) -> Iterator[Effects[list[tuple[Record, list[Entry]]]]]:
        """What the actor may see of a query with the histories as they may read them: a generator for each page.

        Raises:
            InvalidValue: the cursor is not one of this query's order, or a name that no definition has.
        """
        visible = self.visible(query, actor)
        visible.place()  # so a wrong cursor is refused by the call itself
        return self._pages([changed(visible, {"limit": min(query.limit, _SOME)})], self._definitions.visibility(actor))

    def _pages(self, left: list[Query], rule: Visibility) -> Iterator[Effects[list[tuple[Record, list[Entry]]]]]:
        while left:  # the query of the next page; reading that page puts the one after it here
            yield self._page(left, rule)

    def _page(self, left: list[Query], rule: Visibility) -> Effects[list[tuple[Record, list[Entry]]]]:
        query = left.pop()
        page = yield from store.find(query)
        if page.next is not None:
            left.append(changed(query, {"cursor": page.next}))
        found = yield from self._readable_histories(page.records, rule)
        return [  # what happened since the record was read is not yet in it
            (record, [entry for entry in found[record.id] if entry.sequence <= record.version])
            for record in page
            if record.id in found
        ]

    def feed(self, after: int | None, actor: Actor, limit: int) -> Effects[list[FeedItem]]:
        """The entries behind a position that the actor may read, in the order of the feed.

        Raises:
            InvalidValue: a position or limit that is none.
        """
        check_range("after", 0 if after is None else after, 0, _LAST)
        check_range("limit", limit, 1, LIMIT)
        listed, rule = self._definitions.listed(actor), self._definitions.visibility(actor)
        found: list[FeedItem] = []
        some = min(limit, _SOME)
        while True:
            items = yield from store.feed(after, some)
            ids = {item.entry.record_id for item in items if item.unreadable is None}
            page = (yield from store.find(Query(id=ids, visible=listed, limit=_SOME))) if ids else Page(())
            histories = yield from self._readable_histories(page.records, rule)
            shown = {entry.ref: entry for history in histories.values() for entry in history}
            for item in items:
                if item.unreadable is None and item.entry.ref in shown:
                    found.append(FeedItem(item.position, shown[item.entry.ref]))
                    if len(found) == limit:
                        return found
            if len(items) < some:
                return found
            after = items[-1].position
            some = min(2 * some, _SOME)  # where little is for the actor, small pages would be many

    def _readable_histories(self, records: Sequence[Record], rule: Visibility) -> Effects[dict[str, list[Entry]]]:
        """As `_as_read`, without the records whose history cannot be read: they are found by halving."""
        try:
            return (yield from self._as_read(records, rule)) if records else {}
        except (UnreadableRecord, UnknownLifecycle):
            if len(records) == 1:
                return {}
        half = len(records) // 2
        before = yield from self._readable_histories(records[:half], rule)
        return before | (yield from self._readable_histories(records[half:], rule))

    def _as_read(self, records: Sequence[Record], rule: Visibility) -> Effects[dict[str, list[Entry]]]:
        """What happened to records that a rule shows, by id, each oldest first, as its actor may read it.

        Raises:
            UnreadableRecord: an entry cannot be read.
            UnknownLifecycle: the flow was not given the lifecycle of a record, or of an entry.
        """
        histories: dict[str, list[Entry]] = {record.id: [] for record in records}
        for entry in (yield from store.history(list(histories))):
            histories[entry.record_id].append(entry)
        whole = {one.id for one in records if rule.holds(self._definitions.audits(one), one)}
        caused = (id for one in histories.keys() - whole for id in foreign_causes(histories[one], but=one))
        causes = yield from self._readable(list(dict.fromkeys(caused)), rule)
        found: dict[str, list[Entry]] = {}
        for record in records:
            self._definitions.check_known(record.kind, record.lifecycle_version)
            history = histories[record.id]
            if record.id in whole:
                found[record.id] = [entry for entry in history if rule.reads(record, entry)]
            else:
                found[record.id] = list(as_read(history, self._definitions, record, rule, causes))
        return dict((yield from self._people.name_actors(found, histories)))

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

    def by_key(self, key: str, actor: Actor) -> Effects[KeyUse | None]:
        """What a key of the actor came to; None where it was not used.

        Raises:
            InvalidValue: no key.
        """
        problem = text_problem(key)
        if problem:
            raise InvalidValue("key", *problem)
        if is_blank(key):
            raise InvalidValue("key", "blank")
        entry = yield from store.by_key(actor_of(actor).id, key)
        if entry is None:
            return None
        history = yield from store.history([entry.record_id])
        then = replay(until_end_of_command(history, entry), self._definitions)
        seen = self._definitions.visibility(actor)
        visible = seen.covers(then) and seen.covers(replay(history, self._definitions))
        return KeyUse(record_id=entry.record_id, sequence=entry.sequence, record=then if visible else None)

    def as_of(
        self, id: str, actor: Actor, version: int | None, time: datetime | None, happened: datetime | None
    ) -> Effects[Record]:
        """The record as it was.

        Raises:
            RecordNotFound: there is none that the actor may see, now or as it was.
            InvalidValue: neither a version nor times, both, or there was no such version or record then.
        """
        yield from self.get(id, actor)
        history = yield from store.history([id])
        record = as_of(history, self._definitions, version=version, time=time, happened=happened)
        self._definitions.check_visible(record, actor)
        if happened is not None:  # in that order, what was once secret may come before the act that made it so
            secret = [
                one.sequence for one in happened_by(history, happened, time=time) if one.secrecy > actor.clearance
            ]
            if secret:
                self._definitions.check_visible(replay(history[: max(secret)], self._definitions), actor)
        return record
