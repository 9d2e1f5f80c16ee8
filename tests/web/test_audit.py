"""The inspection: for whom it is, who read what is secret, and what a verification says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import attrs
import pytest
import sqlalchemy as sa

from reportflow import (
    Actor,
    AsyncReportFlow,
    AsyncSqlStore,
    MemoryStore,
    RecordNotFound,
    ReportFlow,
    Secrecy,
    SqlStore,
    StorageUnavailable,
)
from reportflow.flow.verification import Verification
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.chain import Flaw
from reportflow.office import REPORT, Author, Classification, Report, Revision
from reportflow.web import Portal, portal
from reportflow.web.pages import audit
from tests.web.client import Client, forms_of
from tests.web.offices import AUDITOR, CHIEF, CITIZEN, EDITOR, HEAD, PERMIT, WATCHER, Permit, numbered, portal_for


def report(flow: ReportFlow, title: str = "Dark lamps", *, by: Actor = CHIEF, secrecy: str = "internal") -> Report:
    """A report."""
    draft = Report.draft(title=title, text="Eight.", authors=[Author(name="Qian")], secrecy=secrecy)
    return flow.create(draft, by=by)


def read(app: Portal, client: Client, *records: Report) -> None:
    """Note that somebody read some records."""
    for one in records:
        client._loop.call(app.site.kept.note_reading, "wu", "吴芳", one.id, one.secrecy)


@pytest.fixture
def flow() -> Iterator[ReportFlow]:
    """A flow in memory."""
    with ReportFlow(MemoryStore(), [REPORT, PERMIT], new_id=numbered()) as made:
        yield made


def test_there_is_no_inspection_for_others(flow: ReportFlow) -> None:
    """Who audits nothing gets the answer of a page that there is not, and no entry in the head leads there."""
    one = report(flow)
    with Client(portal_for(flow, EDITOR)) as client:
        answers = [client.get(address) for address in ("/audit", f"/audit/r/{one.id}", "/audit/r/none", "/nowhere")]
        assert {page.status_code for page in answers} == {404}
        assert len({page.text.partition("<main")[2] for page in answers}) == 1
        assert 'href="/audit"' not in client.get("/").text
        token = dict(forms_of(client.get("/").text)[0].fields)["_token"]
        assert client.post("/audit/verify", {"_token": token}).status_code == 404
    with Client(portal_for(flow, AUDITOR)) as client:
        assert 'href="/audit"' in client.get("/").text


def test_the_last_acts_stand_first(flow: ReportFlow) -> None:
    """The inspection shows the last acts of all records that the auditor sees, and who did them."""
    with Client(portal_for(flow, AUDITOR)) as client:
        assert "Nothing was done yet." in client.get("/audit").text
        first, second = report(flow, "First"), report(flow, "Second")
        flow.fire(first, "edit", Revision(text="Nine."), by=EDITOR)
        report(flow, "Hidden", by=attrs.evolve(CHIEF, unit="elsewhere"))
        page = client.get("/audit").text
        assert "Nothing was done yet." not in page
        assert page.index("李娜") < page.index(second.title)
        assert page.count(">First</a>") == 2
        assert "Hidden" not in page
        with mock.patch.object(audit, "ACTS", 1):
            assert "Second" not in client.get("/audit").text


def test_readings_are_shown_of_what_the_person_audits(flow: ReportFlow) -> None:
    """Who read a secret record is shown to those who audit it, and to nobody else."""
    mine = report(flow, "Mine", secrecy="confidential")
    higher = report(flow, "Higher", secrecy="secret")
    elsewhere = report(flow, "Elsewhere", secrecy="confidential", by=attrs.evolve(CHIEF, unit="v"))
    app = portal_for(flow, AUDITOR)
    with Client(app) as client:
        assert "Nobody has read a secret report" in client.get("/audit").text
        read(app, client, mine, higher, elsewhere)
        page = client.get("/audit")
        assert page.text.count("吴芳") == 1
        assert f"/audit/r/{mine.id}" in page.text
        assert "Higher" not in page.text
        assert "Elsewhere" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
        own = client.get(f"/audit/r/{mine.id}")
        assert "吴芳" in own.text
        assert own.headers["Cache-Control"] == "no-store"
        unread = report(flow, "Unread")
        assert "Nobody has read this" in client.get(f"/audit/r/{unread.id}").text
    # who sees a record, and audits only another kind, sees none of its readings
    both = Actor(id="x", roles={"editor", "watcher"}, unit="u", clearance=Secrecy.CONFIDENTIAL)
    with Client(portal_for(flow, both, portal_store=app.site.kept)) as client:
        assert "吴芳" not in client.get("/audit").text
        answers = [client.get(f"/audit/r/{id}") for id in (mine.id, higher.id, "none")]
        assert [one.status_code for one in answers] == [404, 404, 404]
        texts = {one.text.replace(id, "") for one, id in zip(answers, (mine.id, higher.id, "none"), strict=True)}
        assert len({text.partition("<main")[2] for text in texts}) == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_reasons_that_an_auditor_reads_are_noted(flow: ReportFlow, language: str) -> None:
    """The reasons of what is, or was, secret are read on the inspection too, which is noted first."""
    plain, secret = report(flow, "Plain"), report(flow, "Secret", secrecy="confidential")
    was, silent = report(flow, "Was", secrecy="confidential"), report(flow, "Silent", secrecy="confidential")
    for one in (plain, secret, was):
        flow.fire(one.id, "return", by=CHIEF, reason="Name the street.")
    flow.fire(was.id, "classify", Classification(secrecy=Secrecy.INTERNAL), by=CHIEF)
    flow.fire(silent.id, "edit", Revision(text="Nine."), by=CHIEF)
    app = portal_for(flow, AUDITOR)
    with Client(app, language=language) as client:
        page = client.get("/audit")
        assert page.text.count("Name the street.") == 3
        assert AUDITOR.name in page.text.partition('id="readings"')[2]
        noted = client._loop.call(app.site.kept.readings)
        assert {(one.actor, one.record, one.secrecy) for one in noted} == {
            (AUDITOR.id, secret.id, Secrecy.CONFIDENTIAL),
            (AUDITOR.id, was.id, Secrecy.CONFIDENTIAL),
        }
        client.submit(page, to="/audit/verify")
        assert len(client._loop.call(app.site.kept.readings)) == 4
        with mock.patch.object(app.site.kept, "note_readings", side_effect=StorageUnavailable("x", "y")):
            failed = client.get("/audit")
        assert failed.status_code == 503
        assert "Name the street." not in failed.text


def test_a_verification_says_that_all_is_whole(flow: ReportFlow) -> None:
    """Where nothing is wrong, the page says so, in each language."""
    report(flow)
    for language, text in (("en", "Verified: whole, and not altered."), ("zh", "核验：完整，未被改动。")):
        with Client(portal_for(flow, AUDITOR), language=language) as client:
            page = client.submit(client.get("/audit"), to="/audit/verify")
            assert text in page.text
            assert client.get("/audit/verify").status_code == 405
            assert client.post("/audit/verify").status_code == 403


def test_a_long_verification_goes_on_in_steps(flow: ReportFlow) -> None:
    """A verification stops after so many records, and goes on behind them; what was forged begins anew."""
    for number in range(5):
        report(flow, f"Report {number}")

    with (
        Client(portal_for(flow, AUDITOR)) as client,
        mock.patch.object(audit, "STEP", 2),
        mock.patch("reportflow.flow.verification._ENTRIES", 2),
    ):
        page = client.submit(client.get("/audit"), to="/audit/verify")
        assert "it is not finished" in page.text
        steps = 1
        while "Go on verifying" in page.text:
            page = client.submit(page, to="/audit/verify")
            steps += 1
        assert steps > 1
        assert "5 report(s) with 5 act(s)" in page.text
        # the time is over after the first look at the clock
        with (
            mock.patch.object(audit, "STEP", 99),
            mock.patch.object(audit, "monotonic", side_effect=[0, 99, 99, 99, 99]),
        ):
            page = client.submit(client.get("/audit"), to="/audit/verify")
            assert "it is not finished" in page.text
        forged = client.submit(client.get("/audit"), {"after": "x.y"}, to="/audit/verify")
        assert "2 report(s)" in forged.text


def test_what_is_wrong_is_named_with_its_record(tmp_path: Path) -> None:
    """Each thing that is wrong stands in plain words with the title of its record; a record that cannot be read too."""
    store = SqlStore(f"sqlite:///{tmp_path}/office.db")
    with ReportFlow(store, REPORT) as flow:
        altered, broken = report(flow, "Altered"), report(flow, "Broken")
        elsewhere = report(flow, "Elsewhere", by=attrs.evolve(CHIEF, unit="v"))
        record = store.tables.record
        with store.engine.begin() as connection:
            for one, values in (
                (altered, {"title": "Other"}),
                (elsewhere, {"title": "Other"}),
                (broken, {"data": "{"}),
            ):
                connection.execute(sa.update(record).where(record.c.id == one.id).values(values))
        for language, texts in (
            ("en", ("2 thing(s) are wrong", "not what its history says: title", "cannot be shown")),
            ("zh", ("发现2处问题", "此件所示与办理过程不一致：标题", "无法显示")),
        ):
            with Client(portal_for(flow, AUDITOR), language=language) as client:
                page = client.submit(client.get("/audit"), to="/audit/verify")
                for text in texts:
                    assert text in page.text
                assert broken.id in page.text
                assert elsewhere.id not in page.text
                assert ">Other</a>" in page.text


def test_a_flaw_without_a_text_of_the_portal_has_the_librarys(flow: ReportFlow) -> None:
    """A kind of flaw that the portal has no words for is shown in those of the library."""
    one = report(flow)
    found = Verification(records=1, entries=1, finished=True, unknown={("old", 1): 1},
                         flaws=(Flaw(code="removed", record_id=one.id, sequence=3, fields=("weight",)),
                                Flaw(code="record_differs", record_id=one.id, fields=("weight",))))  # fmt: skip
    with Client(portal_for(flow, AUDITOR)) as client, mock.patch.object(flow, "verify", return_value=found):
        page = client.submit(client.get("/audit"), to="/audit/verify")
        assert STANDARD.text("flaw.removed").partition(".")[0].replace("'", "&#39;") in page.text
        assert "act no. 3" in page.text
        assert "weight" in page.text
        assert "not set up here" in page.text


def test_an_own_table_is_inspected(flow: ReportFlow) -> None:
    """The auditing role of any table has the page."""
    flow.create(Permit.draft(title="A stall"), by=CITIZEN)
    with Client(portal_for(flow, WATCHER)) as client:
        page = client.get("/audit")
        assert "A stall" in page.text
        assert "ask" in page.text
        assert "whole, and not altered" in client.submit(page, to="/audit/verify").text
    with Client(portal_for(flow, HEAD)) as client:
        assert client.get("/audit").status_code == 404


def test_an_asynchronous_flow_is_inspected(tmp_path: Path) -> None:
    """All of it works on an asynchronous flow."""
    url = f"sqlite:///{tmp_path}/office.db"
    with ReportFlow(SqlStore(url), REPORT) as blocking:
        one = report(blocking, "Dark lamps")
        blocking.fire(one, "return", by=CHIEF, reason="Where?")
    flow = AsyncReportFlow(AsyncSqlStore(url.replace("sqlite:", "sqlite+aiosqlite:")), REPORT)
    with Client(portal(flow, authenticate=lambda request: CHIEF)) as client:
        assert "Where?" in client.get("/?tab=returned").text
        page = client.get("/audit")
        assert "Dark lamps" in page.text
        assert "whole, and not altered" in client.submit(page, to="/audit/verify").text
        client._loop.call(flow.close)


def test_a_verification_of_a_hidden_record_is_none(flow: ReportFlow) -> None:
    """What an auditor does not see is not there for them."""
    one = report(flow, by=attrs.evolve(CHIEF, unit="v"))
    with pytest.raises(RecordNotFound):
        flow.get(one.id, by=AUDITOR)
    with Client(portal_for(flow, AUDITOR)) as client:
        assert "0 report(s) with 0 act(s)" in client.submit(client.get("/audit"), to="/audit/verify").text
