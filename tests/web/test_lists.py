"""My work, all records, saved views: what is in them, for whom, and by which address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportflow import Actor, Interval, MemoryStore, Query, ReportFlow, Secrecy, SqlStore
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Person
from reportflow.model.query import Happened
from reportflow.office import REPORT, Assignment, Author, Report, Revision
from reportflow.web.pages import audit, finding, work
from reportflow.web.portal_store import Draft, PortalStore
from reportflow.web.querying import params_of
from reportflow.web.rendering import environment
from reportflow.web.urls import query_text
from tests.lifecycles import accepting_everything
from tests.web import offices
from tests.web.client import Client, forms_of
from tests.web.offices import (
    AUDITOR,
    BOTH,
    CHIEF,
    CITIZEN,
    EDITOR,
    HEAD,
    MEMBER,
    PEOPLE,
    PERMIT,
    Clock,
    Hint,
    Permit,
    counted,
    numbered,
    portal_for,
)

OPEN: Lifecycle = accepting_everything(REPORT)


def reports(flow: ReportFlow, many: int, *, by: Actor = MEMBER, **fields: Any) -> list[Report]:
    """Some reports."""
    authors = [Author(name=by.name, id=by.id, unit="第一医院")]
    made = []
    for one in range(many):
        given = {"title": f"Report {one}", "text": "Eight lamps are dark.", "authors": authors, **fields}
        made.append(flow.create(Report.draft(**given), by=by))
    return made


@pytest.fixture
def flow() -> Iterator[ReportFlow]:
    """A flow with a clock that stands, and people."""
    with ReportFlow(MemoryStore(), OPEN, clock=Clock(), new_id=numbered(), zone="Asia/Shanghai", people=PEOPLE) as made:
        yield made


# -- my work -----------------------------------------------------------------------------------------------------------


def test_the_inbox_shows_what_waits_due_first(flow: ReportFlow) -> None:
    """What waits stands with what is due first, its author, number and state, and never an id as text."""
    _, second = reports(flow, 2, number="2022-081")
    flow.fire(second, "assign", Assignment(assignee="li", due_at=offices.START), by=EDITOR)
    with Client(portal_for(flow, EDITOR)) as client:
        page = client.get("/")
        assert page.text.index("Report 1") < page.text.index("Report 0")
        assert "No. 2022-081" in page.text
        assert "钱进" in page.text
        assert " d late" in page.text
        assert " d at this stage" in page.text
        shown = re.sub(r"<[^>]*>", "", page.text)
        assert "id-000" not in shown
        assert "Waiting for me 2" in " ".join(shown.split())


def test_returned_is_what_awaits_a_role_of_ones_own(flow: ReportFlow) -> None:
    """What was returned to a person is apart from what awaits the office, and has the reason."""
    mine, other = reports(flow, 1, by=BOTH, title="Mine")[0], reports(flow, 1, title="Another's")[0]
    flow.fire(mine, "return", by=CHIEF, reason="Name the street.")
    flow.fire(other, "return", by=CHIEF, reason="Too long.")
    with Client(portal_for(flow, BOTH)) as client:
        page = client.get("/?tab=returned")
        assert "Name the street." in page.text
        assert "Another&#39;s" not in page.text
        assert "Mine" not in client.get("/").text
    with Client(portal_for(flow, EDITOR)) as client:  # who holds no such role has no such tab
        assert "Returned to me" not in client.get("/?tab=returned").text


def test_done_is_what_the_person_had_a_hand_in(flow: ReportFlow) -> None:
    """Done by me are the records with an act of the person's, and what that was; the last act first."""
    first, second, third = reports(flow, 3)
    flow.fire(third, "edit", Revision(text="Ten."), by=EDITOR)
    flow._clock.pass_by(minutes=1)  # type: ignore[attr-defined]  # the clock of this test
    first = flow.fire(first, "edit", Revision(text="Nine."), by=EDITOR)
    flow.fire(first, "review", by=CHIEF)
    with Client(portal_for(flow, EDITOR)) as client:
        page = client.get("/?tab=done")
        assert first.title in page.text
        assert second.title not in page.text
        assert page.text.index(first.title) < page.text.index(third.title)
        assert re.search(r"<td>edit(ed)?\b", page.text)


