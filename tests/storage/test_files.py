"""A directory of contents: the contract of `Files`, and what a directory does beyond it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import IO, Any

import pytest

from reportflow import DirectoryFiles, Files, InvalidValue, StorageUnavailable
from reportflow.testing import FilesTests


def held(files: Files, content: bytes) -> str:
    """Keep a content; its digest."""
    digest = sha256(content).hexdigest()
    files.put(digest, io.BytesIO(content))
    return digest


class DictFiles:
    """The smallest place: a dict. Also a template for places of another kind, such as a bucket."""

    def __init__(self) -> None:
        self.contents: dict[str, tuple[bytes, datetime]] = {}

    def put(self, sha256_given: str, content: IO[bytes]) -> None:
        """See `Files.put`."""
        given = content.read()
        if sha256(given).hexdigest() != sha256_given:
            raise InvalidValue("content", "file_digest", {"given": "", "expected": sha256_given})
        self.contents[sha256_given] = given, datetime.now(UTC)

    def open(self, sha256_given: str) -> IO[bytes]:
        """See `Files.open`."""
        if sha256_given not in self.contents:
            raise FileNotFoundError(sha256_given)
        return io.BytesIO(self.contents[sha256_given][0])

    def size(self, sha256_given: str) -> int | None:
        """See `Files.size`."""
        return len(self.contents[sha256_given][0]) if sha256_given in self.contents else None

    def delete(self, sha256_given: str) -> None:
        """See `Files.delete`."""
        self.contents.pop(sha256_given, None)

    def older(self, than: datetime) -> Iterator[str]:
        """See `Files.older`."""
        return iter([one for one, (_, at) in self.contents.items() if at < than])


class BreakingOff(DictFiles):
    """One that keeps what it read so far where reading fails."""

    def put(self, sha256_given: str, content: IO[bytes]) -> None:
        """See `Files.put`."""
        self.contents[sha256_given] = b"", datetime.now(UTC)
        super().put(sha256_given, content)


class TestDict(FilesTests):
    """A dict is a place for contents."""

    @pytest.fixture
    def new_files(self) -> Callable[[], Any]:
        """A fresh one."""
        return DictFiles


class TestDirectory(FilesTests):
    """A directory is a place for contents, of several processes."""

    @pytest.fixture
    def new_files(self, tmp_path: Path) -> Callable[[], Any]:
        """A fresh one."""
        numbers = count()
        return lambda: DirectoryFiles(tmp_path / f"deep/files {next(numbers)}")

    @pytest.fixture
    def reopen_files(self) -> Callable[[Any], Any]:
        """As another process would open it."""
        return lambda files: DirectoryFiles(files.path, create=False)


def test_the_contract_finds_what_is_wrong() -> None:
    """A place that keeps what broke off, or another digest's bytes, does not pass."""
    tests = FilesTests()
    with pytest.raises(AssertionError):
        tests.test_a_content_that_breaks_off_is_not_held(BreakingOff())
    with pytest.raises(AssertionError):
        tests.test_bytes_of_another_digest_are_refused(BreakingOff(), b"x")


def test_a_content_lies_under_its_digest(tmp_path: Path) -> None:
    """A content is the file ``ab/cd/abcd…``, and nothing else is left in the directory."""
    digest = held(DirectoryFiles(tmp_path), b"content")
    path = tmp_path / digest[:2] / digest[2:4] / digest
    assert {one for one in tmp_path.rglob("*") if one.is_file()} == {path, tmp_path / ".reportflow-files"}
    assert path.read_bytes() == b"content"


def test_a_directory_is_for_one_user(tmp_path: Path) -> None:
    """A directory that is made is closed to other users; one that was there keeps its permissions."""
    (tmp_path / "shared").mkdir(mode=0o755)
    modes = [DirectoryFiles(tmp_path / name).path.stat().st_mode & 0o777 for name in ("made", "shared")]
    assert modes == [0o700, 0o755]


def test_a_damaged_content_is_whole_again(tmp_path: Path) -> None:
    """Putting what is held makes a damaged file whole, and counts as put now."""
    files = DirectoryFiles(tmp_path)
    digest = held(files, b"content")
    path = tmp_path / digest[:2] / digest[2:4] / digest
    path.write_bytes(b"cont")
    os.utime(path, (0, 0))
    held(files, b"content")
    assert path.read_bytes() == b"content"
    assert list(files.older(datetime.now(UTC) - timedelta(minutes=5))) == []


def test_a_writer_that_died_leaves_no_content(tmp_path: Path) -> None:
    """A process that is killed while it writes leaves nothing that is held; the next sweep removes the rest."""
    script = f"""
import io, os
from reportflow import DirectoryFiles
class Dies(io.BytesIO):
    def read(self, size=-1):
        return super().read(9) or os._exit(7)
DirectoryFiles({str(tmp_path)!r}).put("ab" * 32, Dies(b"a content"))
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 7
    (left,) = (path for path in (tmp_path / "ab").rglob("*") if path.is_file())
    files = DirectoryFiles(tmp_path)
    assert files.size("ab" * 32) is None
    assert list(files.older(datetime.now(UTC) + timedelta(minutes=5))) == []
    assert not left.exists()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """What is no content is neither listed nor removed."""
    other = tmp_path / "ab" / "cd" / "README"
    other.parent.mkdir(parents=True)
    for path in (other, tmp_path / "lost+found"):
        path.write_text("not ours")
    assert list(DirectoryFiles(tmp_path).older(datetime.now(UTC) + timedelta(minutes=5))) == []
    assert other.exists()


def test_a_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """A directory that is not mounted is `StorageUnavailable` in every call, and no empty place."""
    with pytest.raises(StorageUnavailable):
        DirectoryFiles(tmp_path / "missing", create=False)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageUnavailable):
        DirectoryFiles(tmp_path / "file")
    files = DirectoryFiles(tmp_path / "mount")
    digest = held(files, b"content")
    (tmp_path / "mount").rename(tmp_path / "elsewhere")
    (tmp_path / "mount").mkdir()  # the place where it was mounted
    with pytest.raises(StorageUnavailable):
        DirectoryFiles(tmp_path / "mount", create=False)
    calls: list[Callable[[], object]] = [
        lambda: files.size(digest), lambda: files.open(digest), lambda: files.delete(digest),
        lambda: list(files.older(datetime.now(UTC))), lambda: held(files, b"content"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(StorageUnavailable, match="mounted"):
            call()
    assert list((tmp_path / "mount").iterdir()) == []
    (tmp_path / "mount").rmdir()
    for call in calls:
        with pytest.raises(StorageUnavailable, match="mounted"):
            call()
    (tmp_path / "elsewhere").rename(tmp_path / "mount")
    assert DirectoryFiles(tmp_path / "mount", create=False).size(digest) == 7


@pytest.mark.parametrize("digest", ["", "AB" * 32, "../" + "a" * 61, "a" * 63, 7, None])
def test_only_a_digest_names_a_content(tmp_path: Path, digest: Any) -> None:
    """What is no digest is refused before anything is read or written: no path leads out of the directory."""
    files = DirectoryFiles(tmp_path)
    for call in (files.size, files.open, files.delete, lambda one: files.put(one, io.BytesIO(b""))):
        with pytest.raises(InvalidValue, match="sha256"):
            call(digest)
    assert [path.name for path in tmp_path.iterdir()] == [".reportflow-files"]


def test_a_path_is_one() -> None:
    """What is no path is refused."""
    with pytest.raises(InvalidValue, match="path"):
        DirectoryFiles(7)  # type: ignore[arg-type]  # the wrong type is the point
