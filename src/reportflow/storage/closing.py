"""What a store puts where it had its lock or its connections, once it is closed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Never

from reportflow.errors import StorageClosed


class Closed(AbstractContextManager[Never]):
    """The lock or the connections of a closed store: every call that asks for them is refused.

    Args:
        store: Its URL.
    """

    def __init__(self, store: str) -> None:
        self._store = store

    def __call__(self) -> Closed:
        """See `OpenExecutor`."""
        return self

    def __enter__(self) -> Never:
        raise StorageClosed(self._store)

    def __exit__(self, *_: object) -> None:
        """Nothing: it was never entered."""
