"""reportflow: the lifecycle of reports, from draft to instruction, over stores that are proven.

The everyday names. All else is imported from the module that owns it; the docs page "reading order" says which floor
that is on.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reportflow.errors import (
    AlreadyExists,
    BrokerUnavailable,
    Conflict,
    DuplicateKey,
    InvalidDefinition,
    InvalidURL,
    InvalidValue,
    MissingExtra,
    RecordNotFound,
    ReportflowError,
    RuleFailed,
    SchemaMismatch,
    StaleRecord,
    StepsUnbounded,
    StorageBusy,
    StorageError,
    StorageUnavailable,
    TransitionRefused,
    Unbuildable,
    UnknownLifecycle,
    UnknownTrigger,
)
from reportflow.flow.base import Outcome
from reportflow.flow.requests import Create, Fire
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.decision import Decision, Option, decide, options
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.diagram import dot, mermaid
from reportflow.lifecycle.history import as_of, replay
from reportflow.lifecycle.table import (
    EVERYBODY,
    NOBODY,
    SAME,
    Constant,
    Guard,
    OnConflict,
    Refusal,
    State,
    Step,
    Transition,
    guard,
    has,
    nobody_from,
    not_the_creator,
    only_the_assignee,
)
from reportflow.model.actor import ANY, OWN, UNIT, Actor, ActorKind, Scope, Secrecy
from reportflow.model.entry import Command, Details, Entry
from reportflow.model.query import Happened, Interval, Page, Query
from reportflow.model.record import Record
from reportflow.model.values import CODE, LEVEL, PARTY, Value
from reportflow.storage.base import Capabilities, Change, FeedItem, Store
from reportflow.storage.leases import Claim, Delivery, MemoryOffsets, Offsets
from reportflow.storage.memory import MemoryStore

if TYPE_CHECKING:
    from reportflow.flow.aio import AsyncReportFlow
    from reportflow.office.report import (
        REPORT,
        Adoption,
        Assignment,
        Attachment,
        Author,
        Classification,
        Comment,
        Credit,
        Forwarding,
        Instruction,
        Level,
        Merge,
        Rejection,
        Report,
        Revision,
        Source,
        Uptake,
        Usage,
    )
    from reportflow.opening import open_async_flow, open_flow, open_store
    from reportflow.outbox.cloudevents import Message
    from reportflow.outbox.nats import NatsPublisher
    from reportflow.outbox.relay import Relay
    from reportflow.storage.sql.aio import AsyncSqlStore
    from reportflow.storage.sql.store import SqlStore
    from reportflow.storage.sql.tables import make_tables

__all__ = [
    "ANY",
    "CODE",
    "EVERYBODY",
    "LEVEL",
    "NOBODY",
    "OWN",
    "PARTY",
    "REPORT",
    "SAME",
    "UNIT",
    "Actor",
    "ActorKind",
    "Adoption",
    "AlreadyExists",
    "Assignment",
    "AsyncReportFlow",
    "AsyncSqlStore",
    "Attachment",
    "Author",
    "BrokerUnavailable",
    "Capabilities",
    "Change",
    "Claim",
    "Classification",
    "Command",
    "Comment",
    "Conflict",
    "Constant",
    "Create",
    "Credit",
    "Decision",
    "Delivery",
    "Details",
    "DuplicateKey",
    "Entry",
    "FeedItem",
    "Fire",
    "Forwarding",
    "Guard",
    "Happened",
    "Instruction",
    "Interval",
    "InvalidDefinition",
    "InvalidURL",
    "InvalidValue",
    "Level",
    "Lifecycle",
    "MemoryOffsets",
    "MemoryStore",
    "Merge",
    "Message",
    "MissingExtra",
    "NatsPublisher",
    "Offsets",
    "OnConflict",
    "Option",
    "Outcome",
    "Page",
    "Query",
    "Record",
    "RecordNotFound",
    "Refusal",
    "Rejection",
    "Relay",
    "Report",
    "ReportFlow",
    "ReportflowError",
    "Revision",
    "RuleFailed",
    "SchemaMismatch",
    "Scope",
    "Secrecy",
    "Source",
    "SqlStore",
    "StaleRecord",
    "State",
    "Step",
    "StepsUnbounded",
    "StorageBusy",
    "StorageError",
    "StorageUnavailable",
    "Store",
    "Transition",
    "TransitionRefused",
    "Unbuildable",
    "UnknownLifecycle",
    "UnknownTrigger",
    "Uptake",
    "Usage",
    "Value",
    "as_of",
    "decide",
    "dot",
    "guard",
    "has",
    "make_tables",
    "mermaid",
    "nobody_from",
    "not_the_creator",
    "only_the_assignee",
    "open_async_flow",
    "open_flow",
    "open_store",
    "options",
    "replay",
]


#: Where the names are that are imported when they are first asked for, since not every program needs them: the office
#: has many classes, and SQLAlchemy and asyncio take longer to import than all the rest.
_LATER = (
    "reportflow.office.report",
    "reportflow.opening",
    "reportflow.outbox.relay",
    "reportflow.outbox.nats",
    "reportflow.storage.sql.tables",
    "reportflow.storage.sql.store",
    "reportflow.flow.aio",
    "reportflow.storage.sql.aio",
)


def __getattr__(name: str) -> Any:
    """The names of the upper floors, the SQL stores, and all that is awaited."""
    if name in __all__:
        for owner in map(import_module, _LATER):
            if hasattr(owner, name):
                return globals().setdefault(name, getattr(owner, name))
    raise AttributeError(f"module 'reportflow' has no attribute '{name}'")
