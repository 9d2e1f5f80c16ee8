"""What every flow is composed of: a store, lifecycles, a catalog, and the generators of all calls."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar, cast

import attrs

from reportflow.errors import InvalidValue, ReportflowError, StorageClosed
from reportflow.flow.bulk import Stream
from reportflow.flow.definitions import Definitions
from reportflow.flow.effects import Effects, in_a_thread
from reportflow.flow.handler import RETRY_TIMEOUT, Handler
from reportflow.flow.incidents import Incident, Observer, note
from reportflow.flow.loading import look_around
from reportflow.flow.people import People, SupportsSearch
from reportflow.flow.queries import Queries
from reportflow.flow.requests import Request, actor_of
from reportflow.i18n.catalog import STANDARD, Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor
from reportflow.model.attachment import Attachment
from reportflow.model.checks import type_problem
from reportflow.model.entry import CLOCK_TOLERANCE
from reportflow.model.query import Page, Query
from reportflow.model.record import Record
from reportflow.model.values import as_tuple
from reportflow.model.zones import zone_of
from reportflow.storage.base import (
    AsyncStore,
    Of,
    SharedCommit,
    Store,
    SupportsClasses,
    SupportsHostTransaction,
    SupportsSharedCommits,
    SupportsVisible,
)

if TYPE_CHECKING:
    from reportflow.flow.attachments import AttachedFiles, Download, SupportsRead
    from reportflow.flow.verification import Verifier
    from reportflow.storage.files import Files
    from reportflow.storage.filetypes import FileRules
    from reportflow.storage.sql.visible import Visible

S = TypeVar("S", Store, AsyncStore)
R = TypeVar("R", bound=Record)

#: How many flaws are found at the most before a verification stops, unless its caller says otherwise.
LIMIT: Final = 100
#: How long the content of a file stays that no act names yet, unless a sweep says otherwise, in seconds: a day.
GRACE: Final = 86400.0
#: How long a call that is retried waits for the lock of those that are, in seconds; then it goes on without.
RETRY_LOCK_TIMEOUT: Final = 1.0


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new UUIDv7 as text: ids sort by the time of their creation."""
    from uuid_utils import uuid7  # not needed where the host brings its own ids

    return str(uuid7())


