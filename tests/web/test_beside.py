"""From record to record within a list: in its order, over its pages, and to nothing that the list does not show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from unittest import mock

import pytest

from reportflow import Actor, MemoryStore, ReportFlow
from reportflow.model.actor import Secrecy
from reportflow.office import REPORT, Author, Report, Revision
from reportflow.web.pages import finding, work
from tests.web.client import Client
from tests.web.offices import BOTH, CHIEF, EDITOR, MEMBER, PEOPLE, Clock, numbered, portal_for

LABELS = {"en": ("Previous", "Next"), "zh": ("上一件", "下一件")}


@pytest.fixture
def flow() -> Iterator[ReportFlow]:
    """Six reports, one a minute; the third one is secret."""
    clock = Clock()
    with ReportFlow(MemoryStore(), REPORT, clock=clock, new_id=numbered(), people=PEOPLE) as made:
        for number in range(6):
            secrecy = Secrecy.SECRET if number == 2 else Secrecy.INTERNAL
            draft = Report.draft(
                title=f"T{number}", text="甲。", authors=[Author(name="钱进", id="qian")], secrecy=secrecy
            )
            made.create(draft, by=CHIEF if number == 2 else MEMBER)
            clock.pass_by(minutes=1)
        yield made


def links(page: str, language: str = "en") -> dict[str, str]:
    """Where the page of a record leads in its list, by the words of its links."""
    found = re.findall(r'<a rel="(?:prev|next)" href="([^"]+)">([^<]+)</a>', page)
    return {text: unescape(address) for address, text in found if text in LABELS[language]}


def shown(client: Client, address: str) -> list[str]:
    """The titles of a list, over all its pages."""
    found: list[str] = []
    following: str | None = address
    while following:
        page = re.sub("</?mark>", "", client.get(following).text)
        found += re.findall(r">(T\d)</a>", page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        following = unescape(onward[1]) if onward else None
    return found


@pytest.mark.parametrize(
    ("address", "actor", "number"),
    [
        ("/find", EDITOR, 5),
        ("/find", CHIEF, 6),
        ("/find?order=title", EDITOR, 5),
        ("/find?state=draft&order=created_at", EDITOR, 5),
        ("/find?text=T", EDITOR, 5),
        ("/", EDITOR, 5),
        ("/?tab=done", CHIEF, 1),
        ("/", MEMBER, 5),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_record_of_a_list_is_reached_in_its_order(
    flow: ReportFlow, address: str, actor: Actor, number: int, language: str
) -> None:
    """From the first record on, "next" shows each record of the list once, in its order and over its pages."""
    before, after = LABELS[language]
    with (
        Client(portal_for(flow, actor), language=language) as client,
        mock.patch.object(finding, "PAGE", 2),
        mock.patch.object(work, "PAGE", 2),
    ):
        wanted = shown(client, address)
        assert len(wanted) == number
        first = re.search(r'href="(/r/[^"]+)"', client.get(address).text)
        assert first is not None
        page = client.get(unescape(first[1]))
        assert before not in links(page.text, language)
        seen = [re.findall(r"<h1[^>]*>(T\d)</h1>", page.text)[0]]
        while True:
            page = client.get(links(page.text, language)[after])
            if not page.url.path.startswith("/r/"):
                break
            seen += re.findall(r"<h1[^>]*>(T\d)</h1>", page.text)
            if before in links(page.text, language):
                back = client.get(links(page.text, language)[before])
                assert re.findall(r"<h1[^>]*>(T\d)</h1>", back.text) == [seen[-2]]
        assert seen == wanted
        assert page.url.path == address.partition("?")[0], "after the last one, the list"


def test_what_has_left_the_list_leads_to_what_follows_in_it(flow: ReportFlow) -> None:
    """A record that an act took out of the list leads to that which stands in its row now, and to the one before."""
    with Client(portal_for(flow, EDITOR)) as client:
        rows = re.findall(r'href="(/r/[^"]+)"', client.get("/find?state=draft").text)
        second = client.get(unescape(rows[1]))
        flow.fire(second.url.path.removeprefix("/r/"), "edit", Revision(text="乙。"), by=EDITOR)
        again = client.get(unescape(rows[1]))
        for way, title in (("Next", "T3"), ("Previous", "T5")):
            assert f">{title}</h1>" in client.get(links(again.text)[way]).text


def test_only_a_list_of_the_portal_leads_on(flow: ReportFlow) -> None:
    """Another page, another host and a wrong list lead nowhere else: no link, 404, or the list with its error."""
    with Client(portal_for(flow, BOTH)) as client:
        [id] = re.findall(r"/r/([^?\"]+)\?", client.get("/find?text=T1").text)
        for back in ("/year", "//evil.test/find", "https://evil.test/find", "/findings", ""):
            assert links(client.get(f"/r/{id}", params={"from": back}).text) == {}
            assert client.get(f"/r/{id}/beside/next", params={"from": back}).status_code == 404
        assert client.get(f"/r/{id}/beside/sideways", params={"from": "/find"}).status_code == 404
        for back in ("/find?state=nowhere", "/find?cursor=x", "/?cursor=x"):
            answer = client.get(f"/r/{id}/beside/next", params={"from": back}, follow=False)
            assert (answer.status_code, answer.headers["location"]) == (303, back)
        hidden = client.get("/r/nothing/beside/next", params={"from": "/find#row-9999"}, follow=False)
        assert (hidden.status_code, hidden.headers["location"]) == (303, "/find#row-9999")
