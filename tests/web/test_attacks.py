"""What people who mean harm may try: each fact is one that was once otherwise, or that a reader of the code doubts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from starlette.datastructures import QueryParams

from reportflow import Secrecy
from reportflow.office.report import Classification, Revision, Supplement
from reportflow.web.markup import paragraphs
from reportflow.web.portal_store import DRAFTS, VIEWS, Draft, PortalStore
from reportflow.web.querying import values_of
from reportflow.web.urls import as_sent
from tests.web.client import forms_of
from tests.web.desk import BY_ID, CHIEF, LI, QIAN, Office


@pytest.fixture
def office() -> Office:
    """An office without a limit of requests."""
    return Office(rate=None)


# -- one request keeps a worker no longer than its length allows: each of these took minutes --------------------------


def test_a_text_of_many_spaces_is_shown_at_once() -> None:
    """Spaces without the end of a line are looked at once each."""
    assert paragraphs("a" + " " * 500_000 + "b\n \n\u3000c \n") == f"<p>a{' ' * 500_000}b</p><p>c</p>"


def test_a_path_of_many_parts_is_read_at_once() -> None:
    """An escaped path that fits no mount is tried for as many prefixes as a mount may have, not for all its parts."""
    many = 30_000
    assert as_sent("/xA" + "/aA" * many, b"/office%2Fx%41" + b"/a%41" * many) == "/xA" + "/aA" * many


def test_an_address_of_many_parameters_is_read_at_once(office: Office) -> None:
    """Each parameter is looked at once, whatever their number: pages lead to the short address, the API refuses."""
    several = "&".join(f"{number:x}=1" for number in range(8_000))
    with office.browser(LI) as li:
        assert li.get(f"/find?{several}&state=", follow=False).status_code == 303
        for path in ("/api/inbox", "/api/records", "/api/count", "/api/feed"):
            refused = li.get(f"{path}?{several}")
            assert refused.status_code == 422
            assert len(refused.content) < 200_000, path
    params = QueryParams([("id", str(number % 200)) for number in range(200_000)])
    assert len(values_of(params)["id"]) == 200


def test_what_is_wrong_with_a_body_is_no_longer_than_a_reader_can_use(office: Office) -> None:
    """Of thousands of faults the first hundred or so are named: an answer is not a thousand times its request."""
    with office.browser(LI) as li:
        for draft in ({f"x{number}": 1 for number in range(20_000)}, {"title": "a", "authors": [{}] * 20_000}):
            refused = li.request("POST", "/api/records", json={"kind": "report", "draft": draft})
            assert refused.status_code == 422
            assert 100 <= len(refused.json()["errors"]) < 300


# -- what is secret is noted before it is shown, and stays in no browser -----------------------------------------------


def declassified(office: Office) -> Any:
    """A report that was secret while it was written, and is internal now."""
    one = office.report("路灯", "老街的机密情况。第二句。", secrecy="secret")
    one = office.flow.fire(one, "edit", Revision(title=one.title, text="老街的公开情况。第二句。"), by=CHIEF)
    return office.flow.fire(one, "classify", Classification(secrecy=Secrecy.INTERNAL), by=CHIEF)


def readings(office: Office) -> list[tuple[str, str, Secrecy]]:
    """Who read what, as it was noted, once each."""
    return sorted({(one.actor, one.record, one.secrecy) for one in asyncio.run(office.kept.readings())})


@pytest.mark.parametrize(
    "path", ["/r/{}", "/r/{}/history", "/r/{}/print", "/r/{}/changes", "/r/{}/at/1", "/r/{}/do/return", "/receipt/{}/2"]
)
def test_the_secret_past_of_a_report_is_noted_as_it_is_read(office: Office, path: str) -> None:
    """What a page shows of the time when its report was secret is a reading of what is secret."""
    one = declassified(office)
    with office.browser(CHIEF) as chief:
        page = chief.get(path.format(one.id))
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert "etag" not in page.headers
    assert readings(office) == [("chief", one.id, Secrecy.SECRET)]


def test_a_conflict_that_shows_the_secret_past_is_noted(office: Office) -> None:
    """The text that a form showed is compared with that of now: who sees it reads what was secret."""
    one = office.report("路灯", "老街的机密情况。第二句。", secrecy="secret")
    with office.browser(CHIEF) as chief:
        page = chief.get(f"/r/{one.id}/do/edit")
        declassify = Classification(secrecy=Secrecy.INTERNAL)
        one = office.flow.fire(one, "edit", Revision(title=one.title, text="老街的公开情况。第二句。"), by=CHIEF)
        office.flow.fire(one, "classify", declassify, by=CHIEF)
        before = len(asyncio.run(office.kept.readings()))
        shown = chief.submit(page, {"text": "老街的机密情况。第三句。"})
    assert shown.status_code == 409
    assert "机密" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    noted = asyncio.run(office.kept.readings())
    assert [reading.secrecy for reading in noted[: len(noted) - before]] == [Secrecy.SECRET]


def test_the_reasons_that_lists_show_are_noted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first page of an author shows why a report was returned: who reads it is noted, a list of titles not."""
    one = office.report("路灯", "老街的机密情况。", secrecy="secret")
    one = office.flow.fire(one, "return", reason="线人姓名请核对", by=CHIEF)
    with office.browser(CHIEF) as chief:
        chief.get("/")
        assert readings(office) == []
    author = attrs.evolve(QIAN, roles={"contributor"}, clearance=Secrecy.SECRET)
    monkeypatch.setitem(BY_ID, "qian", author)
    with office.browser(QIAN) as qian:
        assert "线人" in qian.get("/").text
    assert readings(office) == [("qian", one.id, Secrecy.SECRET)]


