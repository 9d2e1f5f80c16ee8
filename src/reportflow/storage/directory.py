"""Contents of files in a directory, each written whole under its digest or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import IO, Final

from reportflow.errors import InvalidValue, StorageUnavailable
from reportflow.model.attachment import is_digest
from reportflow.model.checks import type_problem

#: How many bytes are read at a time.
_CHUNK: Final = 1 << 18
#: The file by which a directory is known: an empty place of a mount has none.
_MARK: Final = ".reportflow-files"
#: What the names of files begin with that are being written.
_UNFINISHED: Final = ".unfinished-"


class DirectoryFiles:
    """Contents as files of a directory, in folders by the first digits of their digests: ``ab/cd/abcd…``.

    Each is written under another name, forced to the disk, and renamed. So a name is there only with its whole content,
    however many write at the same time, and whatever dies in between. Several processes may use one directory, on a
    network share too if its renames are atomic.

    Args:
        path: The directory. It is for nothing else, and for one database.
        create: Whether to make it where it is not there, for this user alone; make it yourself for several users. What
            is written in it has the permissions that the process gives new files. With False only one is taken that
            was made so: where it is on a mount, one that is missing is an error then, and no empty directory.

    Raises:
        InvalidValue: no path.
        StorageUnavailable: it is not there, or is none.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True) -> None:
        if not isinstance(path, str | os.PathLike):
            raise InvalidValue("path", *type_problem("str | Path", path))
        self._path = Path(path)
        with self._translated():
            if create:
                self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self._path / _MARK).touch()
            self._check_mounted()

    @property
    def path(self) -> Path:
        """The directory."""
        return self._path

    def put(self, sha256: str, content: IO[bytes]) -> None:
        """See `Files.put`."""
        path = self._place(sha256)
        with self._translated():
            self._check_mounted()
            path.parent.mkdir(parents=True, exist_ok=True)
            name = path.parent / f"{_UNFINISHED}{os.urandom(8).hex()}"
            try:
                with name.open("xb") as written:
                    digest = sha256_of()
                    while some := content.read(_CHUNK):
                        digest.update(some)
                        written.write(some)
                    if digest.hexdigest() != sha256:
                        raise InvalidValue("content", "file_digest", {"given": digest.hexdigest(), "expected": sha256})
                    written.flush()
                    os.fsync(written.fileno())
                os.replace(name, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name)
                raise
            for folder in (path.parent, path.parent.parent, self._path):
                _force(folder)

    def open(self, sha256: str) -> IO[bytes]:
        """See `Files.open`."""
        with self._translated():
            return self._place(sha256).open("rb")

    def size(self, sha256: str) -> int | None:
        """See `Files.size`."""
        with self._translated():
            try:
                return self._place(sha256).stat().st_size
            except FileNotFoundError:
                self._check_mounted()
                return None

    def delete(self, sha256: str) -> None:
        """See `Files.delete`."""
        with self._translated():
            try:
                self._place(sha256).unlink()
            except FileNotFoundError:
                self._check_mounted()

    def older(self, than: datetime) -> Iterator[str]:
        """See `Files.older`. What a process that died left unfinished before that time is removed."""
        with self._translated():
            self._check_mounted()
            found = list(self._older(than.astimezone(UTC).timestamp()))
        return iter(found)

    def _older(self, than: float) -> Iterator[str]:
        for first in _folders(self._path):
            for second in _folders(first):
                for one in os.scandir(second):
                    with suppress(FileNotFoundError):  # another process was faster
                        if one.stat().st_mtime >= than:
                            continue
                        if one.name.startswith(_UNFINISHED):
                            os.unlink(one.path)
                        elif is_digest(one.name):
                            yield one.name

    def _place(self, sha256: str) -> Path:
        if not isinstance(sha256, str) or not is_digest(sha256):
            raise InvalidValue("sha256", "digest", {"given": repr(sha256)[:80]})
        return self._path / sha256[:2] / sha256[2:4] / sha256

    def _check_mounted(self) -> None:
        """See that the directory is there: what is not mounted holds nothing, and must not say so.

        Raises:
            FileNotFoundError: it is not.
        """
        (self._path / _MARK).stat()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors of the system, but that of a file that is not there, as errors of this library.

        Raises:
            StorageUnavailable: there was one.
        """
        try:
            yield
        except OSError as error:
            if isinstance(error, FileNotFoundError) and (self._path / _MARK).exists():
                raise
            raise StorageUnavailable(str(self._path), str(error), "files") from error


def _folders(path: Path) -> list[Path]:
    return [Path(one.path) for one in os.scandir(path) if len(one.name) == 2 and one.is_dir()]


def _force(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can."""
    with suppress(OSError, AttributeError):  # Windows opens no folder, and some shares force none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
