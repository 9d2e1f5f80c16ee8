"""reportflow: the lifecycle of reports as an explicit state machine, over stores that are proven.

The core's names and the way in. The office's classes are in `reportflow.office`, the test kit in `reportflow.testing`;
all else is imported from the module that owns it. The docs page "reading order" says which floor that is on.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reportflow.errors import (
    AlreadyExists,
    AttachmentNotFound,
    Conflict,
    ContentErased,
    DuplicateKey,
    FieldProblem,
    InvalidDefinition,
    InvalidURL,
    InvalidValue,
    MissingExtra,
    RecordNotFound,
    Refusal,
    ReportflowError,
    SchemaMismatch,
    StaleRecord,
    StorageBusy,
    StorageClosed,
    StorageError,
    StorageUnavailable,
    TransactionRolledBack,
    TransitionRefused,
    UnknownLifecycle,
    UnknownTrigger,
    UnreadableFile,
    UnreadableRecord,
)
from reportflow.flow.bulk import Outcome
from reportflow.flow.queries import KeyUse
from reportflow.flow.requests import Create, Fire
from reportflow.flow.sync import ReportFlow
from reportflow.i18n.catalog import STANDARD, Catalog
from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.guards import (
    Guard,
    changes,
    guard,
    has,
    nobody_from,
    not_the_creator,
    only_the_assignee,
    persons,
)
from reportflow.lifecycle.history import as_of, replay
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME, Constant, OneOf, State, Step, Transition
from reportflow.model.actor import ANY, OWN, UNIT, Actor, Person, Secrecy
from reportflow.model.attachment import Attachment
from reportflow.model.entry import Command, Details, Entry, Erased
from reportflow.model.frozen import FrozenDict
from reportflow.model.query import Happened, Interval, Page, Query
from reportflow.model.record import Record, Seen
from reportflow.model.values import CODE, LEVEL, LONG_TEXT, PARTY, PERSON, REFERENCE, RETRACTS, Value
from reportflow.serialization.classes import Classes
from reportflow.storage.base import Capabilities, Change, FeedItem, Store
from reportflow.storage.memory import MemoryStore

if TYPE_CHECKING:
    from reportflow.flow.aio import AsyncReportFlow
    from reportflow.opening import open_async_flow, open_flow, open_store
    from reportflow.outbox.relay import Relay
    from reportflow.serialization.evolution import Schema
    from reportflow.serialization.parse import parse
    from reportflow.serialization.plain import to_plain
    from reportflow.serialization.problem import ProblemDocument, problem
    from reportflow.serialization.schema import schema
    from reportflow.storage.directory import DirectoryFiles
    from reportflow.storage.files import Files
    from reportflow.storage.filetypes import FileRules
    from reportflow.storage.sql.aio import AsyncSqlStore
    from reportflow.storage.sql.store import SqlStore

    __version__: str

__all__ = [
    "ANY",
    "CODE",
    "EVERYBODY",
    "LEVEL",
    "LONG_TEXT",
    "NOBODY",
    "OWN",
    "PARTY",
    "PERSON",
    "REFERENCE",
    "RETRACTS",
    "SAME",
    "STANDARD",
    "UNIT",
    "Actor",
    "AlreadyExists",
    "AsyncReportFlow",
    "AsyncSqlStore",
    "Attachment",
    "AttachmentNotFound",
    "Capabilities",
    "Catalog",
    "Change",
    "Classes",
    "Command",
    "Conflict",
    "Constant",
    "ContentErased",
    "Create",
    "Details",
    "DirectoryFiles",
    "DuplicateKey",
    "Entry",
    "Erased",
    "FeedItem",
    "FieldProblem",
    "FileRules",
    "Files",
    "Fire",
    "FrozenDict",
    "Guard",
    "Happened",
    "Interval",
    "InvalidDefinition",
    "InvalidURL",
    "InvalidValue",
    "KeyUse",
    "Lifecycle",
    "MemoryStore",
    "MissingExtra",
    "OneOf",
    "Option",
    "Outcome",
    "Page",
    "Person",
    "ProblemDocument",
    "Query",
    "Record",
    "RecordNotFound",
    "Refusal",
    "Relay",
    "ReportFlow",
    "ReportflowError",
    "Schema",
    "SchemaMismatch",
    "Secrecy",
    "Seen",
    "SqlStore",
    "StaleRecord",
    "State",
    "Step",
    "StorageBusy",
    "StorageClosed",
    "StorageError",
    "StorageUnavailable",
    "Store",
    "TransactionRolledBack",
    "Transition",
    "TransitionRefused",
    "UnknownLifecycle",
    "UnknownTrigger",
    "UnreadableFile",
    "UnreadableRecord",
    "Value",
    "__version__",
    "as_of",
    "changes",
    "guard",
    "has",
    "nobody_from",
    "not_the_creator",
    "only_the_assignee",
    "open_async_flow",
    "open_flow",
    "open_store",
    "parse",
    "persons",
    "problem",
    "replay",
    "schema",
    "to_plain",
]

#: Where the names are that are imported when they are first used: SQLAlchemy and asyncio take longer to import than all
#: the rest, and not every program needs them.
_LAZY = {
    "AsyncReportFlow": "reportflow.flow.aio",
    "AsyncSqlStore": "reportflow.storage.sql.aio",
    "DirectoryFiles": "reportflow.storage.directory",
    "ProblemDocument": "reportflow.serialization.problem",
    "FileRules": "reportflow.storage.filetypes",
    "Files": "reportflow.storage.files",
    "Relay": "reportflow.outbox.relay",
    "Schema": "reportflow.serialization.evolution",
    "SqlStore": "reportflow.storage.sql.store",
    "open_async_flow": "reportflow.opening",
    "open_flow": "reportflow.opening",
    "open_store": "reportflow.opening",
    "parse": "reportflow.serialization.parse",
    "problem": "reportflow.serialization.problem",
    "schema": "reportflow.serialization.schema",
    "to_plain": "reportflow.serialization.plain",
}


def __getattr__(name: str) -> Any:
    """The names that are imported when they are first used."""
    if name == "__version__":
        from importlib.metadata import version

        found: Any = version("reportflow")
    elif name in _LAZY:
        found = getattr(import_module(_LAZY[name]), name)
    else:
        raise AttributeError(f"module 'reportflow' has no attribute '{name}'")
    return globals().setdefault(name, found)