@pytest.mark.parametrize("path", ["/r/{}/file/{}", "/api/records/{}/files/{}"])
def test_a_file_that_only_the_secret_past_names_is_noted(tmp_path: Path, path: str) -> None:
    """A file that was replaced is as secret as the act that brought it was."""
    office = Office(tmp_path, rate=None)
    one = office.report(secrecy="secret")
    for content in (b"all the names", b"no names"):
        file = office.flow.upload(content, name="list.txt", media_type="text/plain", by=CHIEF)
        one = office.flow.fire(one, "supplement", Supplement(attachments=(file,)), by=CHIEF)
        one = office.flow.fire(one, "classify", Classification(secrecy=Secrecy.INTERNAL), by=CHIEF)
    with office.browser(CHIEF) as chief:
        now = chief.get(path.format(one.id, sha256(b"no names").hexdigest()))
        assert (now.content, readings(office)) == (b"no names", [])
        past = chief.get(path.format(one.id, sha256(b"all the names").hexdigest()))
        assert (past.content, past.headers["cache-control"]) == (b"all the names", "no-store")
    assert readings(office) == [("chief", one.id, Secrecy.SECRET)]


# -- what a person keeps in the portal has bounds ----------------------------------------------------------------------


def test_a_draft_that_is_kept_by_a_button_has_the_same_bound(office: Office) -> None:
    """Two million characters, by whichever way it comes; what is too long stays on the page."""
    one = office.report()
    with office.browser(LI) as li:
        page = li.get(f"/r/{one.id}/do/edit")
        refused = li.submit(page, {"text": "x" * 2_000_001}, to="/do/edit", button=("_keep", "1"))
        assert refused.status_code == 413
        assert "x" * 2_000_001 in refused.text
    assert asyncio.run(office.kept.drafts("li")) == []


def test_a_person_has_so_many_drafts_at_the_most(office: Office) -> None:
    """A script that keeps ever more drafts fills nobody's database: the oldest ones go, and only that person's."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    store = PortalStore(clock=lambda: at)

    async def keep() -> tuple[int, int, list[str]]:
        nonlocal at
        await store.save_draft(Draft("wang", "r", "edit", "", "", {}, at))
        for number in range(DRAFTS + 5):
            at += timedelta(seconds=1)
            await store.save_draft(Draft("li", f"r{number}", "edit", "", "", {}, at))
        table = store._tables.draft
        count = sa.select(sa.func.count()).select_from(table)
        rows = await store._run(lambda connection: connection.execute(count).scalar())
        found = await store.drafts("li")
        return int(rows or 0), len(await store.drafts("wang")), [found[0].record, found[-1].record]

    assert asyncio.run(keep()) == (DRAFTS + 1, 1, [f"r{DRAFTS + 4}", "r5"])


def test_a_draft_is_of_a_name_that_a_record_may_have(office: Office) -> None:
    """What no record or act can be called is refused before it reaches the database."""
    one = office.report()
    with office.browser(LI) as li:
        form = forms_of(li.get(f"/r/{one.id}/do/edit").text)[-1]
        for path in ("/draft/~00/edit", f"/draft/{one.id}/e~00", f"/draft/{'x' * 191}/edit"):
            assert li.post(path, form.fields).status_code == 400, path


def test_a_person_has_so_many_saved_views_at_the_most(office: Office) -> None:
    """Behind a hundred, another one is refused; one that is there may be replaced."""
    with office.browser(LI) as li:
        for number in range(VIEWS):
            li._loop.call(office.kept.save_view, "li", f"v{number}", "")
        page = li.get("/find?text=x")
        assert li.submit(page, {"name": "one more"}, to="/views").status_code == 413
        assert li.submit(page, {"name": "v1"}, to="/views").status_code == 200
        assert len(li._loop.call(office.kept.views, "li")) == VIEWS
