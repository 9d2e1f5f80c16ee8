"""Is a file what its name says: names, sizes and contents held against the table of types."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportflow import FileRules, InvalidValue
from reportflow.storage.filetypes import FILE_TYPES, FileType
from tests.contents import FORMATS, SAMPLES, archive, office

RULES = FileRules()
#: Endings whose content is the same.
KINDRED = [{"doc", "wps"}, {"xls", "et"}, {"ppt", "dps"}, {"jpg", "jpeg"}, {"txt", "csv"}]
#: Those whose content shows where it ends.
CLOSED = ["pdf", "docx", "xlsx", "pptx", "ofd", "png", "jpg"]


def check(content: bytes, name: str, media_type: str = "", rules: FileRules = RULES) -> FileType:
    """The type of a file."""
    return rules.check(io.BytesIO(content), len(content), name, media_type)


def problem(content: bytes, name: Any, media_type: Any = "", rules: FileRules = RULES) -> tuple[str, str]:
    """Where a file is refused, and why; the texts can be read in both languages."""
    with pytest.raises(InvalidValue) as raised:
        check(content, name, media_type, rules)
    for language in ("en", "zh"):
        for text in (raised.value.message(language), raised.value.message(language, reader="developer")):
            assert "{" not in text
    return raised.value.field, raised.value.problem


def test_the_table_has_a_sample_of_each_ending() -> None:
    """There is a file of each type that is taken."""
    assert set(SAMPLES) == set(RULES.endings())


@pytest.mark.parametrize("ending", SAMPLES)
@pytest.mark.parametrize("named", SAMPLES)
def test_a_content_is_taken_under_its_own_name_only(ending: str, named: str) -> None:
    """A file of each type is taken under its ending, in any case, and under that of no other type."""
    content = SAMPLES[ending]
    if ending == named or {ending, named} in KINDRED:
        assert named in check(content, f"附件.{named.upper()}").endings
        return
    where, why = problem(content, f"附件.{named}")
    assert where == "content"
    assert why == "file_content" if ending in ("txt", "csv") else why in ("file_other", "file_damaged")


@given(st.sampled_from(CLOSED), st.data())
def test_a_content_that_is_cut_off_is_refused(ending: str, data: st.DataObject) -> None:
    """Where a content shows its end, no beginning of it is taken."""
    whole = SAMPLES[ending].rstrip()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert problem(whole[:cut], f"a.{ending}")[1] in ("file_empty", "file_content", "file_damaged")


@given(st.binary(max_size=200))
@example(b"MZ\x90\0\x03\0\0\0")
@example(b"\x7fELF\x02\x01\x01")
@example(b"PK\x05\x06" + bytes(18))
@example(b"PK\x03\x04" + b"PK\x05\x06" + b"\xff" * 18)
@example(b"PK\x03\x04PK\x06\x06" + bytes(52) + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + b"\xff" * 18)
def test_any_bytes_are_judged(content: bytes) -> None:
    """Whatever the bytes are, they are taken or refused by an error of this library; as a document of no type here."""
    for ending in ("docx", "ofd", "png", "doc", "jpg"):
        problem(content, f"a.{ending}")
    for ending in ("txt", "csv"):
        with suppress(InvalidValue):
            assert ending in check(content, f"a.{ending}").endings


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_a_text_may_be_in_each_encoding(text: str, encoding: str) -> None:
    """A text of an office is taken in UTF-8, UTF-16 with its mark, and GB 18030; NUL and escapes are of none."""
    content = f"题：{text}".encode(encoding)
    check(content, "a.txt")
    if encoding != "utf-16":
        assert problem(content + b"\0", "a.txt") == ("content", "file_content")
        assert problem(content + b"\x1b[2J", "a.csv") == ("content", "file_content")


def test_a_long_text_is_read_in_pieces() -> None:
    """A character that lies across two pieces is one; a wrong byte at the very end is found."""
    long = ("a" + "灯" * 100_000).encode()
    check(long, "a.txt")
    assert problem(long + "灯".encode()[:1], "a.txt", rules=FileRules(types=[FileType(
        media_type="text/plain", endings="txt", encodings="utf-8"
    )])) == ("content", "file_content")  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "../a.pdf", "a/b.pdf", "a\\b.pdf", "C:\\a.pdf", "/a.pdf", ".", "..", "a.pdf\n", "a\x01.pdf", "a\x7f.pdf",
        "a\u2028.pdf", "annual\u202efdp.pdf", "a\u2066.pdf", " a.pdf", "a.pdf ", "a.pdf.",
    ],
)  # fmt: skip
def test_what_is_no_name_of_a_file_is_refused(name: str) -> None:
    """Names with parts of paths, control characters, marks that turn text round, or blanks and dots at their ends."""
    assert problem(SAMPLES["pdf"], name) == ("name", "file_name")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a\0.pdf", "nul"), ("a\ud800.pdf", "surrogate"), ("", "blank"), (" \u200b", "blank"), (None, "type"),
        (7, "type"), ("灯" * 84 + ".pdf", "file_name_long"), ("a.exe", "file_type"), ("pdf", "file_type"),
        (".pdf.exe", "file_type"),
        ("a.docm", "file_type"), ("a", "file_type"),
    ],
)  # fmt: skip
def test_a_name_is_refused_for_its_reason(name: Any, why: str) -> None:
    """Each wrong name says what is wrong with it."""
    assert problem(SAMPLES["pdf"], name) == ("name", why)


@pytest.mark.parametrize(
    "name", ["关于路灯的照片（1）.jpg", "a.b.c.JPG", ".jpg", "é’☺.jpg", "灯" * 83 + "x.jpg", "a b.jpg"]
)
def test_names_in_any_script_are_taken(name: str) -> None:
    """Names in any script, with dots and blanks inside, of up to 255 bytes are taken."""
    assert check(SAMPLES["jpg"], name).media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.pdf", ""), ("a.pdf", "application/octet-stream"), ("a.pdf", "Application/PDF; version=1"),
        ("a.csv", "application/vnd.ms-excel"), ("a.csv", "text/csv; charset=gbk"), ("a.jpeg", "image/pjpeg"),
    ],
)  # fmt: skip
def test_what_its_sender_says_may_be_vague(name: str, media_type: str) -> None:
    """A sender may say nothing, or a media type under which programs send such files, with parameters."""
    check(SAMPLES[name.partition(".")[2]], name, media_type)


@pytest.mark.parametrize(("media_type", "why"), [("image/png", "file_sent"), ("a\0", "nul"), (None, "type")])
def test_what_its_sender_says_must_fit(media_type: Any, why: str) -> None:
    """A media type of another ending is refused."""
    assert problem(SAMPLES["pdf"], "a.pdf", media_type) == ("media_type", why)


def test_a_file_has_a_size() -> None:
    """An empty file is refused, and one that is larger than the limit; one of just that size is taken."""
    assert problem(b"", "a.txt") == ("content", "file_empty")
    rules = FileRules(limit=10)
    check(b"0123456789", "a.txt", rules=rules)
    assert problem(b"0123456789!", "a.txt", rules=rules) == ("content", "file_large")


def test_macros_do_not_come_under_the_name_of_a_document() -> None:
    """A document with macros is another type, whatever its name says."""
    assert problem(office("ms-word.document.macroEnabled.main"), "a.docx") == ("content", "file_damaged")


def _bomb() -> tuple[bytes, FileRules]:
    return office(FORMATS + "wordprocessingml.document.main", bomb=bytes(40 << 20)), RULES


def test_what_unpacks_beyond_bounds_is_refused() -> None:
    """An archive that says of itself that it grows two hundredfold, or beyond the limit, is not opened."""
    content, rules = _bomb()
    assert len(content) < 60_000
    assert problem(content, "a.docx", rules=rules) == ("content", "file_damaged")
    small = office(FORMATS + "wordprocessingml.document.main", part=bytes(1 << 20))
    check(small, "a.docx")
    assert problem(small, "a.docx", rules=FileRules(unpacked=1 << 20)) == ("content", "file_damaged")


def test_a_member_is_read_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a mebibyte of a member is unpacked, and none that is packed by a method that unpacks all at once."""
    sizes: list[int] = []
    real = zipfile.ZipExtFile.read

    def read(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        sizes.append(n or -1)
        return real(self, n)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    types = b"wordprocessingml.document.main+xml".ljust(8 << 20)
    check(archive({"[Content_Types].xml": types}), "a.docx")
    assert sizes == [1 << 20]
    packed = archive({"[Content_Types].xml": types[:100]}, method=zipfile.ZIP_LZMA)
    assert problem(packed, "a.docx") == ("content", "file_damaged")
    assert sizes == [1 << 20]


def test_a_huge_directory_is_not_read() -> None:
    """An archive with very many members is refused before its directory is read; one with a thousand is taken."""
    head = SAMPLES["docx"]
    for number, taken in ((1_000, True), (40_000, False)):
        content = io.BytesIO(head)
        with zipfile.ZipFile(content, "a") as opened:
            for one in range(number):
                opened.writestr(f"word/part{one:08}", b"")
        if taken:
            check(content.getvalue(), "a.docx")
        else:
            assert problem(content.getvalue(), "a.docx") == ("content", "file_damaged")


def test_a_host_changes_the_table() -> None:
    """A host takes other types than these, or fewer, by its own table."""
    gif = FileType(media_type="image/gif", endings=["gif"], begins=[b"GIF87a", b"GIF89a"], ends=b"\x3b")
    rules = FileRules(types=[*FILE_TYPES, gif])
    assert check(b"GIF89a\x01\0\x01\0\0\0\0\x3b", "a.gif", rules=rules) is gif
    assert problem(b"GIF89a", "a.gif", rules=rules) == ("content", "file_damaged")
    assert problem(SAMPLES["png"], "a.png", rules=FileRules(types=[gif])) == ("name", "file_type")


@pytest.mark.parametrize(
    "given", [{"limit": 0}, {"limit": "9"}, {"limit": True}, {"unpacked": -1}, {"types": 7}, {"types": ["pdf"]}]
)
def test_rules_are_checked(given: dict[str, Any]) -> None:
    """Rules that are none are refused when they are made."""
    with pytest.raises(InvalidValue):
        FileRules(**given)