class FlowBase(Generic[S]):
    """The part of a flow that is the same for every driver."""

    #: Makes the lock by which calls that are retried take turns.
    _new_lock: ClassVar[Any]

    def __init__(
        self,
        store: S,
        lifecycles: Lifecycle | Iterable[Lifecycle] | Definitions,
        *,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_id,
        retry_timeout: float = RETRY_TIMEOUT,
        catalog: Catalog = STANDARD,
        observe: Observer | None = None,
        clock_tolerance: float = CLOCK_TOLERANCE,
        people: People | None = None,
        zone: tzinfo | str | None = None,
        files: Files | None = None,
        file_rules: FileRules | None = None,
    ) -> None:
        if not isinstance(store, Store):
            raise InvalidValue("store", *type_problem("Store", store))
        self._store: S = store
        self._closed = False
        self._definitions = lifecycles if isinstance(lifecycles, Definitions) else _definitions(lifecycles)
        if isinstance(store, SupportsClasses) and not isinstance(lifecycles, Definitions):
            store.add_classes(self._definitions.classes)
        if observe is not None and isinstance(store, SupportsSharedCommits):
            weakref.finalize(self, store.observe_commits(_CommitNotes(observe))).atexit = False
        self._clock = clock
        self._new_id = new_id
        self._retry_timeout = retry_timeout
        self._catalog = catalog
        self._observe = observe
        self._clock_tolerance = clock_tolerance
        self._people = people
        self._zone = zone_of(zone)
        self._files = files
        self._file_rules = file_rules
        self._retry_lock = self._new_lock()
        self._handler = Handler(
            self._definitions,
            clock=clock,
            new_id=new_id,
            retry_timeout=retry_timeout,
            observe=observe,
            clock_tolerance=clock_tolerance,
            people=people,
            files=_attached(files, file_rules),
        )
        self._queries = Queries(self._definitions, self._handler.people)
        if not isinstance(lifecycles, Definitions):
            self._begin()

    def _begin(self) -> None:
        """What a flow does when it is made, where its store can be asked at once."""

    @property
    def store(self) -> S:
        """The store underneath. It knows no visibility; who may call it is for the host to decide."""
        return self._store

    @property
    def zone(self) -> tzinfo:
        """The time zone in which its days, months and years are counted, and its times are shown."""
        return self._zone

    @property
    def finds_people(self) -> bool:
        """Whether its host's people can be searched by a text, as `people` does."""
        return isinstance(self._people, Mapping | SupportsSearch)

    @property
    def keeps_files(self) -> bool:
        """Whether it keeps the contents of files, as `upload` does."""
        return self._files is not None

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        """The definitions."""
        return tuple(self._definitions)

    @property
    def unknown_kinds(self) -> Mapping[tuple[str, int], int]:
        """The kinds and versions that records named when this was opened, and that it was not given, with how many.

        Lists and counts leave these records out; to get one, or to act on it, is `UnknownLifecycle`.
        """
        return self._definitions.unknown

    def _look_around(self) -> Effects[None]:
        """Say at the opening which records cannot be served."""
        found = yield from look_around(self._definitions)
        if found:
            kinds = tuple((kind, version, number) for (kind, version), number in found.items())
            note(Incident(kind="unknown_lifecycle", code="unknown_lifecycle", kinds=kinds), self._observe)

    @property
    def catalog(self) -> Catalog:
        """Its texts; errors that it raises are written with them."""
        return self._catalog

    def bound_to(self, host: Any) -> Self:
        """A flow that writes inside a transaction of the host: what it does is kept if the host commits.

        The host's transaction is never committed or rolled back there: an act that raises has changed nothing, and
        leaves it usable, but for `TransactionRolledBack`. Conflicts are retried as far as the engine allows inside a
        transaction. Closing it leaves this flow and the host's connection open.

        Args:
            host: What the store supports: for the SQL stores a `Connection` or `Session` of SQLAlchemy on its database,
                or a connection of Django's; for the asynchronous one an `AsyncConnection` or `AsyncSession`. It is
                asked for its connection at each call, so that a `scoped_session` may be bound once.

        Raises:
            InvalidValue: something else, or the store cannot write inside a transaction of a host.
            StorageClosed: the flow was closed.
        """
        self._check_open()
        if not isinstance(self._store, SupportsHostTransaction):
            raise InvalidValue("store", *type_problem("a store with the capability host_transaction", self._store))
        bound: S = self._store.bound_to(host)
        return type(self)(
            bound,
            self._definitions,
            clock=self._clock,
            new_id=self._new_id,
            retry_timeout=self._retry_timeout,
            catalog=self._catalog,
            observe=self._observe,
            clock_tolerance=self._clock_tolerance,
            people=self._people,
            zone=self._zone,
            files=self._files,
            file_rules=self._file_rules,
        )

    def visible(self, query: Query, *, by: Actor, of: Of = "records", on: Any = None) -> Visible:
        """What the actor may see of a query, as a clause of SQLAlchemy for a SELECT of the host's. Nothing is read.

        It is the condition by which `find`, and `count` of entries, find; order, limit and cursor do not matter. In a
        SELECT that is not from the table it is about, the database refuses it.

        Args:
            query: What is asked for.
            by: Who asks.
            of: "records" for the table ``record`` of the store, "entries" for the table ``entry``.
            on: Another column that has ids of that table: of an alias, of a mapped class, or a foreign key.

        Returns:
            A condition for a WHERE. Its `as_sql` gives the SELECT of the ids as text, with parameters.

        Raises:
            InvalidValue: the store is not an SQL store, `on` is no column, or a name that no definition has.
            StorageClosed: the flow was closed.
        """
        try:
            self._check_open()
            if not isinstance(self._store, SupportsVisible):
                raise InvalidValue("store", *type_problem("SqlStore | AsyncSqlStore", self._store))
            found: Visible = self._store.visible(self._queries.visible(query, by), of, on)
        except ReportflowError as error:
            error.use(self._catalog, self._zone)
            raise
        return found

    def _check_open(self) -> None:
        """Whatever its store does after `close`, and also where nothing is asked of the store.

        Raises:
            StorageClosed: the flow was closed.
        """
        if self._closed:
            raise StorageClosed(type(self._store).__name__)

    def _given_out(self, record: Record) -> Record:
        return self._handler.give_out(record)

    def _all_given_out(self, page: Page) -> Page:
        for record in page:
            self._handler.give_out(record)
        return page

    def _verifier(self, *, limit: int = LIMIT, **settings: Any) -> Verifier:
        from reportflow.flow.verification import Verifier  # few programs verify

        return Verifier(self._definitions, limit=limit, **settings)

    def _upload(
        self, content: bytes | SupportsRead, name: str, by: Actor, media_type: str, size: int | None
    ) -> Effects[Attachment]:
        actor_of(by)
        return (yield from in_a_thread(lambda: self._attached().receive(content, name, media_type, size, by)))

    def _download(self, id: str, attachment: Attachment | str, by: Actor) -> Effects[Download]:
        return (yield from self._attached().download(self._queries, id, attachment, by))

    def _sweep(self, grace: float) -> Effects[list[str]]:
        return (yield from self._attached().sweep(grace))

    def _attached(self) -> AttachedFiles:
        """Its files.

        Raises:
            InvalidValue: it was given none.
        """
        if self._handler.files is None:
            raise InvalidValue("files", "no_files")
        return self._handler.files

    def _batch(self, requests: Iterable[Request]) -> Effects[list[Record]]:
        if not isinstance(requests, Iterable):
            raise InvalidValue("requests", *type_problem("list[Create | Fire]", requests))
        return self._handler.run(list(requests))

    def _stream(self, requests: Any, on_error: str, progress: Any, chunk: int, *, awaits: bool = False) -> Stream:
        return Stream(
            self._handler,
            requests,
            on_error=on_error,
            chunk=chunk,
            progress=progress,
            catalog=self._catalog,
            zone=self._zone,
            awaits=awaits,
        )


