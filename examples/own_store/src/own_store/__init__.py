"""A store for reportflow over the `sqlite3` of the standard library."""

from own_store.store import SqliteStore

__all__ = ["SqliteStore"]