def test_drafts_lead_to_their_forms(flow: ReportFlow) -> None:
    """What was typed and not sent is listed with a way back; of what is hidden now, only that it is there."""
    (mine,) = reports(flow, 1)
    (hidden,) = reports(flow, 1, by=CHIEF, secrecy="secret", title="Hidden")
    app = portal_for(flow, EDITOR)
    fields = {"title": [""], "text": ["Lamps " * 20]}
    with Client(app) as client:
        assert "0" in client.get("/?tab=drafts").text
        loop = client._loop  # the store of the portal is asked in the loop of its visitor
        for record, trigger in ((mine.id, "edit"), (hidden.id, "edit"), (":report", "create"), (":gone", "x")):
            draft = Draft(EDITOR.id, record, trigger, "tab1", "", fields, offices.START)
            loop.call(app.site.kept.save_draft, draft)
        page = client.get("/?tab=drafts")
        assert f"/r/{mine.id}/do/edit?draft=tab1" in page.text
        assert "/new/report/create?draft=tab1" in page.text
        assert "Lamps Lamps" in page.text
        assert "no longer open to you" in page.text
        assert "Hidden" not in page.text
        assert hidden.id not in page.text
        assert page.headers["Cache-Control"] == "private, no-cache"
        for tab, typed in (("tab3", {"title": ["A title"], "text": ["Longer than it"]}), ("tab4", {})):
            loop.call(app.site.kept.save_draft, Draft(EDITOR.id, ":report", "create", tab, "", typed, offices.START))
        page = client.get("/?tab=drafts")
        assert ">A title</a>" in page.text
        assert ">(no title yet)</a>" in page.text
        secret = Draft(EDITOR.id, ":report", "create", "tab2", "", {"secrecy": ["secret"]}, offices.START)
        loop.call(app.site.kept.save_draft, secret)
        assert client.get("/").headers["Cache-Control"] == "no-store"


def test_contributors_have_a_first_page_of_their_own(flow: ReportFlow) -> None:
    """Who works only with what is their own sees the button first, what was returned, and what became of the rest."""
    back, kept, _ = reports(flow, 3)
    reports(flow, 1, by=BOTH, title="Another's")
    flow.fire(back, "return", by=CHIEF, reason="Name the street.")
    flow.fire(kept, "keep", by=CHIEF, reason="For the spring.")
    with Client(portal_for(flow, MEMBER), language="zh") as client:
        page = client.get("/")
        places = [page.text.index(one) for one in ("撰写信息", "Name the street.", "Report 2", "For the spring.")]
        assert places == sorted(places)
        assert "Another" not in page.text
        assert page.text.count("Report 0") == 1
    with Client(portal_for(flow, MEMBER)) as client, mock.patch.object(work, "PAGE", 2):
        first = client.get("/")
        address = _next(first.text)
        assert "Report 0" in client.get(address).text
        assert client.get(address.replace("cursor=", "cursor=x")).status_code == 422


def test_a_long_inbox_is_counted_up_to_a_page(flow: ReportFlow) -> None:
    """The tabs count up to a page and say that there is more; the pages go on behind the last record."""
    reports(flow, 5)
    with Client(portal_for(flow, EDITOR)) as client, mock.patch.object(work, "PAGE", 2):
        seen: list[str] = []
        page = client.get("/")
        assert "2+" in page.text
        while True:
            seen += re.findall(r"Report \d", page.text)
            address = _next(page.text)
            if not address:
                break
            page = client.get(address)
        assert seen == [f"Report {one}" for one in range(5)]
        assert client.get(f"{_next(client.get('/').text)}&tab=done").status_code == 422


