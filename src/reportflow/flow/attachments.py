"""The files of records: kept and checked when they come, held against their names by each act, read by those who may.

Theory of operation. `receive` writes what comes into a temporary file, looks at size, name and content, and gives the
content to the host's `Files` under its digest: so nothing that is wrong is ever kept. What it returns, an `Attachment`,
is a value that a caller passes in a draft or in details, and a caller can make one up: so each act reads the contents
of those that are new, and checks them again. A digest alone opens nothing, either: beside each content that comes, a
`_receipt` says who brought it, and an act names only what its actor brought. A content that is asked for is read into
a temporary file, too, and held against the digest, before any of it is shown. The methods of this class that are no
generators block; an asynchronous flow calls them in a thread.

Contents take no part in the transaction of an act. One that no record names yet, or no longer, is removed by `sweep`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256 as sha256_of
from io import BytesIO
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self, TypeVar, cast, runtime_checkable

from reportflow.errors import (
    AttachmentNotFound,
    FieldProblem,
    InvalidValue,
    ReportflowError,
    StorageUnavailable,
    UnreadableFile,
)
from reportflow.flow.effects import Effects, in_a_thread, store
from reportflow.flow.queries import Queries
from reportflow.model.actor import Actor
from reportflow.model.attachment import Attachment, attachments_in, is_digest
from reportflow.model.checks import type_problem
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.storage.files import Files
from reportflow.storage.filetypes import FileRules

#: How many bytes are read at a time.
_CHUNK: Final = 1 << 18
#: Up to which size a temporary file stays in memory, in bytes.
_IN_MEMORY: Final = 1 << 20
#: The longest grace of a sweep, in seconds: thirty years.
_LONGEST_GRACE: Final = 10**9
#: What a receipt begins with. No text has it, and no content that begins so is taken.
_RECEIPT: Final = b"\0reportflow upload\n"
#: How many entries are looked through at a time.
_SOME: Final = 1000

T = TypeVar("T")


@runtime_checkable
class SupportsRead(Protocol):
    """What a content can be read from: an open file, the body of a request."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; none at the end."""
        ...


