"""The files of records: kept when they are what their names say, named by acts, read by those who may."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from reportflow import (
    EVERYBODY,
    NOBODY,
    SAME,
    UNIT,
    Actor,
    Attachment,
    AttachmentNotFound,
    Create,
    Details,
    DirectoryFiles,
    Entry,
    FileRules,
    Fire,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    SqlStore,
    State,
    Step,
    StorageUnavailable,
    Store,
    Transition,
    TransitionRefused,
    UnreadableFile,
    open_async_flow,
    open_flow,
)
from reportflow.model.attachment import attachments_in
from reportflow.office import (
    REPORT,
    Author,
    Classification,
    Comment,
    Erasure,
    Report,
    Revision,
    Supplement,
)
from reportflow.storage.filetypes import FileType
from tests.contents import SAMPLES

ZHAO = Actor(id="zhao", roles={"contributor"}, unit="yulin")
LI = Actor(id="li", roles={"editor"}, unit="yulin", clearance="top_secret")
LOW = Actor(id="low", roles={"editor"}, unit="yulin")
CHEN = Actor(id="chen", roles={"registrar"}, unit="yulin", clearance="top_secret")
ELSE = Actor(id="else", roles={"editor"}, unit="mizhi")
PDF, PNG = SAMPLES["pdf"], SAMPLES["png"]
STORES: list[Callable[[], Store]] = [MemoryStore, lambda: SqlStore("sqlite://")]


def draft(*attachments: Attachment) -> Report:
    """The draft of a report."""
    return Report.draft(title="题", text="文", authors=[Author(name="赵", id="zhao")], attachments=attachments)


@attrs.frozen(kw_only=True)
class Note(Details):
    """A remark with its papers, at any depth."""

    papers: dict[str, tuple[Attachment, ...]]


@attrs.frozen(kw_only=True)
class Matter(Record):
    """A record of a host's own, that lists no files."""


MATTER = Lifecycle(
    name="matter",
    version=1,
    record=Matter,
    roles={"clerk": UNIT, "reader": UNIT},
    states=[State("open", final=True)],
    transitions=[
        Transition("begin", source=None, dest="open", roles="clerk"),
        Transition("note", source="open", dest=SAME, roles=EVERYBODY, details=Note, audience={"clerk"}),
    ],
)


@pytest.fixture
def files(tmp_path: Path) -> DirectoryFiles:
    """A fresh directory."""
    return DirectoryFiles(tmp_path / "files")


@pytest.fixture(params=STORES, ids=["memory", "sqlite"])
def flow(request: pytest.FixtureRequest, files: DirectoryFiles) -> Iterator[ReportFlow]:
    """A flow with files, on each store."""
    with ReportFlow(request.param(), REPORT, files=files) as flow:
        yield flow


def contents(files: DirectoryFiles) -> set[bytes]:
    """All contents that are held, but what says who brought them."""
    held = {path.read_bytes() for path in files.path.rglob("*/*/*") if path.is_file()}
    return {one for one in held if not one.startswith(b"\0reportflow")}


def wrong(call: Callable[[], object]) -> tuple[str, str]:
    """The field and the problem of a refused value, whose texts can be read in both languages."""
    with pytest.raises(InvalidValue) as raised:
        call()
    for language in ("en", "zh"):
        assert "{" not in raised.value.message(language) + raised.value.message(language, reader="developer")
    return raised.value.field, raised.value.problem


