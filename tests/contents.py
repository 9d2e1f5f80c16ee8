"""A small whole file of each type, by its ending, as the programs that write them would."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def archive(members: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return written.getvalue()


def office(kind: str, **members: bytes) -> bytes:
    """A file of Word, Excel or PowerPoint, by the content type of its main part."""
    types = (
        f'<?xml version="1.0"?><Types><Override PartName="/main.xml" ContentType="application/vnd.{kind}+xml"/></Types>'
    )
    return archive({"[Content_Types].xml": types, "_rels/.rels": "<Relationships/>", "main.xml": "<x/>", **members})


def compound(stream: str) -> bytes:
    """A file of the programs before 2007, by the stream that it has."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le").ljust(64, b"\0") + bytes(448)


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    head = struct.pack(">LLBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


FORMATS: Final = "openxmlformats-officedocument."
#: Ending -> content.
SAMPLES: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "pdf": b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n",
        "docx": office(FORMATS + "wordprocessingml.document.main"),
        "xlsx": office(FORMATS + "spreadsheetml.sheet.main"),
        "pptx": office(FORMATS + "presentationml.presentation.main"),
        "ofd": archive({"OFD.xml": '<ofd:OFD DocType="OFD"/>'}),
        "doc": compound("WordDocument"),
        "wps": compound("WordDocument"),
        "xls": compound("Workbook"),
        "et": compound("Book"),
        "ppt": compound("PowerPoint Document"),
        "dps": compound("PowerPoint Document"),
        "png": _png(),
        "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(200)) + b"\xff\xd9",
        "jpeg": b"\xff\xd8\xff\xe1" + bytes(40) + b"\xff\xd9 and a film behind it " + bytes(5000),
        "txt": "路灯不亮。\r\nEight lamps.\n".encode(),
        "csv": "编号,题目\r\n1,路灯\r\n".encode("gb18030"),
    }
)
