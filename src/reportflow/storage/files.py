"""What keeps the contents of files, each under the SHA-256 digest of its bytes; records only name them.

A content never changes under its digest, so keeping one twice is keeping it once, two records may name the same, and
nothing is overwritten. Which file has which name, and who may read it, is said by the records alone. Every sentence of
`Files` is a test of `reportflow.testing.FilesTests`, for places of your own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import IO, Protocol, runtime_checkable


@runtime_checkable
class Files(Protocol):
    """A place for contents. All calls block, and may be made from several threads and processes at once.

    A place that cannot be reached, read or written raises `StorageUnavailable`, or any error of its own: a flow says
    `StorageUnavailable` then. A digest is 64 hexadecimal digits, in lower case.
    """

    def put(self, sha256: str, content: IO[bytes], /) -> None:
        """Keep a content, from where it stands to its end. It is held whole, or not at all; twice is fine.

        Once this returns, it is held by every other handle too, and outlives the process where the place is durable.
        One that is held already counts as put now; where it was damaged, it is whole again.

        Raises:
            InvalidValue: about ``content``: its bytes have another digest. Nothing is kept then.
        """
        ...

    def open(self, sha256: str, /) -> IO[bytes]:
        """A content, from its beginning; it is the caller who closes it.

        Raises:
            FileNotFoundError: it is not held.
        """
        ...

    def size(self, sha256: str, /) -> int | None:
        """How many bytes a content has; None where it is not held."""
        ...

    def delete(self, sha256: str, /) -> None:
        """Hold a content no longer; twice is fine. A reader who has it open may read on, or gets an error."""
        ...

    def older(self, than: datetime, /) -> Iterable[str]:
        """The digests of the contents that were put last before a time, in any order."""
        ...