# -- coming in, and read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [bytes, bytearray, memoryview, io.BytesIO], ids=lambda one: one.__name__)
def test_what_is_brought_is_listed_and_read(flow: ReportFlow, files: DirectoryFiles, given: Any) -> None:
    """A file is kept once, listed on the record by name, type, size and digest, and read as it was brought."""
    one = flow.upload(given(PDF), name="附件.pdf", by=ZHAO)
    assert one == Attachment(
        name="附件.pdf", media_type="application/pdf", size=len(PDF), sha256=sha256(PDF).hexdigest()
    )
    assert flow.upload(given(PDF), name="又名.PDF", by=LI).sha256 == one.sha256
    report = flow.create(draft(one), by=ZHAO)
    assert flow.get(report.id, by=LI, type=Report).attachments == (one,)
    for wanted in (one, one.sha256):
        with flow.download(report.id, wanted, by=LI) as found:
            assert (found.attachment, found.content.read(4), found.content.read()) == (one, PDF[:4], PDF[4:])
        assert found.content.closed
        assert flow.download(report.id, wanted, by=LI).read() == PDF
        assert b"".join(flow.download(report.id, wanted, by=LI)) == PDF
    assert contents(files) == {PDF}


def test_a_supplement_adds_and_replaces(flow: ReportFlow) -> None:
    """What a supplement replaces is read no longer from the record, but from the history."""
    old = flow.upload(PDF, name="a.pdf", by=ZHAO)
    new = flow.upload(b"%PDF-2.0 %%EOF", name="a.pdf", by=ZHAO)
    picture = flow.upload(PNG, name="b.png", by=ZHAO)
    report = flow.create(draft(old), by=ZHAO)
    report = flow.fire(report, "supplement", Supplement(attachments=[new, picture]), by=ZHAO)
    assert report.attachments == (new, picture)
    for one, content in ((old, PDF), (new, b"%PDF-2.0 %%EOF"), (picture, PNG)):
        assert flow.download(report.id, one, by=LI).read() == content
    assert flow.verify().flaws == ()


