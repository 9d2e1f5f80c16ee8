"""`ReportFlow`: the verbs, each driving the generators of the handler and the queries on a store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self, TypeVar, overload

from reportflow.errors import ReportflowError
from reportflow.flow import offers
from reportflow.flow.base import GRACE, LIMIT, FlowBase, typed, typed_page
from reportflow.flow.bulk import CHUNK, Outcome, Stream
from reportflow.flow.driving import drive
from reportflow.flow.effects import Effects
from reportflow.flow.queries import KeyUse
from reportflow.flow.requests import Create, Fire, Request
from reportflow.lifecycle.decision import Option
from reportflow.model.actor import Actor, Person
from reportflow.model.attachment import Attachment
from reportflow.model.entry import Entry
from reportflow.model.query import Page, Query, R, grouping
from reportflow.model.record import Record
from reportflow.storage.base import FeedItem, Group, Of, Store

if TYPE_CHECKING:
    from reportflow.flow.attachments import Download, SupportsRead
    from reportflow.flow.erasing import ErasurePlan
    from reportflow.flow.heads import FilePath
    from reportflow.flow.verification import Verification, Verifier


T = TypeVar("T")


class ReportFlow(FlowBase[Store]):
    """Records of any kinds, moved by their lifecycles and kept by a store. A context manager.

    Every call says who asks, reads too: what the actor may not see does not exist for them. All calls may be made from
    several threads.

    Args:
        store: Keeps the records; closed with the flow.
        lifecycles: The definitions, one or several, also several versions of one.
        clock: Gives the time, aware.
        new_id: Gives the ids of new records.
        retry_timeout: How long a call is retried after conflicts, in seconds.
        catalog: The texts of its errors; those of this library unless given.
        clock_tolerance: By how many seconds a caller's clock may differ: so far `at` may lie after the clock's now, or
            before the record's creation.
        zone: The time zone in which days, months and years are counted and times shown, or its name, such as
            ``Asia/Shanghai``; that of the machine unless given.
        observe: Called with each `Incident`: retries and conflicts that were given up.
        people: Who exists, by id, where the host can say: a mapping, a function, or an object that can be searched
            too; see `People`.
        files: Keeps the contents of files, such as `DirectoryFiles`. Without it attachments are only named, and their
            bytes are the host's.
        file_rules: Which files are taken; see `FileRules` for those that are unless it is given.

    Raises:
        InvalidDefinition: two lifecycles of one name and version.
        InvalidValue: what was given is no store, or no lifecycle.
        StorageError: the store cannot be read.
    """

    _new_lock = threading.Lock

    def _begin(self) -> None:
        self._drive(self._look_around())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store. Closing twice is fine; every other call then raises `StorageClosed`."""
        self._closed = True
        self._store.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def create(
        self, draft: R, *, by: Actor, trigger: str | None = None, at: datetime | None = None, key: str | None = None
    ) -> R:
        """Create a record from a draft.

        Args:
            draft: Made by ``X.draft(…)``, with what its creation accepts. Its unit is the actor's unless it names one.
            by: Who creates it.
            trigger: By which row, where several create; else the first that permits the actor.
            at: When it came to be, up to now; now unless given.
            key: The idempotency key: used before by this actor for the same draft, it gives the record of then.

        Raises:
            TransitionRefused: with every refusal.
            UnknownTrigger: the lifecycle has no such trigger.
            InvalidValue: a value that cannot be stored.
            AlreadyExists: the draft brings an id that is taken.
            DuplicateKey: the key was used for another request.
            StorageError: the store cannot keep it.
        """
        return typed(self._one(Create(draft, by=by, trigger=trigger, at=at, key=key)), type(draft))

    @overload
    def fire(
        self,
        target: R,
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        reason: str = "",
        at: datetime | None = None,
        key: str | None = None,
        version: int | None = None,
        head: str | None = None,
    ) -> R: ...

    @overload
    def fire(
        self,
        target: str,
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        reason: str = "",
        at: datetime | None = None,
        key: str | None = None,
        version: int | None = None,
        head: str | None = None,
        type: type[R] = ...,
    ) -> R: ...

    def fire(
        self,
        target: Record | str,
        trigger: str,
        details: object = None,
        *,
        by: Actor,
        reason: str = "",
        at: datetime | None = None,
        key: str | None = None,
        version: int | None = None,
        head: str | None = None,
        type: type[Record] = Record,
    ) -> Record:
        """Fire a transition of a record, and get the record after it.

        Args:
            target: The record as the caller saw it, or its id. Of a record its id, version and head count.
            trigger: What to do.
            details: The details that the transition needs.
            by: Who does it.
            reason: Why.
            at: When it happened, from the record's creation up to now; now unless given.
            key: The idempotency key: used before by this actor for the same request, it gives the record of then.
            version: With an id: the version that the caller saw.
            head: With an id: the head that the caller saw, which stands for the content too.
            type: With an id: the class of the record.

        Raises:
            TransitionRefused: with every refusal.
            StaleRecord: the version or head that the caller saw is no longer the stored one.
            RecordNotFound: there is no such record that the actor may see.
            UnknownTrigger: the lifecycle has no such trigger.
            InvalidValue: a value that cannot be stored, a time out of range, or a record of another class.
            DuplicateKey: the key was used for another request.
            Conflict: other writers were faster until the deadline.
            StorageError: the store cannot keep it.
        """
        request = Fire(target, trigger, details, by=by, reason=reason, at=at, key=key, version=version, head=head)
        return typed(self._one(request), type)

    def erase(
        self,
        target: Record | str | Query,
        *,
        by: Actor,
        fields: Iterable[str] = (),
        person: str | None = None,
        reason: str = "",
        plan: bool = False,
        key: str | None = None,
    ) -> ErasurePlan:
        """Erase content of a record, or of all records of a query that the actor may see, by the rows that erase.

        Each record is erased by a commit of its own. A record of which nothing is left to erase is left alone, so that
        a call that was interrupted can be made again. All is judged before anything is written.

        Args:
            target: A record, its id, or a `Query`, whose order, limit and cursor do not matter.
            by: Who does it.
            fields: What to erase, by name; see `reportflow.lifecycle.erasable`.
            person: The id of a person: what is known of them is erased.
            reason: Why.
            plan: Whether only to say what would be erased, and how much it is.
            key: The idempotency key; over a query that of each record is ``<key>/<id>``.

        Returns:
            What was erased, or would be.

        Raises:
            InvalidValue: a field is unknown, a reference, or would change another; the person is nowhere; no row
                erases from a record's state; or stored content is not what was committed.
            TransitionRefused: with every refusal.
            RecordNotFound: there is no such record that the actor may see.
            Conflict: other writers were faster until the deadline.
            StorageError: the store cannot keep it.
        """
        from reportflow.flow.erasing import ErasureRequest, erase  # few programs erase

        asked = ErasureRequest(target, by=by, fields=fields, person=person, reason=reason, key=key)
        return self._drive(erase(self._handler, self._queries, asked, plan=plan))

    def batch(self, requests: Iterable[Request]) -> list[Record]:
        """Several creations and transitions, decided together and committed at once: all of them, or none.

        Each is decided on the result of the ones before it. Gives one record for each request, as it was after it.

        Raises:
            Whatever `create` and `fire` raise; then nothing was written.
        """
        return self._drive(self._batch(requests))

    def run(
        self,
        requests: Iterable[Request],
        *,
        on_error: Literal["stop", "skip"] = "stop",
        progress: Callable[[int], object] | None = None,
        chunk: int = CHUNK,
    ) -> Iterator[Outcome]:
        """Run many requests, each for itself; gives one outcome a request, in their order. Lazy: iterate over it.

        The requests are taken from the iterable `chunk` at a time; each chunk is committed at once, or one by one where
        there is a conflict. The arguments are checked when this is called.

        Args:
            requests: Any iterable of `Create` and `Fire`, each with its own actor, time, key and trigger.
                What it raises is raised here, after the outcomes of all that it gave before.
            on_error: With "stop" the first error is raised; with "skip" it is the outcome of its request, and only a
                lost store ends the run. What was committed before stays in both cases, and an error names its `place`
                in the stream.
            progress: Called with the number of requests done, after each chunk.
            chunk: How many are held in memory, and committed at once.

        Raises:
            InvalidValue: an argument is none of these.
            Whatever `create` and `fire` raise, while it is iterated over; `InvalidValue` also for an object of the
                stream that is no request.
        """
        return self._run(self._stream(requests, on_error, progress, chunk))

    def _run(self, stream: Stream) -> Iterator[Outcome]:
        for requests in stream.chunks():
            with stream.placed():
                results = self._drive(stream.effects(requests))
            yield from stream.outcomes(requests, results)
            if stream.progress is not None:
                stream.progress(stream.done)

    # -- reading ------------------------------------------------------------------------------------------------

    def options(self, target: Record | str, *, by: Actor) -> tuple[Option, ...]:
        """Everything that can be done to a record, or created of a kind, each allowed or not with every reason.

        Args:
            target: A record, its id, or a kind: a text that is the name of a lifecycle of this flow is that kind, and
                any other one an id. Of a kind, what is offered is each row by which people create such a record; the
                draft is not known yet, so only clearance and role are judged.
            by: Who asks.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
        """
        return self._drive(offers.options(self._handler, target, by))

    def get(self, id: str, *, by: Actor, type: type[R] = Record) -> R:  # type: ignore[assignment]  # R's default
        """A record as it is now.

        Args:
            id: Its id.
            by: Who asks.
            type: The class of the record.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
            UnreadableRecord: its row cannot be read.
            InvalidValue: it is of another class.
        """
        return typed(self._given_out(self._drive(self._queries.get(id, by))), type)

    def find(self, query: Query, *, by: Actor, type: type[R] = Record) -> Page[R]:  # type: ignore[assignment]  # ditto
        """A page of what the actor may see of a query; records that cannot be read are named by `Page.unreadable`.

        Raises:
            InvalidValue: a name that no definition has, a cursor of another order, or a record of another class.
        """
        return typed_page(self._all_given_out(self._drive(self._queries.find(query, by))), type)

    def inbox(self, *, by: Actor, limit: int = 100, cursor: str | None = None) -> Page:
        """What waits for the actor: visible, in a state that awaits one of their roles, not assigned to another.

        What is due comes first, then the oldest.

        Raises:
            InvalidValue: the cursor is not one of an inbox.
        """
        return self._all_given_out(self._drive(self._queries.inbox(by, limit=limit, cursor=cursor)))

    def count(
        self, query: Query, *, by: Actor, of: Of = "records", group: str | Sequence[str] = ()
    ) -> dict[Group, int]:
        """How many records, or entries of theirs, by group; see `Store.count`. Computed in the store.

        Raises:
            InvalidValue: an unknown group, or a name that no definition has.
        """
        return self._drive(self._queries.count(query, by, of, grouping(of, group)))

    def history(self, id: str, *, by: Actor) -> list[Entry]:
        """What happened to a record, oldest first.

        Raises:
            RecordNotFound: there is no such record that the actor may see.
        """
        return self._drive(self._queries.history(id, by))

    def histories(self, query: Query, *, by: Actor) -> Iterator[tuple[Record, list[Entry]]]:
        """Each record of a query that the actor may see, with its history as `history` gives it. Lazy: iterate over it.

        It pages through `find`, and reads the histories a page at a time; the query's `limit` only says how many
        records a page has at the most. A record is left out where it or its history cannot be read. A history goes as
        far as the record beside it. The arguments are checked when this is called.

        Raises:
            InvalidValue: a name that no definition has, or a cursor of another order.
        """
        return self._histories(self._queries.histories(query, by))

    def _histories(
        self, pages: Iterator[Effects[list[tuple[Record, list[Entry]]]]]
    ) -> Iterator[tuple[Record, list[Entry]]]:
        for effects in pages:
            for record, entries in self._drive(effects):
                yield self._given_out(record), entries

    def feed(self, after: int | None = None, *, by: Actor, limit: int = 100) -> list[FeedItem]:
        """What happened to all records, as one reader may see it: the entries that `history` gives them, in one order.

        What the reader may not see is left out, and so is what cannot be read; neither makes the answer shorter. The
        items keep the positions of `Store.feed`: go on behind the last one.

        Args:
            after: The position behind which to begin; None: at the start.
            by: Who asks. What they may see today counts: an old entry of a record that they see only now stands at its
                old position.
            limit: How many at the most, 1 to 10,000. Fewer come only where no more are there yet.

        Raises:
            InvalidValue: a position or limit that is none.
        """
        return self._drive(self._queries.feed(after, by, limit))

    def as_of(
        self,
        id: str,
        *,
        by: Actor,
        version: int | None = None,
        time: datetime | None = None,
        happened: datetime | None = None,
        type: type[R] = Record,  # type: ignore[assignment]  # ditto
    ) -> R:
        """A record as it was at a version, or as it was known at a time, or as it really was.

        Args:
            id: Its id.
            by: Who asks.
            version: The version; instead of the times.
            time: What was recorded by then.
            happened: What had happened by then, by `at`, as far as it is known today, or was at `time`. What was
                taken back is left out. The record that this gives was never stored: its head is blank, and no act
                takes it.
            type: The class of the record.

        Raises:
            RecordNotFound: there is no such record that the actor may see, now or as it was.
            InvalidValue: neither a version nor times, or both; there was no such version or record then; or it is of
                another class than `type`.
        """
        return typed(self._drive(self._queries.as_of(id, by, version, time, happened)), type)

    def by_key(self, key: str, *, by: Actor) -> KeyUse | None:
        """What an idempotency key of the actor came to, in `create`, `fire` or a request; None where it was not used.

        So a host that writes rows of its own beside an act can ask, before it does, whether the act was done.

        Raises:
            InvalidValue: no key.
        """
        return self._drive(self._queries.by_key(key, by))

    def people(self, asked: str | Collection[str], *, by: Actor, limit: int = 20) -> dict[str, Person]:
        """The people whom a text finds, the best first, or those who have some ids: what a form shows of them.

        Args:
            asked: What was typed so far, looked for in ids, names, posts and units whatever the case; or ids.
            by: Who asks.
            limit: How many at the most.

        Returns:
            By id, each with name, post and unit only.

        Raises:
            InvalidValue: neither a text nor ids, a limit that is none, or the `people=` of this flow cannot be
                searched.
        """
        return self._drive(self._handler.people.shown(asked, by, limit))

    # -- files --------------------------------------------------------------------------------------------------

    def upload(
        self, content: bytes | SupportsRead, *, name: str, by: Actor, media_type: str = "", size: int | None = None
    ) -> Attachment:
        """Keep the content of a file, and get the `Attachment` by which a draft or details name it.

        Nothing is kept of what is refused. Only the same actor can name it by an act, before `sweep_files` removes what
        no act has named.

        Args:
            content: All of it as bytes, or an open binary file, or anything that can be read like one.
            name: The file's name, without folders. Its ending says of which type the content must be.
            by: Who brings it, and will name it.
            media_type: What its sender says that it is; blank where they do not say.
            size: How many bytes its sender says that there are: then a content that broke off is refused.

        Raises:
            InvalidValue: about `name`, `media_type` or `content`: it is not what its name says, empty, too large or
                broken off, or its type is not taken; or about `files`: this flow has none.
            StorageUnavailable: the files cannot be reached.
        """
        return self._drive(self._upload(content, name, by, media_type, size))

    def download(self, id: str, attachment: Attachment | str, *, by: Actor) -> Download:
        """The content of a file that a record names, or an entry that the actor may read; held against its digest.

        Args:
            id: The record's id.
            attachment: Which file, or its digest.
            by: Who asks.

        Raises:
            RecordNotFound: there is no such record that the actor may see; or `AttachmentNotFound`: nothing that they
                may read of it names such a file.
            UnreadableFile: the content is not held any more, or was altered.
            InvalidValue: neither an attachment nor a digest, or this flow has no files.
            StorageUnavailable: the files cannot be reached.
        """
        return self._drive(self._download(id, attachment, by))

    def sweep_files(self, *, grace: float = GRACE) -> list[str]:
        """Remove the contents of files that no entry names any more, or yet: for the operator, after erasing and daily.

        All entries of the store are looked through, so the files must be of this store alone.

        Args:
            grace: What was brought less than so many seconds ago stays, since an act may still name it.

        Returns:
            The digests of what was removed.

        Raises:
            InvalidValue: a grace that is none, or this flow has no files.
            StorageUnavailable: the files cannot be reached; some may have been removed.
        """
        return self._drive(self._sweep(grace))

    # -- verifying ----------------------------------------------------------------------------------------------

    def verify(
        self,
        *,
        by: Actor | None = None,
        after: str | None = None,
        limit: int = LIMIT,
        against: FilePath | None = None,
        progress: Callable[[Verification], object] | None = None,
    ) -> Verification:
        """Whether what is stored is what was done: the chain of each record, and each record beside its entries.

        It holds one record's entries at a time, and other users may go on writing. It proves that the rows agree with
        each other; only heads that were kept elsewhere show what was computed anew.

        Args:
            by: Whose view it is: only records that they may see are verified, and named. None: all records, for the
                operator of the host.
            after: The id behind which to begin: that which an earlier call has `reached`.
            limit: How many flaws are found before it stops, at the end of a record.
            against: The path of a file of `heads`: finds what was removed, cut or rewritten since.
            progress: Called with the `Verification` so far, after each thousand entries or records and in the end.

        Raises:
            InvalidValue: an id that is none, a limit below 1; or a file that is none of heads, was altered or cut, or
                is another database's: then nothing was verified.
        """
        verifier = self._verifier(by=by, after=after, limit=limit, against=against, progress=progress)
        return self._drive(verifier.verify())

    def heads(self, *, by: Actor | None = None) -> Iterator[str]:
        """The heads of all records, or of those that `by` may see, as lines of a file to be kept elsewhere. Lazy."""
        return self._heads(self._verifier(by=by))

    def _heads(self, verifier: Verifier) -> Iterator[str]:
        for effects in verifier.heads():
            yield from self._drive(effects)

    # ---------------------------------------------------------------------------------------------------------------

    def _one(self, request: Request) -> Record:
        (record,) = self._drive(self._handler.run([request]))
        return record

    def _drive(self, effects: Effects[T]) -> T:
        try:
            self._check_open()
            return drive(self._store, effects, self._retry_lock)
        except ReportflowError as error:
            error.use(self._catalog, self._zone)
            raise