def _next(html: str) -> str:
    found = re.search(r'rel="next" href="([^"]+)"', html)
    return found[1].replace("&amp;", "&") if found else ""


# -- all records -------------------------------------------------------------------------------------------------------


def test_search_marks_the_place(flow: ReportFlow) -> None:
    """What is looked for is marked in title and text, and what is around it is shown, escaped."""
    reports(flow, 1, text="x" * 100 + " <b>儿科</b>门诊 " + "y" * 100, title="儿科")
    reports(flow, 1, title="Lamps")
    with Client(portal_for(flow, EDITOR)) as client:
        page = client.get("/find", params={"text": "儿科"})
        assert page.text.count("<mark>儿科</mark>") == 2
        assert "&lt;b&gt;<mark>" in page.text
        assert "Lamps" not in page.text
        assert 'lang="zh-Hans"' in page.text
        assert "1 in all" in page.text


def test_a_list_names_authors_as_far_as_they_are_known(flow: ReportFlow) -> None:
    """Many authors are the first three and how many; without authors it is the creator, where the name is known."""
    reports(flow, 1, authors=[Author(name=f"Writer {one}", unit="North") for one in range(5)])
    with Client(portal_for(flow, EDITOR)) as client:
        page = client.get("/find").text
        assert "Writer 2 and others (5 in all)" in page
        assert "Writer 3" not in page
        assert "North" in page
    with ReportFlow(MemoryStore(), PERMIT) as permits, Client(portal_for(permits, CITIZEN)) as client:
        permits.create(Permit.draft(title="Mine"), by=CITIZEN)
        permits.create(Permit.draft(title="Nameless"), by=attrs.evolve(CITIZEN, id="other", name=""))
        assert "<span>Citizen" in client.get("/find").text
        with Client(portal_for(permits, HEAD)) as other:
            assert "other" not in re.sub(r"<[^>]*>", "", other.get("/find").text)
            assert "other" not in re.sub(r"<[^>]*>", "", other.get("/").text)


def test_the_form_leads_to_a_short_address(flow: ReportFlow) -> None:
    """The form's blank fields and its own fields are no part of the address of a list."""
    first, second = reports(flow, 2)
    flow.fire(first, "assign", Assignment(assignee="li"), by=EDITOR)
    with Client(portal_for(flow, EDITOR)) as client:
        (form,) = [one for one in forms_of(client.get("/find").text) if one.action == "/find"]
        for who, expected in (
            ("me", "/find?state=draft&assignee=li"),
            ("nobody", "/find?state=draft&without=assignee"),
            ("=both", "/find?state=draft&assignee=both"),
            ("", "/find?state=draft"),
        ):
            address = "/find?" + query_text(dict(form.filled({"state": "draft", "who": who})))
            raw = client.get(f"{address}&text=", follow=False)
            assert (raw.status_code, raw.headers["Location"]) == (303, expected)
        mine, open_ = client.get("/find?assignee=li").text, client.get("/find?without=assignee").text
        assert (first.title in mine, second.title in mine) == (True, False)
        assert (first.title in open_, second.title in open_) == (False, True)
        (form,) = [one for one in forms_of(client.get("/find?assignee=li&by=qian&state=draft").text)
                   if one.action == "/find"]  # fmt: skip
        assert ("who", "me") in form.fields
        assert ("by", "qian") in form.fields
        assert ("state", "draft") in form.fields
        assert all(name != "assignee" for name, _ in form.fields)