@attrs.frozen
class _CommitNotes:
    """Hands each shared commit to a hook, as an incident; equal to another one with the same hook."""

    observe: Observer

    def __call__(self, commit: SharedCommit) -> None:
        note(Incident(kind="shared_commit", code="shared_commit", **commit._asdict()), self.observe)


def _attached(files: Files | None, rules: FileRules | None) -> AttachedFiles | None:
    if files is None:
        return None
    from reportflow.flow.attachments import AttachedFiles  # few programs keep files

    return AttachedFiles(files, rules)


def _definitions(lifecycles: Lifecycle | Iterable[Lifecycle]) -> Definitions:
    several = (lifecycles,) if isinstance(lifecycles, Lifecycle) else as_tuple(lifecycles)
    if not isinstance(several, tuple) or not all(isinstance(one, Lifecycle) for one in several):
        raise InvalidValue("lifecycles", *type_problem("list[Lifecycle]", lifecycles))
    return Definitions(several)


def typed(record: object, cls: type[R]) -> R:
    """A record, seen as one of its class.

    Raises:
        InvalidValue: it is of another class.
    """
    if not isinstance(cls, type):
        raise InvalidValue("type", *type_problem("type[Record]", cls))
    if isinstance(record, cls):
        return record
    raise InvalidValue("type", *type_problem(cls.__name__, record))


def typed_page(page: Page, cls: type[R]) -> Page[R]:
    """A page, seen as one of records of a class.

    Raises:
        InvalidValue: a record is of another class.
    """
    if cls is not Record:
        for record in page:
            typed(record, cls)
    return cast("Page[R]", page)
