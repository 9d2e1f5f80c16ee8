"""Is a file what its name says: its size, its name, and its content held against a table of the types that are taken.

Theory of operation. A type is a row (`FileType`): the endings of names, the media types under which programs send it,
and what its content shows: the bytes it begins and ends with, what a ZIP archive holds (the formats of Word, Excel,
PowerPoint and OFD are such archives), or that it is text. The ending of a name chooses the row, which the content must
fit. Nothing is unpacked but the head of one member, and an archive that says of itself that it would grow beyond bounds
is refused unread. This is no scan for viruses, and does not say that a program can show the whole file.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Final

import attrs

from reportflow.errors import InvalidValue
from reportflow.model.checks import is_blank, text_problem, type_problem
from reportflow.model.frozen import FrozenDict
from reportflow.model.values import as_texts, as_tuple

#: The most bytes that the name of a file may have, in UTF-8: what every common file system stores.
NAME_LIMIT: Final = 255
#: How many bytes of a member of an archive are read to know it by.
_MEMBER: Final = 1 << 20
#: The largest directory of an archive, in bytes; one with a hundred bytes a member then has 20,000.
_DIRECTORY: Final = 2 << 20
#: How much larger than itself an archive may say that it is unpacked, and from which size on that matters, in bytes.
_GROWTH: Final = 200
_SMALL: Final = 16 << 20
#: How many bytes are read at a time.
_CHUNK: Final = 1 << 16
#: Where each record of an archive's directory stands is said at its end, behind these marks.
_ARCHIVE_END: Final = b"PK\x05\x06"
_ARCHIVE_END_64: Final = b"PK\x06\x06"
_ARCHIVE_LOCATOR_64: Final = b"PK\x06\x07"
#: Marks that turn a text round: "exe.pdf" can be drawn as "fdp.exe" with them.
_TURNING: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
#: What a program sends that does not know the type.
_UNKNOWN: Final = ("", "application/octet-stream")
_CONTROLS: Final = re.compile(r"[\0-\x08\x0e-\x19\x1b-\x1f\x7f]")


def _parts(value: Iterable[bytes]) -> tuple[bytes, ...]:
    return as_tuple(value)


def _held(value: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return FrozenDict(value)


@attrs.frozen(kw_only=True)
class FileType:
    """A type of file that is taken, and how it is known. What is left blank is not looked at.

    Attributes:
        media_type: Under which it is listed, such as ``application/pdf``.
        endings: Those of the names, without the dot, in lower case.
        accepts: Other media types under which programs send it.
        begins: What its content may begin with.
        ends: What stands in its last `tail` bytes.
        tail: Within how many bytes of the end, since some programs write more behind it.
        has: What stands somewhere in it: one of these.
        holds: Of a ZIP archive: which members it must have, and what stands in the first mebibyte of each.
        encodings: Of a text: those that it may be in, as Python names them; the first that fits counts.
    """

    media_type: str
    endings: tuple[str, ...] = attrs.field(converter=as_texts)
    accepts: tuple[str, ...] = attrs.field(default=(), converter=as_texts)
    begins: tuple[bytes, ...] = attrs.field(default=(), converter=_parts)
    ends: bytes = b""
    tail: int = 1024
    has: tuple[bytes, ...] = attrs.field(default=(), converter=_parts)
    holds: Mapping[str, bytes] = attrs.field(factory=dict, converter=_held)
    encodings: tuple[str, ...] = attrs.field(default=(), converter=as_texts)


_ZIP: Final = (b"PK\x03\x04",)
#: The container of the formats before 2007: each program names its stream in it, in UTF-16.
_COMPOUND: Final = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_CONTENTS: Final = "[Content_Types].xml"
_TEXT: Final = ("utf-8-sig", "utf-16", "gb18030")


def _streams(*names: str) -> tuple[bytes, ...]:
    return tuple(name.encode("utf-16-le") for name in names)


#: What a flow takes unless it has rules of its own: the documents, tables, pictures and texts of an office.
FILE_TYPES: Final = (
    FileType(
        media_type="application/pdf", endings="pdf", accepts="application/x-pdf", begins=[b"%PDF-"], ends=b"%%EOF"
    ),
    FileType(
        media_type=_OFFICE + "wordprocessingml.document",
        endings="docx",
        begins=_ZIP,
        holds={_CONTENTS: b"wordprocessingml.document.main+xml"},
    ),
    FileType(
        media_type=_OFFICE + "spreadsheetml.sheet",
        endings="xlsx",
        begins=_ZIP,
        holds={_CONTENTS: b"spreadsheetml.sheet.main+xml"},
    ),
    FileType(
        media_type=_OFFICE + "presentationml.presentation",
        endings="pptx",
        begins=_ZIP,
        holds={_CONTENTS: b"presentationml.presentation.main+xml"},
    ),
    FileType(media_type="application/ofd", endings="ofd", begins=_ZIP, holds={"OFD.xml": b"OFD"}),
    FileType(
        media_type="application/msword",
        endings=["doc", "wps"],
        accepts=["application/vnd.ms-works", "application/wps-office.wps", "application/kswps"],
        begins=_COMPOUND,
        has=_streams("WordDocument"),
    ),
    FileType(
        media_type="application/vnd.ms-excel",
        endings=["xls", "et"],
        accepts=["application/wps-office.et", "application/kset"],
        begins=_COMPOUND,
        has=_streams("Workbook", "Book"),
    ),
    FileType(
        media_type="application/vnd.ms-powerpoint",
        endings=["ppt", "dps"],
        accepts=["application/wps-office.dps", "application/ksdps"],
        begins=_COMPOUND,
        has=_streams("PowerPoint Document"),
    ),
    FileType(media_type="image/png", endings="png", begins=[b"\x89PNG\r\n\x1a\n"], ends=b"IEND\xaeB`\x82"),
    FileType(
        media_type="image/jpeg",
        endings=["jpg", "jpeg"],
        accepts=["image/jpg", "image/pjpeg"],
        begins=[b"\xff\xd8\xff"],
        ends=b"\xff\xd9",
        tail=1 << 30,  # telephones write whole films behind it
    ),
    FileType(media_type="text/plain", endings="txt", encodings=_TEXT),
    FileType(
        media_type="text/csv",
        endings="csv",
        accepts=["application/csv", "application/vnd.ms-excel", "text/comma-separated-values", "text/plain"],
        encodings=_TEXT,
    ),
)


def _types(value: Iterable[FileType]) -> tuple[FileType, ...]:
    types = as_tuple(value)
    for one in types if isinstance(types, tuple) else (types,):
        if not isinstance(one, FileType):
            raise InvalidValue("types", *type_problem("tuple[FileType, ...]", one))
    return types


def _least(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or value < 1:
        raise InvalidValue(attribute.name, "range", {"given": value, "least": 1, "most": "∞"})


@attrs.frozen(kw_only=True)
class FileRules:
    """Which files a flow takes.

    Attributes:
        limit: The most bytes that a file may have.
        unpacked: The most bytes that the members of an archive may have together, as it says itself.
        types: The types that are taken.
    """

    limit: int = attrs.field(default=20 << 20, validator=_least)
    unpacked: int = attrs.field(default=512 << 20, validator=_least)
    types: tuple[FileType, ...] = attrs.field(default=FILE_TYPES, converter=_types)

    def endings(self) -> tuple[str, ...]:
        """The endings of the names that are taken."""
        return tuple(dict.fromkeys(ending for one in self.types for ending in one.endings))

    def check_name(self, name: object) -> tuple[FileType, ...]:
        """The types that a name may be of.

        Raises:
            InvalidValue: about ``name``: it is none of a file, or its ending is not taken.
        """
        problem = text_problem(name)
        if problem or not isinstance(name, str):
            raise InvalidValue("name", *(problem or type_problem("str", name)))
        if is_blank(name):
            raise InvalidValue("name", "blank")
        if len(name.encode()) > NAME_LIMIT:
            raise InvalidValue("name", "file_name_long", {"file": _shown(name), "limit": NAME_LIMIT})
        if not _is_name(name):
            raise InvalidValue("name", "file_name", {"file": _shown(name)})
        ending = name.rpartition(".")[2].lower() if "." in name else ""
        found = tuple(one for one in self.types if ending in one.endings)
        if not found:
            raise InvalidValue("name", "file_type", {"file": _shown(name), "choices": self.endings()})
        return found

    def check(self, content: IO[bytes], size: int, name: object, media_type: str = "") -> FileType:
        """The type of a file whose content is what its name says.

        Args:
            content: The whole of it, in which one can seek.
            size: How many bytes that are.
            name: Its name.
            media_type: What its sender says that it is; blank where they do not say.

        Raises:
            InvalidValue: about ``name``, ``media_type`` or ``content``.
        """
        types = self.check_name(name)
        facts: dict[str, object] = {"file": _shown(str(name))}
        if not size:
            raise InvalidValue("content", "file_empty", facts)
        if size > self.limit:
            raise self.too_large(str(name))
        sent = _sent_as(media_type)
        fitting = [one for one in types if sent in _UNKNOWN or sent in (one.media_type, *one.accepts)]
        if not fitting:
            raise InvalidValue("media_type", "file_sent", {**facts, "given": sent, "choices": _media_types(types)})
        for one in fitting:
            if self._fits(one, content, size):
                return one
        others = (one for one in self.types if one not in fitting and not one.encodings)
        other = next((one for one in others if self._fits(one, content, size)), None)
        if other is not None:
            raise InvalidValue("content", "file_other", {**facts, "found": other.endings[0]})
        if any(one.begins and _begins(content, one.begins) for one in fitting):
            raise InvalidValue("content", "file_damaged", facts)
        raise InvalidValue("content", "file_content", facts)

    def too_large(self, name: str) -> InvalidValue:
        """The error of a content that is larger than the limit."""
        return InvalidValue("content", "file_large", {"file": _shown(name), "limit": _size(self.limit)})

    def _fits(self, one: FileType, content: IO[bytes], size: int) -> bool:
        if one.begins and not _begins(content, one.begins):
            return False
        if one.ends and one.ends not in _last(content, size, one.tail):
            return False
        if one.has and not any(_has(content, part) for part in one.has):
            return False
        if one.encodings:
            marks = [mark for other in self.types for mark in other.begins]
            return not (marks and _begins(content, marks)) and any(_is_text(content, code) for code in one.encodings)
        return not one.holds or self._holds(content, size, one.holds)

    def _holds(self, content: IO[bytes], size: int, wanted: Mapping[str, bytes]) -> bool:
        """Whether an archive can be opened, stays within bounds, and holds what is wanted."""
        from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile  # few programs look into files

        if not 0 < _directory(content, size) <= _DIRECTORY:
            return False
        try:
            with ZipFile(content) as archive:
                unpacked = sum(one.file_size for one in archive.infolist())
                if unpacked > min(self.unpacked, max(_GROWTH * size, _SMALL)):
                    return False
                for name, part in wanted.items():
                    member = archive.getinfo(name)
                    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # of others all is unpacked at once
                        return False
                    with archive.open(member) as opened:
                        if part not in opened.read(_MEMBER):
                            return False
        except Exception:  # a damaged archive makes it raise nearly anything
            return False
        return True


def _size(number: int) -> str:
    """A number of bytes, for people: in units of 1024, as the file managers of most offices show them."""
    unit = next((unit for unit in (30, 20, 10) if number >= 1 << unit), 0)
    return f"{number / (1 << unit):.4g} {_UNITS[unit]}"


_UNITS: Final = FrozenDict({30: "GB", 20: "MB", 10: "KB", 0: "B"})


def _shown(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:60]}…{name[-16:]}"


def _is_name(name: str) -> bool:
    """Whether a text names a file in a folder, and no folder, path or device, and shows itself as it is."""
    if name in (".", "..") or name != name.strip() or name.endswith("."):
        return False
    return not any(one in "/\\" or one in _TURNING or unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in name)


def _sent_as(media_type: object) -> str:
    problem = text_problem(media_type)
    if problem or not isinstance(media_type, str):
        raise InvalidValue("media_type", *(problem or type_problem("str", media_type)))
    return media_type.partition(";")[0].strip().lower()


def _media_types(types: Iterable[FileType]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.media_type for one in types))


def _begins(content: IO[bytes], beginnings: Iterable[bytes]) -> bool:
    content.seek(0)
    first = content.read(max(map(len, beginnings)))
    return first.startswith(tuple(beginnings))


def _last(content: IO[bytes], size: int, tail: int) -> bytes:
    content.seek(max(0, size - tail))
    return content.read()


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    content.seek(0)
    while some := content.read(_CHUNK):
        yield some


def _has(content: IO[bytes], part: bytes) -> bool:
    before = b""
    for some in _chunks(content):
        if part in before + some:
            return True
        before = some[-len(part) :]
    return False


def _is_text(content: IO[bytes], encoding: str) -> bool:
    """Whether a content is text in an encoding; UTF-16 only where its mark says so."""
    if encoding == "utf-16" and not _begins(content, (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return not any(_CONTROLS.search(decoder.decode(some)) for some in _chunks(content)) and not _CONTROLS.search(
            decoder.decode(b"", True)
        )
    except UnicodeError:
        return False


def _directory(content: IO[bytes], size: int) -> int:
    """How many bytes the directory of an archive has, as it says itself; 0 where it is no archive."""
    from struct import error, unpack_from

    last = _last(content, size, 22 + 0xFFFF + 20 + 56)
    place = last.rfind(_ARCHIVE_END)
    try:
        if place < 0:
            return 0
        if last[place - 20 : place - 16] == _ARCHIVE_LOCATOR_64 and place >= 20 + 56:
            start = place - 20 - 56
            found = unpack_from("<Q", last, start + 40)[0] if last.startswith(_ARCHIVE_END_64, start) else 0
        else:
            found = unpack_from("<L", last, place + 12)[0]
    except error:
        return 0
    return int(found)