def test_each_filter_can_be_taken_away(flow: ReportFlow) -> None:
    """What is filtered by stands above the list in words, each with the address without it; ids are no words."""
    reports(flow, 1)
    query = Query(
        state={"draft", "kept"},
        secrecy="internal",
        assignee=[None],
        created_by="qian",
        author="nobody-knows",
        parent="id-77",
        created_at=Interval.year(2022, "Asia/Shanghai"),
        happened=Happened(trigger="create", actor="li", level="city"),
    )
    address = "/find?" + query_text(params_of(query, flow.zone))
    with Client(portal_for(flow, EDITOR)) as client:
        page = client.get(address)
        assert page.status_code == 200
        (shown,) = re.findall(r'<ul class="active".*?</ul>', page.text, re.S)
        text = " ".join(re.sub(r"<[^>]*>", " ", shown).split())
        for one in ("Stage: submitted", "Assignee: none", "Submitted by: 钱进", "Author: (name not known)",
                    "Belongs to: one report", "Received until: 2022-12-31", "Done by: me", "Level: city"):  # fmt: skip
            assert one in text
        assert "id-77" not in text
        assert "nobody-knows" not in text
        links = [one.replace("&amp;", "&") for one in re.findall(r'href="(/find\?[^"]+)"', shown)]
        assert len(links) == len(set(links)) == 12
        assert all(client.get(one).status_code == 200 for one in links)


def test_a_person_is_found_by_name(flow: ReportFlow) -> None:
    """Where there are many people an assignee is typed, and chosen of those who are found."""
    many = {f"p{one}": f"Person {one}" for one in range(30)}
    with (
        ReportFlow(MemoryStore(), REPORT, people=many) as crowded,
        Client(portal_for(crowded, EDITOR)) as client,
    ):
        assert 'name="name"' in client.get("/find").text
        page = client.get("/find?name=Person+7&state=draft&who=")
        assert "/find?state=draft&amp;assignee=p7" in page.text
        assert "Nobody found" in client.get("/find?name=Nobody").text
    with ReportFlow(MemoryStore(), REPORT) as alone, Client(portal_for(alone, EDITOR)) as client:
        assert 'name="name"' not in client.get("/find").text
        assert "Nobody found" in client.get("/find?name=Li").text
    with Client(portal_for(flow, MEMBER)) as client:  # people are the office's to search
        assert "Bo Tan" not in client.get("/find").text
        assert "/find?assignee=" not in client.get("/find?name=Bo").text


def test_a_script_gets_the_results_alone(flow: ReportFlow) -> None:
    """A script gets the part of the page that changes, and the short address to show."""
    reports(flow, 1)
    with Client(portal_for(flow, EDITOR)) as client:
        page = client.get("/find?state=draft&text=", headers={"HX-Request": "true"})
        assert "Report 0" in page.text
        assert "<header" not in page.text
        assert page.headers["HX-Push-Url"] == "/find?state=draft"


def test_pages_go_on_behind_the_last_record(flow: ReportFlow) -> None:
    """The pages of a list together have each record once, newest first; a cursor of another list is refused."""
    for _ in range(5):
        reports(flow, 1, title=f"Report {_}")
        flow._clock.pass_by(minutes=1)  # type: ignore[attr-defined]  # the clock of this test
    with Client(portal_for(flow, EDITOR)) as client, mock.patch.object(finding, "PAGE", 2):
        for order, expected in (("", "43210"), ("&order=created_at", "01234")):
            page, seen = client.get(f"/find?state=draft{order}"), ""
            assert "there are more" in page.text
            following = _next(page.text)
            while True:
                seen += "".join(re.findall(r"Report (\d)</a>", page.text))
                address = _next(page.text)
                if not address:
                    break
                page = client.get(address)
            assert seen == expected
            assert "First page" in page.text
            row = re.search(r'href="(/r/[^"]+)"', page.text)
            assert row is not None
            assert "from=%2Ffind%3Fstate%3Ddraft" in row[1]
            assert "cursor%3D" in row[1]
            assert row[1].endswith("%23row-1")
            assert client.get(following.replace("state=draft", "state=kept")).status_code == 422


@pytest.mark.parametrize(
    "address", ["/find?state=nowhere", "/find?created_from=soon", "/find?cursor=x", "/find?kind=x"]
)
def test_a_wrong_address_is_refused(flow: ReportFlow, address: str) -> None:
    """An address that says something that there is not is a page that says so."""
    with Client(portal_for(flow, EDITOR)) as client:
        assert client.get(address).status_code == 422


