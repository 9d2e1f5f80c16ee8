"""What the conformance suite needs: a fresh, empty store at each call, and one more on the same data."""

from __future__ import annotations

import atexit
import itertools
import tempfile
from pathlib import Path

from own_store.store import SqliteStore

_FOLDER = tempfile.TemporaryDirectory(prefix="own-store-")
_NUMBERS = itertools.count(1)
atexit.register(_FOLDER.cleanup)


def fresh() -> SqliteStore:
    """A store in a new file, in a folder that goes when the process ends."""
    return SqliteStore(Path(_FOLDER.name, f"{next(_NUMBERS)}.db"))


def reopen(store: SqliteStore) -> SqliteStore:
    """One more store on the file of this one."""
    return SqliteStore(store.path)
