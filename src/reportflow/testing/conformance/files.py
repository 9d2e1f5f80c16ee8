"""The promises of `Files`: a place for the contents of files gives a factory, and has them all."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import IO, Any, Final

import pytest

from reportflow.errors import InvalidValue
from reportflow.storage.files import Files
from reportflow.testing.conformance.races import THREADS, TIMEOUT, within

#: Contents of every kind of size: none, one byte, ends of lines and NUL, and more than is read at a time.
CONTENTS: Final = (b"", b"\0", b"a\r\nb\n\x1a\xff", bytes(range(256)) * 4096)
#: How far the clock of a place may lie beside that of this machine.
_CLOCK: Final = timedelta(minutes=5)


def digest_of(content: bytes) -> str:
    """The name under which a content is kept."""
    return sha256(content).hexdigest()


class BrokenOff(io.RawIOBase):
    """A content whose reading fails in the middle."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises behind the last one, and so where all are asked for."""
        some = b"" if size is None or size < 0 else self._left.read(size)
        if not some:
            raise ConnectionResetError("the other side is gone")
        return some


class FilesTests:
    """The contract of `Files`. A place gives the fixture ``new_files``: a function that returns a fresh, empty one."""

    @pytest.fixture
    def reopen_files(self) -> Callable[[Any], Any] | None:
        """Takes a place and returns one more on the same contents, as another process would; None: there is none."""
        return None

    @pytest.fixture
    def files(self, new_files: Callable[[], Any]) -> Any:
        """A fresh, empty place."""
        return new_files()

    def held(self, files: Files, content: bytes) -> str:
        """Keep a content; its digest."""
        digest = digest_of(content)
        files.put(digest, io.BytesIO(content))
        return digest

    def read(self, files: Files, digest: str) -> bytes:
        """A content, read to its end."""
        with files.open(digest) as opened:
            return opened.read()

    def test_it_is_a_place_for_files(self, files: Any) -> None:
        """It has all calls of `Files`."""
        assert isinstance(files, Files)

    def test_what_is_put_is_held(self, files: Files, reopen_files: Callable[[Any], Any] | None) -> None:
        """`put` keeps a content; `open` gives it from its beginning, `size` its number of bytes, by every handle."""
        digests = [self.held(files, content) for content in CONTENTS]
        for handle in (files, files if reopen_files is None else reopen_files(files)):
            for digest, content in zip(digests, CONTENTS, strict=True):
                assert self.read(handle, digest) == content
                assert handle.size(digest) == len(content)

    def test_a_content_counts_from_where_it_stands(self, files: Files) -> None:
        """`put` keeps what is read from where the content stands to its end."""
        content = io.BytesIO(b"head and rest")
        content.seek(5)
        files.put(digest_of(b"and rest"), content)
        assert self.read(files, digest_of(b"and rest")) == b"and rest"

    def test_twice_is_once(self, files: Files) -> None:
        """`put` of what is held changes nothing; other contents stay."""
        one, other = self.held(files, b"one"), self.held(files, b"other")
        assert self.held(files, b"one") == one
        assert (self.read(files, one), self.read(files, other)) == (b"one", b"other")

    def test_each_opens_for_itself(self, files: Files) -> None:
        """Two who have one content open read it each from its beginning, a piece at a time."""
        digest = self.held(files, b"abcdef")
        with files.open(digest) as one, files.open(digest) as other:
            assert [one.read(4), other.read(2), one.read(4), other.read(), one.read(1)] == [
                b"abcd", b"ab", b"ef", b"cdef", b"",
            ]  # fmt: skip

    def test_what_is_not_held_is_not_there(self, files: Files) -> None:
        """Of what is not held there is no size, opening it is `FileNotFoundError`, and deleting it does nothing."""
        self.held(files, b"other")
        digest = digest_of(b"gone")
        assert files.size(digest) is None
        with pytest.raises(FileNotFoundError):
            files.open(digest)
        files.delete(digest)
        assert files.size(digest) is None

    @pytest.mark.parametrize("given", CONTENTS, ids=len)
    def test_bytes_of_another_digest_are_refused(self, files: Files, given: bytes) -> None:
        """`put` of bytes that have another digest is `InvalidValue` about ``content``, and keeps nothing."""
        digest = digest_of(b"expected")
        with pytest.raises(InvalidValue) as raised:
            files.put(digest, io.BytesIO(given))
        assert raised.value.field == "content"
        assert files.size(digest) is None
        assert files.size(digest_of(given)) is None

    def test_a_content_that_breaks_off_is_not_held(self, files: Files) -> None:
        """Where the content raises while it is read, `put` raises, and keeps nothing; what was held stays."""
        content = CONTENTS[-1]
        with pytest.raises(Exception, match="gone"):
            files.put(digest_of(content), BrokenOff(content))  # type: ignore[arg-type]  # it is only read
        assert files.size(digest_of(content)) is None
        self.held(files, content)
        with pytest.raises(Exception, match="gone"):
            files.put(digest_of(content), BrokenOff(content[:9]))  # type: ignore[arg-type]  # ditto
        assert self.read(files, digest_of(content)) == content

    def test_what_is_deleted_is_gone(self, files: Files) -> None:
        """`delete` removes a content and no other; it can be put again."""
        one, other = self.held(files, b"one"), self.held(files, b"other")
        files.delete(one)
        files.delete(one)
        assert (files.size(one), files.size(other)) == (None, 5)
        assert self.read(files, self.held(files, b"one")) == b"one"

    def test_what_was_put_before_a_time_is_listed(self, files: Files) -> None:
        """`older` gives each digest that was put last before a time, once, and no other."""
        digests = [self.held(files, content) for content in CONTENTS]
        files.delete(digests[0])
        now = datetime.now(UTC)
        assert sorted(files.older(now + _CLOCK)) == sorted(digests[1:])
        assert list(files.older(now - _CLOCK)) == []

    def test_many_at_the_same_moment(self, files: Files) -> None:
        """While many put the same content, a reader finds it whole or not at all, and in the end it is held."""
        content = CONTENTS[-1]
        digest = digest_of(content)

        def read() -> bool:
            try:
                with files.open(digest) as opened:
                    return _whole(opened, content)
            except FileNotFoundError:
                return True

        def put() -> bool:
            self.held(files, content)
            return files.size(digest) == len(content)

        assert all(within(TIMEOUT, *[put, read] * (THREADS // 2), partial(self._sized, files, content)))
        assert self.read(files, digest) == content

    def _sized(self, files: Files, content: bytes) -> bool:
        return files.size(digest_of(content)) in (None, len(content))


def _whole(opened: IO[bytes], content: bytes) -> bool:
    def pieces() -> Iterator[bytes]:
        while some := opened.read(1 << 15):
            yield some

    return b"".join(pieces()) == content