# -- saved views -------------------------------------------------------------------------------------------------------


def test_a_view_is_saved_used_and_deleted(flow: ReportFlow) -> None:
    """A list is kept under a name, is linked on the list and among the views, and can be deleted; it is one's own."""
    reports(flow, 1)
    app = portal_for(flow, EDITOR)
    with Client(app) as client:
        assert "no saved views" in client.get("/views").text
        page = client.get("/find?state=draft&order=title")
        saved = client.submit(page, {"name": "  My   drafts "}, to="/views")
        assert saved.url.path == "/find"
        assert saved.url.query == b"state=draft&order=title"
        listed = client.get("/views")
        assert '<a href="/find?state=draft&amp;order=title">My drafts</a>' in listed.text
        wrong = client.submit(page, {"name": " "}, to="/views")
        assert wrong.status_code == 422
        assert "at most 60" in wrong.text
        gone = client.submit(client.get("/views"), {"name": "My drafts"}, to="/views/delete")
        wrong = client.submit(page, {"name": "x" * 61}, to="/views")
        assert client.submit(wrong, {"name": "Again"}, to="/views").url.path == "/find"
        assert "My drafts" not in gone.text
        assert "Again" in client.get("/views").text
        token = dict(forms_of(page.text)[-1].fields)["_token"]
        for data in ({}, {"name": "x"}, {"name": "x", "query": "state=draft&" * 1000}):
            assert client.post("/views", {"_token": token, **data}).status_code == 400
        assert client.post("/views", {"_token": token, "name": "x", "query": "limit=x"}).status_code == 422
        assert client.post("/views/delete", {"_token": token}).status_code == 400
        everything = client.post("/views", {"_token": token, "name": "All", "query": ""})
        assert everything.url.query == b""
        assert '<a href="/find">All</a>' in client.get("/views").text
    with Client(portal_for(flow, BOTH)) as client:
        assert "no saved views" in client.get("/views").text


# -- any table ---------------------------------------------------------------------------------------------------------


def test_a_table_of_forty_lines_has_its_lists() -> None:
    """Records without text, authors and number are listed as others are, by the words of their table."""
    with ReportFlow(MemoryStore(), [PERMIT, REPORT], new_id=numbered()) as flow:
        one = flow.create(Permit.draft(title="A stall"), by=CITIZEN)
        flow.create(Permit.draft(), by=CITIZEN)
        flow.fire(one, "send_back", Hint(), by=HEAD, reason="Where?")
        with Client(portal_for(flow, CITIZEN)) as client:
            page = client.get("/")
            assert "Where?" in page.text
            assert "asked for" in page.text
            assert '<a class="button primary" href="/new">' in page.text
        with Client(portal_for(flow, HEAD)) as client:
            assert "permit</a>" in client.get("/").text  # what has no title is called by its kind
            assert "Citizen" in client.get("/").text
            found = client.get("/find?state=sent_back&happened=send_back")
            assert "A stall" in found.text
            assert "What happened: send back" in found.text
            assert 'value="granted"' in found.text
            assert 'value="reviewed"' not in found.text  # no role of theirs reaches the other kind
            assert 'name="unit"' in found.text
            assert "send back" in client.get("/?tab=done").text
        both = Actor(id="x", name="X", roles={"chief", "editor"}, unit="u", clearance=Secrecy.SECRET)
        with Client(portal_for(flow, both)) as client:
            page = client.get("/find?kind=permit&secrecy=internal")
            assert "Kind: permit" in page.text
            assert 'value="secret"' in page.text
            assert 'value="top_secret"' not in page.text


