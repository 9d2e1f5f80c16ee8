"""What the conformance suite needs: a fresh, empty store at each call, and one more on the same data."""

from __future__ import annotations

import atexit
import itertools
import tempfile
from pathlib import Path

from lmdb_store.store import LmdbStore

_FOLDER = tempfile.TemporaryDirectory(prefix="lmdb-store-")
_NUMBERS = itertools.count(1)
atexit.register(_FOLDER.cleanup)


def fresh() -> LmdbStore:
    """A store in a new folder, which goes when the process ends."""
    return LmdbStore(Path(_FOLDER.name, f"{next(_NUMBERS)}"))


def reopen(store: LmdbStore) -> LmdbStore:
    """One more store in the folder of this one."""
    return LmdbStore(store.path)
