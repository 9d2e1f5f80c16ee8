"""Stores that break the contract in one place each: the proof that the conformance suite finds faults.

Each is a sound store with one fault, which its docstring says; `caught_by` names the test of the suite that is made for
it, and by that the sentence of the contract. By hand and by night, with several seeds::

    python -m tests.testing.faulty_stores --seeds 10
"""

from __future__ import annotations

from tests.testing.faulty_stores import (
    awaited,
    commit,
    conditions,
    count,
    feed,
    find,
    kept,
    keys,
    pages,
    read,
    restore,
    rules,
    shared,
    sql,
    visibility,
)
from tests.testing.faulty_stores.fault import FAULTS, DurableStore, FileStore, SqliteStore, found_by_chance, held

__all__ = [
    "FAULTS",
    "DurableStore",
    "FileStore",
    "SqliteStore",
    "awaited",
    "commit",
    "conditions",
    "count",
    "feed",
    "find",
    "found_by_chance",
    "held",
    "kept",
    "keys",
    "pages",
    "read",
    "restore",
    "rules",
    "shared",
    "sql",
    "visibility",
]