def test_two_names_of_one_content_are_two_files(flow: ReportFlow) -> None:
    """Asked by the attachment, each name is found; by the digest, the first."""
    one, other = (flow.upload(b"a,b\n", name=name, by=ZHAO) for name in ("a.csv", "b.txt"))
    assert one.sha256 == other.sha256
    report = flow.create(draft(one, other), by=ZHAO)
    for wanted, expected in ((one, one), (other, other), (one.sha256, one)):
        with flow.download(report.id, wanted, by=LI) as found:
            assert found.attachment == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b.pdf", "filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"),
        ('灯；"x.pdf', "filename=\"___x.pdf\"; filename*=UTF-8''%E7%81%AF%EF%BC%9B%22x.pdf"),
    ],
)
def test_a_browser_saves_a_file_under_its_name(name: str, shown: str) -> None:
    """The headers have the name in any script (RFC 6266 and 8187), and keep a browser from guessing a type."""
    with open_flow("memory:", files=Held()) as flow:
        report = flow.create(draft(flow.upload(PDF, name=name, by=ZHAO)), by=ZHAO)
        with flow.download(report.id, report.attachments[0], by=LI) as found:
            headers = found.headers()
    assert headers["Content-Disposition"] == f"attachment; {shown}"
    assert (headers["Content-Type"], headers["Content-Length"]) == ("application/pdf", str(len(PDF)))
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_wrong_media_type_is_no_header() -> None:
    """An attachment that was listed before there were files cannot bring a header of its own."""
    one = Attachment(name="a", media_type="text/html\r\nX: y", size=len(PDF), sha256=sha256(PDF).hexdigest())
    store, place = MemoryStore(), Held()
    place.held[one.sha256] = PDF
    report = ReportFlow(store, REPORT).create(draft(one), by=ZHAO)
    with ReportFlow(store, REPORT, files=place).download(report.id, one, by=ZHAO) as found:
        assert found.headers()["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("ending", SAMPLES)
def test_each_type_is_taken(ending: str) -> None:
    """A file of each type of the table is taken, and listed under the type of its name."""
    with open_flow("memory:", files=Held()) as flow:
        one = flow.upload(io.BytesIO(SAMPLES[ending]), name=f"x.{ending}", by=ZHAO)
        assert flow.create(draft(one), by=ZHAO).attachments == (one,)


class Held:
    """A place for contents in memory, as a host's own would be."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.lost: Exception | None = None

    def _reach(self) -> dict[str, bytes]:
        if self.lost is not None:
            raise self.lost
        return self.held

    def put(self, sha256: str, content: IO[bytes]) -> None:
        """See `Files.put`."""
        self._reach()[sha256] = content.read()

    def open(self, sha256: str) -> IO[bytes]:
        """See `Files.open`."""
        try:
            return io.BytesIO(self._reach()[sha256])
        except KeyError:
            raise FileNotFoundError(sha256) from None

    def size(self, sha256: str) -> int | None:
        """See `Files.size`."""
        return len(self._reach()[sha256]) if sha256 in self._reach() else None

    def delete(self, sha256: str) -> None:
        """See `Files.delete`."""
        self._reach().pop(sha256, None)

    def older(self, than: object) -> Iterable[str]:
        """See `Files.older`: everything is old."""
        return list(self._reach())


def _broken() -> Any:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            some = super().read(9)
            if not some:
                raise ConnectionResetError("reset by peer")
            return some

    return Broken(PDF)


@pytest.mark.parametrize(
    ("content", "given", "expected"),
    [
        (PDF, {"name": "a.docx"}, ("content", "file_other")),
        (b"MZ\x90\0", {"name": "a.pdf"}, ("content", "file_content")),
        (PDF[:-9], {"name": "a.pdf"}, ("content", "file_damaged")),
        (PDF, {"name": "../a.pdf"}, ("name", "file_name")),
        (PDF, {"name": "a\0.pdf"}, ("name", "nul")),
        (PDF, {"name": "a.pdf", "media_type": "image/png"}, ("media_type", "file_sent")),
        (PDF, {"name": "a.pdf", "size": len(PDF) + 1}, ("content", "file_cut")),
        (PDF, {"name": "a.pdf", "size": "9"}, ("size", "type")),
        (b"", {"name": "a.pdf"}, ("content", "file_empty")),
        (bytes(1001), {"name": "a.pdf"}, ("content", "file_large")),
        (7, {"name": "a.pdf"}, ("content", "type")),
        ("text", {"name": "a.txt"}, ("content", "type")),
        (io.StringIO("text"), {"name": "a.txt"}, ("content", "type")),
        (None, {"name": "a.pdf"}, ("content", "file_broke_off")),
    ],
)
def test_nothing_is_kept_of_what_is_refused(
    files: DirectoryFiles, content: Any, given: Any, expected: tuple[str, str]
) -> None:
    """Each wrong file is an error with its place, and leaves nothing behind."""
    with ReportFlow(MemoryStore(), REPORT, files=files, file_rules=FileRules(limit=1000)) as flow:
        assert wrong(lambda: flow.upload(_broken() if content is None else content, by=ZHAO, **given)) == expected
        with pytest.raises(InvalidValue, match="by"):
            flow.upload(PDF, name="a.pdf", by="zhao")  # type: ignore[arg-type]  # the wrong type is the point
    assert contents(files) == set()


def test_an_endless_stream_is_left_at_the_limit() -> None:
    """A stream is read as far as the limit, and no further."""

    class Endless:
        def __init__(self) -> None:
            self.given = 0

        def read(self, size: int, /) -> bytes:
            self.given += size
            return bytes(size)

    endless = Endless()
    with open_flow("memory:", files=Held(), file_rules=FileRules(limit=1 << 20)) as flow:
        assert wrong(lambda: flow.upload(endless, name="a.txt", by=ZHAO)) == ("content", "file_large")
    assert endless.given <= 2 << 20


# -- named by an act ---------------------------------------------------------------------------------------------------


def _acts(flow: ReportFlow, report: Report, *named: Attachment) -> list[Callable[[], object]]:
    """Every way to name files."""
    supplement = Fire(report.id, "supplement", Supplement(attachments=named), by=ZHAO)
    return [
        lambda: flow.create(draft(*named), by=ZHAO),
        lambda: flow.fire(report, "supplement", Supplement(attachments=named), by=ZHAO),
        lambda: flow.batch([Fire(report.id, "revise", Revision(text="新"), by=ZHAO), supplement]),
        lambda: list(flow.run([supplement])),
    ]


def test_what_an_act_names_is_there_and_is_what_it_says(flow: ReportFlow, files: DirectoryFiles) -> None:
    """An act that names what is not held, or says of it what it is not, is refused, and each has its place."""
    one = flow.upload(PDF, name="a.pdf", by=ZHAO)
    other = flow.upload(PNG, name="b.png", by=ZHAO)
    report = flow.create(draft(one), by=ZHAO)
    cases = {
        attrs.evolve(one, sha256="0" * 64): ("", "file_missing"),
        attrs.evolve(one, sha256=other.sha256): ("", "file_altered"),
        attrs.evolve(one, sha256=other.sha256, size=other.size): ("", "file_other"),
        attrs.evolve(one, size=one.size - 1): ("", "file_altered"),
        attrs.evolve(one, size=one.size + 1): ("", "file_altered"),
        attrs.evolve(one, name="a.docx", media_type=""): ("", "file_other"),
        attrs.evolve(one, name="a/b.pdf"): ("/name", "file_name"),
        attrs.evolve(one, name="a.exe"): ("/name", "file_type"),
        attrs.evolve(one, media_type="image/png"): ("/media_type", "file_sent"),
        attrs.evolve(one, media_type="application/x-pdf"): ("/media_type", "file_sent"),
    }
    every = [(f"/attachments/{place}{where}", problem) for place, (where, problem) in enumerate(cases.values(), 1)]
    for call in _acts(flow, report, other, *cases):
        with pytest.raises(InvalidValue) as raised:
            call()
        error = raised.value
        assert [(one.pointer, one.code) for one in error.problems] == every
        assert [one.params["file"] for one in error.problems] == [one.name for one in cases]
        for language in ("en", "zh"):
            assert "{" not in error.message(language) + error.message(language, reader="developer")
    assert flow.count(Query(), by=LI) == {(): 1}
    assert flow.get(report.id, by=LI).version == 1
    assert contents(files) == {PDF, PNG}


def test_an_import_skips_what_is_wrong(flow: ReportFlow) -> None:
    """In a run that skips, a file that is wrong is the error of its own request."""
    one = flow.upload(PDF, name="a.pdf", by=ZHAO)
    drafts = [draft(one), draft(attrs.evolve(one, size=3)), draft()]
    outcomes = list(flow.run([Create(each, by=ZHAO) for each in drafts], on_error="skip"))
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]


def test_who_may_not_act_learns_nothing_of_files(flow: ReportFlow) -> None:
    """An act that is refused anyway is refused before any file is looked for."""
    report = flow.create(draft(), by=ZHAO)
    missing = Attachment(name="a.pdf", media_type="application/pdf", size=1, sha256="0" * 64)
    with pytest.raises(TransitionRefused):
        flow.fire(report.id, "supplement", Supplement(attachments=[missing]), by=CHEN)
    with pytest.raises(RecordNotFound):
        flow.fire(report.id, "supplement", Supplement(attachments=[missing]), by=ELSE)


def test_what_the_record_names_is_not_read_again(flow: ReportFlow, files: DirectoryFiles) -> None:
    """Acts that name no new file go on where a content is lost; so does a request that is repeated under its key."""
    one = flow.upload(PDF, name="a.pdf", by=ZHAO)
    report = flow.create(draft(one), by=ZHAO, key="k")
    files.delete(one.sha256)
    assert flow.create(draft(one), by=ZHAO, key="k") == report
    report = flow.fire(report, "supplement", Supplement(attachments=[one], origin="网"), by=ZHAO)
    assert report.version == 2


def test_a_digest_alone_opens_nothing(flow: ReportFlow) -> None:
    """Who knows a file that another actor brought cannot name it, and so read it; nor can one who forges a receipt."""
    one = flow.upload(PDF, name="a.pdf", by=LI)
    report = flow.create(draft(one), by=LI)
    thief = Actor(id="thief", roles={"contributor", "editor"}, unit="mizhi")
    own = flow.create(draft(), by=thief)
    for call in (
        lambda: flow.create(draft(one), by=thief),
        lambda: flow.fire(own, "supplement", Supplement(attachments=[one]), by=thief),
        lambda: flow.fire(report, "supplement", Supplement(attachments=[attrs.evolve(one, name="b.pdf")]), by=ZHAO),
    ):
        assert wrong(call) == ("attachments.0", "file_missing")
    with pytest.raises(RecordNotFound):
        flow.download(report.id, one, by=thief)
    with pytest.raises(AttachmentNotFound):
        flow.download(own.id, one, by=thief)
    assert flow.upload(PDF, name="a.pdf", by=thief) == one  # who has the bytes may name them
    assert flow.fire(own, "supplement", Supplement(attachments=[one]), by=thief).attachments == (one,)


def test_a_receipt_cannot_be_uploaded() -> None:
    """Where a host takes anything as a type, what looks like a receipt is refused all the same."""
    place, anything = Held(), FileType(media_type="x/y", endings="bin")
    with open_flow("memory:", files=place, file_rules=FileRules(types=[anything])) as flow:
        flow.upload(PDF, name="a.bin", by=LI)
        (receipt,) = (content for content in place.held.values() if content != PDF)
        forged = receipt.replace(b"li", b"thief")
        assert wrong(lambda: flow.upload(forged, name="a.bin", by=LI)) == ("content", "file_content")


def test_what_was_swept_is_brought_again(flow: ReportFlow) -> None:
    """After a sweep only what a record names is left, and an act that names it anew needs it uploaded anew."""
    one = flow.upload(PDF, name="a.pdf", by=ZHAO)
    flow.create(draft(one), by=ZHAO)
    assert flow.sweep_files(grace=0) == []
    assert wrong(lambda: flow.create(draft(one), by=ZHAO)) == ("attachments.0", "file_missing")
    assert flow.upload(PDF, name="a.pdf", by=ZHAO) == one
    assert flow.create(draft(one), by=ZHAO).attachments == (one,)


def _passed_on(before: Matter, entry: Entry) -> Iterable[Step]:
    assert isinstance(entry.details, Note)
    papers = entry.details.papers
    first = next(iter(papers), "")
    return [Step(target=first, trigger="receive", details=entry.details, system=True)] if first else []


def test_a_step_names_what_its_table_says(files: DirectoryFiles) -> None:
    """A step may pass on files that its actor did not bring; that they are held is looked at there, too."""
    rows = [
        *MATTER.transitions,
        Transition("pass_on", source="open", dest=SAME, roles="clerk", details=Note, then=_passed_on),
        Transition("receive", source="open", dest=SAME, roles=NOBODY, details=Note),
    ]
    clerk, other = (Actor(id=id, roles={"clerk"}, unit="u") for id in ("clerk", "other"))
    with ReportFlow(MemoryStore(), attrs.evolve(MATTER, transitions=rows), files=files) as flow:
        one = flow.upload(PDF, name="a.pdf", by=clerk)
        first, second = flow.create(Matter.draft(), by=clerk), flow.create(Matter.draft(), by=clerk)
        papers = Note(papers={second.id: (one,)})
        with pytest.raises(InvalidValue, match="upload"):
            flow.fire(first, "pass_on", papers, by=other)
        flow.fire(first, "pass_on", papers, by=clerk)
        assert flow.download(second.id, one, by=other).read() == PDF


def test_without_files_nothing_is_judged() -> None:
    """A flow without files takes any attachment, and says what is missing where a content is asked for."""
    one = Attachment(name="a/b", media_type="?", size=1, sha256="0" * 64)
    with open_flow("memory:") as flow:
        report = flow.create(draft(one), by=ZHAO)
        for call in (
            lambda: flow.upload(PDF, name="a.pdf", by=ZHAO), lambda: flow.download(report.id, one, by=ZHAO),
            flow.sweep_files,
        ):  # fmt: skip
            assert wrong(call) == ("files", "no_files")


@pytest.mark.parametrize("given", [{"files": 7}, {"files": "files"}, {"files": Held(), "file_rules": 7}])
def test_what_are_no_files_is_refused(given: dict[str, Any]) -> None:
    """What is no place for files, or no rules, is refused when the flow is made."""
    with pytest.raises(InvalidValue):
        ReportFlow(MemoryStore(), REPORT, **given)


# -- who may read it ---------------------------------------------------------------------------------------------------


def test_a_file_is_read_by_those_who_see_what_names_it(flow: ReportFlow) -> None:
    """A hidden record hides its files; one that only a more secret entry names is not there below that clearance."""
    secret = flow.upload(PDF, name="a.pdf", by=LI)
    public = flow.upload(PNG, name="a.pdf".replace("pdf", "png"), by=LI)
    other = attrs.evolve(public, name="c.png")
    report = flow.create(draft(), by=ZHAO)
    flow.fire(report.id, "classify", Classification(secrecy="secret"), by=LI)
    flow.fire(report.id, "supplement", Supplement(attachments=[secret, other]), by=LI)
    with pytest.raises(RecordNotFound):
        flow.download(report.id, secret, by=LOW)
    # the secret file is replaced, and the record opened again: the entry that named it stays secret
    replaced = flow.upload(b"%PDF-2.0 %%EOF", name="a.pdf", by=LI)
    flow.fire(report.id, "supplement", Supplement(attachments=[replaced]), by=LI)
    flow.fire(report.id, "classify", Classification(secrecy="internal"), by=LI)
    assert flow.download(report.id, secret, by=LI).read() == PDF
    assert flow.download(report.id, replaced, by=LOW).read() == b"%PDF-2.0 %%EOF"
    with pytest.raises(AttachmentNotFound) as raised:
        flow.download(report.id, secret.sha256, by=LOW)
    assert raised.value.ids == (report.id,)
    with pytest.raises(RecordNotFound):
        flow.download(report.id, replaced, by=ELSE)


def test_a_file_of_a_host_s_own_class_has_the_audience_of_its_entry(files: DirectoryFiles) -> None:
    """Files are found in any class, at any depth, and read by the audience of the entry that names them."""
    clerk = Actor(id="clerk", roles={"clerk"}, unit="u")
    reader = Actor(id="reader", roles={"reader"}, unit="u")
    with ReportFlow(MemoryStore(), MATTER, files=files) as flow:
        one = flow.upload(PDF, name="a.pdf", by=clerk)
        matter = flow.create(Matter.draft(), by=clerk)
        missing = attrs.evolve(one, sha256="0" * 64)
        with pytest.raises(InvalidValue) as raised:
            flow.fire(matter, "note", Note(papers={"a/b~": (one, missing)}), by=clerk)
        assert [one.pointer for one in raised.value.problems] == ["/papers/a~1b~0/1"]
        flow.fire(matter, "note", Note(papers={"x": (one,)}), by=clerk)
        assert flow.download(matter.id, one, by=clerk).read() == PDF
        with pytest.raises(AttachmentNotFound):
            flow.download(matter.id, one, by=reader)
        assert flow.sweep_files(grace=0) == []


@pytest.mark.parametrize("wanted", ["", "0" * 63, 7, None])
def test_only_an_attachment_or_a_digest_is_read(flow: ReportFlow, wanted: Any) -> None:
    """What is neither an attachment nor a digest is refused; a digest of nothing is not there."""
    report = flow.create(draft(), by=ZHAO)
    with pytest.raises(InvalidValue, match="attachment"):
        flow.download(report.id, wanted, by=LI)
    with pytest.raises(AttachmentNotFound):
        flow.download(report.id, "0" * 64, by=LI)


@pytest.mark.parametrize(
    "written", [b"", PDF[:-1], PDF + b"x", bytes(len(PDF)), None], ids=["empty", "cut", "longer", "other", "lost"]
)
def test_what_was_altered_is_not_shown(flow: ReportFlow, files: DirectoryFiles, written: bytes | None) -> None:
    """A content that was cut, altered or lost is an error before any of it is shown; brought again, it is whole."""
    one = flow.upload(PDF, name="a.pdf", by=ZHAO)
    report = flow.create(draft(one), by=ZHAO)
    path = files.path / one.sha256[:2] / one.sha256[2:4] / one.sha256
    if written is None:
        path.unlink()
    else:
        path.write_bytes(written)
    with pytest.raises(UnreadableFile) as raised:
        flow.download(report.id, one, by=LI)
    error = raised.value
    assert (error.id, error.sha256) == (report.id, one.sha256)
    assert error.problem == ("missing" if written is None else "altered")
    assert flow.upload(PDF, name="a.pdf", by=LI).sha256 == one.sha256
    assert flow.download(report.id, one, by=LI).read() == PDF


# -- lost, erased, swept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [OSError("gone"), KeyError("bucket"), StorageUnavailable("bucket", "gone", "files")])
def test_files_that_are_lost_are_an_error_of_the_store(lost: Exception) -> None:
    """Where the place fails, whatever it raises, each call is `StorageUnavailable`, and nothing is written."""
    place = Held()
    with open_flow("memory:", files=place) as flow:
        one = flow.upload(PDF, name="a.pdf", by=ZHAO)
        report: Report = flow.create(draft(), by=ZHAO)
        calls = _acts(flow, report, one)
        calls += [lambda: flow.upload(PNG, name="b.png", by=ZHAO), lambda: flow.sweep_files(grace=0)]
        place.lost = lost
        for call in calls:
            with pytest.raises(StorageUnavailable) as raised:
                call()
            assert "mounted" in str(raised.value)
        assert flow.count(Query(), by=LI) == {(): 1}
        place.lost = None
        flow.fire(report, "supplement", Supplement(attachments=[one]), by=ZHAO)
        place.lost = lost
        with pytest.raises(StorageUnavailable):
            flow.download(report.id, one, by=LI)
        place.lost = None
        place.open = lambda sha256: _broken()  # type: ignore[method-assign]  # it is lost in the middle of a content
        with pytest.raises(StorageUnavailable):
            flow.download(report.id, one, by=LI)


def test_an_erased_file_is_gone(flow: ReportFlow, files: DirectoryFiles) -> None:
    """Once it is erased nobody reads it, and the next sweep removes its content, unless another record names it."""
    alone, shared, note = (
        flow.upload(content, name=name, by=ZHAO) for content, name in ((PDF, "a.pdf"), (PNG, "b.png"), (b"x", "c.txt"))
    )
    report, other = flow.create(draft(alone, shared), by=ZHAO), flow.create(draft(shared), by=ZHAO)
    report = flow.fire(report, "comment", Comment(text="见附件"), by=LI)
    assert flow.sweep_files() == []  # what was just brought may still be named
    assert flow.sweep_files(grace=0) == [note.sha256]
    erased = flow.fire(report, "erase", Erasure(fields=("attachments",)), by=CHEN, reason="本人要求")
    assert erased.attachments == ()
    for one in (alone, shared):
        with pytest.raises(AttachmentNotFound):
            flow.download(report.id, one, by=CHEN)
    assert flow.sweep_files(grace=0) == [alone.sha256]
    assert contents(files) == {PNG}
    assert flow.download(other.id, shared, by=LI).read() == PNG
    assert flow.verify().flaws == ()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=6))
def test_a_sweep_removes_what_no_entry_names(events: list[tuple[str, bool, bool]]) -> None:
    """Whatever was brought, named and erased: a sweep removes what no entry names, and nothing else, once."""
    place = Held()
    with open_flow("memory:", files=place) as flow:
        named: set[str] = set()
        for text, is_named, is_erased in events:
            one = flow.upload(text.encode(), name="a.txt", by=ZHAO)
            if is_named:
                report = flow.create(draft(one), by=ZHAO)
                if is_erased:
                    flow.fire(report.id, "erase", Erasure(fields=("attachments",)), by=CHEN, reason="?")
                else:
                    named.add(one.sha256)
        held = {digest for digest, content in place.held.items() if not content.startswith(b"\0")}
        assert set(flow.sweep_files(grace=0)) == held - named
        assert set(place.held) == named
        assert flow.sweep_files(grace=0) == []


@pytest.mark.parametrize("grace", [-1, float("nan"), float("inf"), 10**30, "9", None, True])
def test_a_grace_is_a_number_of_seconds(flow: ReportFlow, grace: Any) -> None:
    """What is no number of seconds is refused, and nothing is removed."""
    one = flow.upload(PDF, name="a.pdf", by=ZHAO)
    with pytest.raises(InvalidValue, match="grace"):
        flow.sweep_files(grace=grace)
    flow.create(draft(one), by=ZHAO)


# -- asynchronous, and in a transaction of the host --------------------------------------------------------------------


def test_an_asynchronous_flow_does_it_in_threads(files: DirectoryFiles) -> None:
    """The same calls, awaited; while a file is slow to come, the loop goes on."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            arrived.wait(30)
            return super().read(size)

    async def act() -> None:
        async with open_async_flow("memory:", files=files) as flow:
            slow = asyncio.create_task(flow.upload(Slow(PDF), name="a.pdf", by=ZHAO))
            quick = await flow.upload(PNG, name="b.png", by=ZHAO)
            arrived.set()
            report = await flow.create(draft(await slow, quick), by=ZHAO)
            with await flow.download(report.id, quick, by=LI) as found:
                assert found.read() == PNG
            with pytest.raises(InvalidValue, match="content"):
                await flow.upload(PNG, name="b.pdf", by=ZHAO)
            with pytest.raises(InvalidValue, match="attachments"):
                await flow.create(draft(attrs.evolve(quick, size=1)), by=ZHAO)
            assert await flow.sweep_files(grace=0) == []
            files.delete(quick.sha256)
            with pytest.raises(UnreadableFile):
                await flow.download(report.id, quick, by=LI)

    arrived = threading.Event()
    asyncio.run(act())


def test_a_bound_flow_has_the_same_files(tmp_path: Path, files: DirectoryFiles) -> None:
    """Inside a transaction of the host files are checked and read as outside; one that is rolled back is swept."""
    url = f"sqlite:///{tmp_path}/office.db"
    with open_flow(url, files=files, file_rules=FileRules(limit=1000)) as flow:
        engine = create_engine(url)
        with engine.connect() as connection, connection.begin() as transaction:
            bound = flow.bound_to(connection)
            one = bound.upload(PDF, name="a.pdf", by=ZHAO)
            assert wrong(lambda: bound.upload(bytes(1001), name="a.txt", by=ZHAO))[1] == "file_large"
            report = bound.create(draft(one), by=ZHAO)
            assert bound.download(report.id, one, by=LI).read() == PDF
            transaction.rollback()
        engine.dispose()
        assert flow.sweep_files(grace=0) == [one.sha256]


# -- where a value names files -----------------------------------------------------------------------------------------


def test_places_are_json_pointers() -> None:
    """Each attachment in a value has its place as a JSON pointer, whatever holds it."""
    one = Attachment(name="a", media_type="t", size=0, sha256="0" * 64)
    other = attrs.evolve(one, name="b")
    assert list(attachments_in(draft(one, other))) == [("/attachments/0", one), ("/attachments/1", other)]
    assert list(attachments_in(Note(papers={"~/": (one,)}))) == [("/papers/~0~1/0", one)]
    assert list(attachments_in(one)) == [("", one)]
    assert list(attachments_in([7, "x", None, {"y": 3}])) == []


def test_a_wrong_attachment_is_an_error_of_this_library(flow: ReportFlow) -> None:
    """Whatever a caller makes up, the error is one of this library."""
    for name in ("", "a\0"):
        with pytest.raises(ReportflowError):
            flow.create(draft(Attachment(name=name, media_type="t", size=0, sha256="0" * 64)), by=ZHAO)