def test_what_people_wrote_is_never_markup() -> None:
    """Titles, texts, authors, reasons, names of people and of views are shown as they were written, on every page."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 1234567*7 }}"
    boss = attrs.evolve(CHIEF, name=evil, post=evil)
    people = {"chief": Person(evil, evil, evil)}
    with ReportFlow(MemoryStore(), REPORT, people=people) as flow:
        (one,) = reports(flow, 1, by=boss, title=evil, text=evil, category=evil, topics=[evil], secrecy="confidential",
                         authors=[Author(name=evil, unit=evil)])  # fmt: skip
        flow.fire(one, "return", by=boss, reason=evil)
        app = portal_for(flow, boss)
        with Client(app) as client:
            loop = client._loop
            loop.call(app.site.kept.note_reading, "x", evil, one.id, one.secrecy)
            loop.call(app.site.kept.save_view, boss.id, evil, query_text({"text": evil}))
            loop.call(
                app.site.kept.save_draft, Draft(boss.id, ":report", "create", "", "", {"x": [evil]}, offices.START)
            )
            asked = query_text(dict.fromkeys(("text", "category", "unit", "author", "by", "party", "code"), evil))
            for address in (
                *ADDRESSES,
                "/audit",
                f"/audit/r/{one.id}",
                f"/find?{asked}",
                "/find?" + query_text({"name": evil}),
            ):
                page = client.get(address).text
                assert "<script>a" not in page
                assert "<img" not in page
                assert "8641969" not in page
        with Client(portal_for(flow, attrs.evolve(boss, roles={"contributor"}))) as client:
            page = client.get("/").text
            assert "&lt;script&gt;" in page
            assert "<img" not in page


# -- how much is asked, and nothing of what is hidden ------------------------------------------------------------------


ADDRESSES = (
    "/", "/?tab=returned", "/?tab=done", "/?tab=drafts", "/find", "/find?text=Report&state=draft&without=assignee",
    "/find?happened=edit&by=li", "/find?secrecy=confidential&order=title", "/views",
)  # fmt: skip


def test_a_page_is_at_most_twelve_statements(tmp_path: Any) -> None:
    """No page asks the database more than twelve times, however many records it shows."""
    store = SqlStore(f"sqlite:///{tmp_path}/office.db")
    with ReportFlow(store, OPEN, people=PEOPLE) as flow:
        for one in reports(flow, 30, by=BOTH):
            flow.fire(one, "edit", Revision(text=f"Nine {one.id}."), by=EDITOR)
        for one in reports(flow, 9, by=attrs.evolve(BOTH, clearance=Secrecy.SECRET), secrecy="confidential"):
            flow.fire(one, "return", by=CHIEF, reason="Where?")
        (mine,) = reports(flow, 1, by=MEMBER)
        most: dict[str, int] = {}
        for actor in (MEMBER, EDITOR, BOTH, CHIEF, AUDITOR):
            app = portal_for(flow, actor)
            with Client(app) as client:
                client.get("/views")  # makes the portal's own tables
                draft = Draft(actor.id, mine.id, "edit", "", "", {}, offices.START)
                client._loop.call(app.site.kept.save_draft, draft)  # asked in the visitor's loop
                for address in (*ADDRESSES, "/audit"):
                    with counted(store.engine) as seen:
                        client.get(address)
                    most[address] = max(most.get(address, 0), len(seen))
        assert 2 < max(most.values()) <= 12, most


@st.composite
def _acts(draw: st.DrawFn) -> dict[str, Any]:
    """What becomes of a report: whose it is, how secret, and what is done to it."""
    return {
        "unit": draw(st.sampled_from(["u", "v"])),
        "secrecy": draw(st.sampled_from(["internal", "confidential", "secret"])),
        "by": draw(st.sampled_from(["qian", "both", "other"])),
        "acts": draw(st.lists(st.sampled_from(["edit", "return", "comment", "read", "draft"]), max_size=3)),
    }


def _build(given: list[dict[str, Any]], only: Any) -> tuple[ReportFlow, PortalStore, list[Any]]:
    clock = Clock()
    flow = ReportFlow(MemoryStore(), OPEN, clock=clock, people=PEOPLE, zone="Asia/Shanghai")
    kept, notes = PortalStore(clock=lambda: offices.START), []
    for number, one in enumerate(given):
        clock.now = offices.START + timedelta(hours=number)
        boss = Actor(id="boss", name="Boss", roles=CHIEF.roles, unit=one["unit"], clearance=Secrecy.TOP_SECRET)
        writer = Actor(id=one["by"], name=one["by"], roles={"contributor"}, unit=one["unit"], clearance=boss.clearance)
        if not only(one):
            continue
        record: Any = flow.create(
            Report.draft(  # type: ignore[call-arg]  # the row of this test accepts an id
                id=f"id-{number}", title=f"Report {number}", text="Eight.", secrecy=one["secrecy"],
                authors=[Author(name=writer.name, id=writer.id)],
            ),
            by=writer,
        )  # fmt: skip
        for act in one["acts"]:
            clock.pass_by(minutes=1)
            if act == "edit" and record.state in ("draft", "edited"):
                record = flow.fire(record, "edit", Revision(text=f"{record.text}."), by=boss)
            elif act == "return" and record.state in ("draft", "edited"):
                record = flow.fire(record, "return", by=boss, reason=f"Reason {number}")
            elif act == "comment":
                record = flow.fire(record, "assign", Assignment(assignee="li"), by=boss)
            elif act == "read":
                notes.append((kept.note_reading, "r", "Reader", record.id, record.secrecy))
    return flow, kept, notes


def _pages(flow: ReportFlow, kept: PortalStore, notes: list[Any], actor: Actor) -> list[str]:
    shown = []
    with flow, Client(portal_for(flow, actor, portal_store=kept)) as client:
        for note, *args in notes:
            client._loop.call(note, *args)  # asked in the visitor's loop
        for address in (*ADDRESSES, "/audit"):
            while address:
                page = client.get(address)
                shown.append(re.sub(r'name="_token" value="[^"]*"', "", page.text) + page.headers["Cache-Control"])
                address = _next(page.text) if page.status_code == 200 else ""
        if actor is AUDITOR:
            token = dict(forms_of(client.get("/audit").text)[-1].fields)["_token"]
            page = client.post("/audit/verify", {"_token": token})
            shown.append(re.sub(r'name="_token" value="[^"]*"', "", page.text))
    return shown


#: Compiled once for all portals of the test.
_TEMPLATES = environment(())


@given(st.lists(_acts(), max_size=8), st.sampled_from([MEMBER, EDITOR, BOTH, AUDITOR]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_hidden_changes_nothing(given_acts: list[dict[str, Any]], actor: Actor) -> None:
    """What a person may not see, by unit or by secrecy, changes no letter of their pages."""

    def seen(one: dict[str, Any]) -> bool:
        reached = (
            one["by"] == actor.id if actor is MEMBER else one["unit"] == "u" or (actor is BOTH and one["by"] == "both")
        )
        return reached and Secrecy(one["secrecy"]) <= actor.clearance

    with (
        mock.patch.object(work, "PAGE", 2),
        mock.patch.object(finding, "PAGE", 2),
        mock.patch.object(audit, "ACTS", 3),
        mock.patch("reportflow.web.site.now", return_value=offices.START),
        mock.patch("reportflow.web.site.environment", return_value=_TEMPLATES),
    ):
        whole = _pages(*_build(given_acts, lambda one: True), actor)
        bare = _pages(*_build(given_acts, seen), actor)
    assert whole == bare


def test_a_topic_is_found_by_its_label_and_a_date_as_people_write_it(flow: ReportFlow) -> None:
    """A filter takes the word that the pages show and 2022年1月1日, and says both as people read them."""
    with Client(portal_for(flow, EDITOR), language="zh") as client:
        page = client.get("/find", params={"topic": "文化旅游", "created_from": "2022年1月1日"})
        assert page.status_code == 200
        assert "领域：文化旅游" in page.text
        assert "2022-01-01" in page.text
        assert "领域：culture" not in page.text
