"""A store for reportflow over LMDB, an embedded database of ordered keys."""

from lmdb_store.store import LmdbStore

__all__ = ["LmdbStore"]