class Download:
    """A content that was read whole, and held against its digest. A context manager; iterating gives its bytes.

    Attributes:
        attachment: What the record says of it: name, media type, size, digest.
        content: Its bytes, as an open file.
    """

    def __init__(self, attachment: Attachment, content: IO[bytes]) -> None:
        self.attachment = attachment
        self.content = content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """Its bytes in pieces; it is closed behind the last one."""
        with self.content as content:
            while some := content.read(_CHUNK):
                yield some

    def read(self) -> bytes:
        """All of it; it is closed then."""
        with self.content as content:
            content.seek(0)
            return content.read()

    def headers(self) -> dict[str, str]:
        """The headers of an HTTP response: a file to be saved under its name, which no browser shows as a page."""
        from urllib.parse import quote  # few programs that keep files are servers

        one = self.attachment
        plain = re.sub(r"[^\w. -]", "_", one.name, flags=re.ASCII)
        known = re.fullmatch(r"[\w.+-]+/[\w.+-]+", one.media_type, flags=re.ASCII) is not None
        return {
            "Content-Type": one.media_type if known else "application/octet-stream",
            "Content-Length": str(one.size),
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(one.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{one.sha256}"',
        }

    def close(self) -> None:
        """Let go of it."""
        self.content.close()


class AttachedFiles:
    """The files of a flow.

    Raises:
        InvalidValue: what was given is no `Files`, or there are no `FileRules`.
    """

    def __init__(self, files: Files, rules: FileRules | None) -> None:
        if not isinstance(files, Files):
            raise InvalidValue("files", *type_problem("Files", files))
        if rules is not None and not isinstance(rules, FileRules):
            raise InvalidValue("file_rules", *type_problem("FileRules", rules))
        self._files = files
        self._rules = FileRules() if rules is None else rules

    # -- coming in --------------------------------------------------------------------------------------------------

    def receive(
        self, content: bytes | SupportsRead, name: str, media_type: str, size: int | None, actor: Actor
    ) -> Attachment:
        """Keep a content that is what its name says.

        Raises:
            InvalidValue: it is not, cannot be read, or has another size.
            StorageUnavailable: the files cannot be reached.
        """
        self._rules.check_name(name)
        if size is not None and type(size) is not int:
            raise InvalidValue("size", *type_problem("int", size))
        with _temporary() as kept:
            digest, length = self._copied(_stream(content), kept, name)
            if size not in (None, length):
                raise InvalidValue("content", "file_cut", {"file": name, "given": length, "expected": size})
            found = self._rules.check(kept, length, name, media_type)
            kept.seek(0)
            if kept.read(len(_RECEIPT)) == _RECEIPT:
                raise InvalidValue("content", "file_content", {"file": name})
            kept.seek(0)
            self._call(partial(self._files.put, digest, kept))
        receipt = _receipt(digest, actor)
        self._call(lambda: self._files.put(_digest(receipt), BytesIO(receipt)))
        return Attachment(name=name, media_type=found.media_type, size=length, sha256=digest)

    def _copied(self, content: SupportsRead, kept: IO[bytes], name: str) -> tuple[str, int]:
        """Copy what a caller gives, as far as it may be large: its digest and size."""
        digest, length = sha256_of(), 0
        while True:
            try:
                some = content.read(_CHUNK)
            except Exception as error:
                given = f"{type(error).__name__}: {error}"
                raise InvalidValue("content", "file_broke_off", {"file": name, "given": given}) from error
            if not isinstance(some, bytes | bytearray | memoryview):
                raise InvalidValue("content", *type_problem("a stream of bytes", some))
            if not some:
                return digest.hexdigest(), length
            length += len(some)
            if length > self._rules.limit:
                raise self._rules.too_large(name)
            digest.update(some)
            _written(kept, some)

    # -- named by an act --------------------------------------------------------------------------------------------

    def check_named(self, before: Record, after: Record, entry: Entry) -> Effects[None]:
        """See that the files are there which an act newly names, were brought by its actor, and are what it says.

        A step names what the table says, and not its actor: only that the files are there is looked at.

        Raises:
            InvalidValue: names each that is not, by its place in the details or the draft.
            StorageUnavailable: the files cannot be reached.
        """
        known = {one for _, one in attachments_in(before)} if before.version else set[Attachment]()
        named: dict[Attachment, str] = {}
        for value in (entry.details, after):
            for place, one in attachments_in(value):
                named.setdefault(one, place)
        new = [(place, one) for one, place in named.items() if one not in known]
        if new:
            yield from in_a_thread(partial(self._check_all, new, entry.actor if entry.cause is None else None))

    def _check_all(self, named: list[tuple[str, Attachment]], actor: Actor | None) -> None:
        wrong = [problem for place, one in named for problem in self._why_not(place, one, actor)]
        if wrong:
            raise InvalidValue.of(wrong)

    def _why_not(self, place: str, one: Attachment, actor: Actor | None) -> Iterator[FieldProblem]:
        try:
            if actor is not None and not self._is_of(one, actor):
                raise UnreadableFile("", one.sha256, "missing")  # as if it were not held
            with self._read(one) as content:
                found = self._rules.check(content, one.size, one.name, one.media_type)
            if one.media_type != found.media_type:
                facts = {"file": one.name, "given": one.media_type, "choices": (found.media_type,)}
                yield FieldProblem(f"{place}/media_type", "file_sent", facts)
        except UnreadableFile as error:
            yield FieldProblem(place, f"file_{error.problem}", {"file": one.name})
        except InvalidValue as error:
            where = place if error.field == "content" else f"{place}/{error.field}"
            yield FieldProblem(where, error.problem, {"file": one.name, **error.details})

    def _is_of(self, attachment: Attachment, actor: Actor) -> bool:
        """Whether an actor brought a content, and no sweep came since."""
        return self._call(lambda: self._files.size(_digest(_receipt(attachment.sha256, actor)))) is not None

    def _read(self, attachment: Attachment, id: str = "") -> IO[bytes]:
        """A content, read whole and held against its digest and size.

        Raises:
            UnreadableFile: it is not held, or is another one.
            StorageUnavailable: the files cannot be reached.
        """
        digest, left = sha256_of(), attachment.size
        if self._call(partial(self._files.size, attachment.sha256)) is None:
            raise UnreadableFile(id, attachment.sha256, "missing")
        kept = _temporary()
        try:
            with self._opened(attachment, id) as content:
                while left >= 0 and (some := self._call(partial(content.read, _CHUNK))):
                    left -= len(some)
                    digest.update(some)
                    _written(kept, some)
            if left or digest.hexdigest() != attachment.sha256:
                raise UnreadableFile(id, attachment.sha256, "altered")
            kept.seek(0)
        except BaseException:
            kept.close()
            raise
        return kept

    def _opened(self, attachment: Attachment, id: str) -> IO[bytes]:
        try:
            return self._call(partial(self._files.open, attachment.sha256))
        except StorageUnavailable as error:
            if isinstance(error.__cause__, FileNotFoundError):  # it was deleted just now
                raise UnreadableFile(id, attachment.sha256, "missing") from error
            raise

    # -- read -------------------------------------------------------------------------------------------------------

    def download(self, queries: Queries, id: str, wanted: Attachment | str, actor: Actor) -> Effects[Download]:
        """A file that a record names, or an entry of it that the actor may read.

        Raises:
            InvalidValue: neither an attachment nor a digest.
            RecordNotFound: there is no such record that the actor may see.
            AttachmentNotFound: neither the record nor an entry that they may read names it.
            UnreadableFile: its content is not held any more, or was altered.
            StorageUnavailable: the files cannot be reached.
        """
        digest = wanted.sha256 if isinstance(wanted, Attachment) else wanted
        if not isinstance(digest, str):
            raise InvalidValue("attachment", *type_problem("Attachment | str", wanted))
        if not is_digest(digest):
            raise InvalidValue("attachment", "digest", {"given": repr(digest)[:80]})
        record = yield from queries.get(id, actor)
        named = [one for _, one in attachments_in(record) if one.sha256 == digest]
        if not named or wanted not in (digest, *named):
            history = yield from queries.history(id, actor)
            entries = [one for entry in reversed(history) for _, one in attachments_in(entry.details)]
            named += [one for one in entries if one.sha256 == digest]
        found = next((one for one in named if wanted in (digest, one)), None)
        if found is None:
            raise AttachmentNotFound(id, digest)
        return Download(found, (yield from in_a_thread(partial(self._read, found, id))))

    # -- no longer named --------------------------------------------------------------------------------------------

    def sweep(self, grace: float) -> Effects[list[str]]:
        """Remove the contents that no entry of the store names, and that were put some seconds ago or earlier.

        All entries are looked through, as they are stored: whatever looks like the digest counts as naming it, also in
        a row that cannot be read.
        """
        if type(grace) not in (int, float) or not 0 <= grace <= _LONGEST_GRACE:
            raise InvalidValue("grace", "range", {"given": repr(grace)[:80], "least": 0, "most": _LONGEST_GRACE})
        than = datetime.now(UTC) - timedelta(seconds=grace)
        unnamed: set[str] = yield from in_a_thread(partial(self._call, lambda: set(self._files.older(than))))
        after: tuple[str, int] | None = None
        while unnamed:
            some = yield from store.sealed(after, _SOME)
            if not some:
                break
            for one in some:
                unnamed.difference_update(re.findall("[0-9a-f]{64}", one.details or ""))
            after = some[-1].record_id, some[-1].sequence
        removed = []
        for digest in sorted(unnamed):
            if (yield from in_a_thread(partial(self._call, partial(self._remove, digest)))):
                removed.append(digest)
        return removed

    def _remove(self, digest: str) -> bool:
        """Remove what no entry names; whether it was a content, and no receipt."""
        try:
            with self._files.open(digest) as opened:
                first = opened.read(len(_RECEIPT))
        except FileNotFoundError:  # another sweep was faster
            return False
        self._files.delete(digest)
        return first != _RECEIPT

    # ---------------------------------------------------------------------------------------------------------------

    def _call(self, call: Callable[[], T]) -> T:
        """The result of a call of the host's files, whose errors are those of this library.

        Raises:
            StorageUnavailable: the call raised.
        """
        try:
            return call()
        except ReportflowError:
            raise
        except Exception as error:
            raise StorageUnavailable(type(self._files).__name__, f"{type(error).__name__}: {error}", "files") from error


def _receipt(sha256: str, actor: Actor) -> bytes:
    """Says that an actor brought a content; kept beside the contents, under its own digest, until it is swept."""
    return b"%b%b\n%b" % (_RECEIPT, sha256.encode(), actor.id.encode())


def _digest(content: bytes) -> str:
    return sha256_of(content).hexdigest()


def _stream(content: Any) -> SupportsRead:
    if isinstance(content, bytes | bytearray | memoryview):
        return BytesIO(content)
    if not isinstance(content, SupportsRead):
        raise InvalidValue("content", *type_problem("bytes | BinaryIO", content))
    return content


def _temporary() -> IO[bytes]:
    from tempfile import SpooledTemporaryFile  # it loads what only a program that keeps files needs

    return cast(IO[bytes], SpooledTemporaryFile(max_size=_IN_MEMORY))


def _written(kept: IO[bytes], some: bytes) -> None:
    """Write to a temporary file.

    Raises:
        StorageUnavailable: the disk of temporary files is full, or gone.
    """
    try:
        kept.write(some)
    except OSError as error:
        raise StorageUnavailable("temporary files", str(error), "files") from error
