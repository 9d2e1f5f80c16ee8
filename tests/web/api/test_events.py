"""The feed by the API: its pages, and its streams of events."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reportflow import Actor, open_flow
from reportflow.errors import StorageUnavailable
from reportflow.flow.sync import ReportFlow
from reportflow.web import Portal, portal
from reportflow.web.api import feed
from reportflow.web.api.listening import FeedReader, FeedRoom, Listening
from reportflow.web.signing import Signer
from tests.web.api.offices import LI, WU, draft, office
from tests.web.client import Client


def made(actor: Actor = LI, *, flow: ReportFlow | None = None, **settings: Any) -> Portal:
    """A portal whose streams look often."""
    app = portal(flow or open_flow("memory:"), authenticate=lambda request: actor, rate=None)
    app.site._made[feed.listening] = Listening(app.site.flow, 5, **{"look": 0.005, **settings})
    return app


class Stream:
    """One reader of a stream: what was sent to them so far."""

    def __init__(
        self, app: Portal, *, query: str = "", headers: dict[str, str] | None = None, stuck: bool = False
    ) -> None:
        self.text = ""
        self.status = 0
        self.heads: dict[str, str] = {}
        self.gone = asyncio.Event()
        self._stuck = stuck
        self._more = asyncio.Event()
        heads = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {
            "type": "http", "method": "GET", "path": "/api/events", "raw_path": b"/api/events", "root_path": "",
            "query_string": query.encode(), "headers": heads, "scheme": "http", "server": ("office.test", 80),
            "client": ("1.1.1.1", 1), "http_version": "1.1",
        }  # fmt: skip
        self.task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: Portal, scope: Any) -> None:
        await app(scope, self._receive, self._send)
        self._more.set()

    async def _receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.heads = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            if self._stuck and self.text:
                await asyncio.Event().wait()
            self.text += message["body"].decode()
        self._more.set()

    async def until(self, test: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        while not test():
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 10)

    def events(self) -> list[dict[str, Any]]:
        """The items that were sent."""
        return [json.loads(line[6:]) for line in self.text.splitlines() if line.startswith("data: ")]

    def titles(self) -> list[str]:
        """The titles of what was created."""
        return [one["entry"]["details"]["title"] for one in self.events()]


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test in a loop of its own."""
    asyncio.run(asyncio.wait_for(test(), 60))


def room_of(app: Portal) -> FeedRoom:
    """The room of the running loop."""
    return app.site.once(feed.listening).room()


def test_the_feed_is_read_page_by_page_by_hidden_positions() -> None:
    """A page of the feed is gone on with behind its last item; a position says nothing, and is its reader's alone."""
    app = office()
    for title in "abc":
        app.site.flow.create(draft(title), by=LI)
    with Client(app) as client:
        first = client.get("/api/feed?limit=2").json()
        assert [one["entry"]["details"]["title"] for one in first["items"]] == ["a", "b"]
        rest = client.get("/api/feed", params={"after": first["after"]}).json()
        assert [one["entry"]["details"]["title"] for one in rest["items"]] == ["c"]
        end = client.get("/api/feed", params={"after": rest["after"]}).json()
        assert end == {"items": [], "after": rest["after"]}
        again = client.get("/api/feed?limit=2").json()
        assert again["after"] != first["after"]
        for wrong in ("x", "A" * 43, first["after"][:-2] + "AA"):
            assert client.get("/api/feed", params={"after": wrong}).status_code == 422
    app.site.authenticate = lambda request: WU  # who asks now
    with Client(app) as client:
        assert client.get("/api/feed", params={"after": first["after"]}).status_code == 422


def test_hidden_numbers_come_back_and_say_nothing() -> None:
    """What was hidden is revealed for the same purpose only, and no two texts of a number are alike."""
    signer = Signer(b"k" * 32)
    for number in (0, 1, 2**63 - 1):
        texts = {signer.hidden("a", number) for _ in range(20)}
        assert len(texts) == 20
        assert {signer.revealed("a", one) for one in texts} == {number}
        assert {signer.revealed("b", one) for one in texts} == {None}
    raw = bytearray(base64.urlsafe_b64decode(signer.hidden("a", 7) + "="))
    for place in range(32):
        altered = raw.copy()
        altered[place] ^= 1
        assert signer.revealed("a", base64.urlsafe_b64encode(altered).decode().rstrip("=")) is None
    assert signer.revealed("a", "é") is None


def test_a_stream_tells_what_happens_to_those_who_may_see_it() -> None:
    """A reader hears what happens from now on and is theirs to see; one who comes again hears what they missed."""

    async def test() -> None:
        app = made()
        flow = app.site.flow
        flow.create(draft("before"), by=LI)
        stream = Stream(app)
        await stream.until(lambda: "id: " in stream.text)
        assert stream.heads["content-type"].startswith("text/event-stream")
        assert stream.heads["x-accel-buffering"] == "no"
        assert stream.heads["cache-control"] == "no-store"
        start = stream.text.partition("id: ")[2].partition("\n")[0]
        flow.create(draft("not theirs"), by=WU)
        flow.create(draft("one"), by=LI)
        await stream.until(lambda: len(stream.events()) == 1)
        stream.gone.set()
        await stream.task
        flow.create(draft("two"), by=LI)
        last = stream.events()[-1]["position"]
        again = Stream(app, headers={"Last-Event-ID": last})
        await again.until(lambda: len(again.events()) == 1)
        whole = Stream(app, query=f"after={start}")
        await whole.until(lambda: len(whole.events()) == 2)
        assert (stream.titles(), again.titles(), whole.titles()) == (["one"], ["two"], ["one", "two"])
        for one in (again, whole):
            one.gone.set()
            await one.task
        wrong = Stream(app, headers={"Last-Event-ID": "x"})
        await wrong.task
        assert wrong.status == 422

    run(test)


def test_many_items_are_sent_in_their_order() -> None:
    """A reader who missed more than a page of items gets all of them, each once."""

    async def test() -> None:
        app = made()
        start = Stream(app)
        await start.until(lambda: "id: " in start.text)
        first = start.text.partition("id: ")[2].partition("\n")[0]
        for number in range(250):
            app.site.flow.create(draft(str(number)), by=LI)
        late = Stream(app, query=f"after={first}")
        for one in (start, late):
            await one.until(lambda one=one: len(one.events()) == 250)  # type: ignore[misc]  # bound now
            assert one.titles() == [str(number) for number in range(250)]
            one.gone.set()
            await one.task

    run(test)


def test_one_look_serves_all_readers() -> None:
    """However many readers there are, the store is looked at by one task, and one person's answer is shared."""

    async def test() -> None:
        app = made(look=0.02)
        flow = app.site.flow
        asked: list[Any] = []
        own = flow.feed

        def counted(*given: Any, **named: Any) -> Any:
            asked.append(named["by"].id)
            return own(*given, **named)

        flow.feed = counted
        streams = [Stream(app) for _ in range(50)]
        for one in streams:
            await one.until(lambda one=one: "id: " in one.text)  # type: ignore[misc]  # bound now
        watchers = [
            one
            for one in asyncio.all_tasks()
            if "_watch" in repr(one.get_coro()) and "FeedRoom" in repr(one.get_coro())
        ]
        assert len(watchers) == 1
        flow.create(draft("news"), by=LI)
        for one in streams:
            await one.until(lambda one=one: len(one.events()) == 1)  # type: ignore[misc]  # bound now
        assert len(asked) <= 3
        for one in streams:
            one.gone.set()
            await one.task
        await asyncio.sleep(0)
        assert watchers[0].cancelled() or watchers[0].cancelling()

    run(test)


def test_a_stream_ends_by_itself_and_is_pinged_before() -> None:
    """A reader without news is pinged, and the stream ends when it is old."""

    async def test() -> None:
        stream = Stream(made(ping=0.02, life=0.2))
        await stream.task
        assert stream.text.startswith("retry: 3000\nid: ")
        assert "\n\n:\n\n" in stream.text
        assert stream.events() == []

    run(test)


def test_who_does_not_read_is_closed_and_too_many_are_refused() -> None:
    """A reader who takes nothing is closed after a while, and gives their place free; above the limit it is 503."""

    async def test() -> None:
        app = made(patience=0.05, ping=0.01, most=1)
        stuck = Stream(app, stuck=True)
        await stuck.until(lambda: "id: " in stuck.text)
        refused = Stream(app)
        await refused.task
        assert refused.status == 503
        assert refused.heads["retry-after"] == "30"
        await asyncio.wait_for(stuck.task, 10)
        assert not room_of(app).is_full

    run(test)


def test_a_reader_whose_connection_breaks_is_gone() -> None:
    """Where sending fails, the stream ends without an error."""

    async def test() -> None:
        app = made()
        stream = Stream(app)

        async def broken(message: Any) -> None:
            raise OSError("gone")

        stream._send = broken  # type: ignore[method-assign]  # as a broken connection
        await stream.task
        assert not room_of(app)._readers

    run(test)


def test_a_store_that_is_gone_for_a_while_ends_or_delays_streams() -> None:
    """While the store cannot be read the watch goes on; a stream that cannot read ends, and its reader comes again."""

    async def test() -> None:
        app = made()
        flow = app.site.flow
        stream = Stream(app)
        await stream.until(lambda: "id: " in stream.text)
        store, failures = flow.store, 3
        own, read = store.feed, flow.feed

        def lame(*given: Any) -> Any:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise StorageUnavailable("sqlite:///x", "gone")
            return own(*given)

        def lost(*given: Any, **named: Any) -> Any:
            raise StorageUnavailable("sqlite:///x", "gone")

        store.feed = lame
        flow.create(draft("one"), by=LI)
        await stream.until(lambda: stream.titles() == ["one"])
        flow.feed = lost
        flow.create(draft("two"), by=LI)
        await stream.task
        flow.feed = read
        again = Stream(app, headers={"Last-Event-ID": stream.events()[-1]["position"]})
        await again.until(lambda: again.titles() == ["two"])
        again.gone.set()
        await again.task
        failures = 1
        other = Stream(app)
        await other.task
        assert other.status == 503

    run(test)


def test_two_portals_share_nothing() -> None:
    """Each portal watches its own store, in each loop by a room of its own."""

    async def test() -> None:
        one, other = made(), made()
        streams = [Stream(one), Stream(other)]
        for stream in streams:
            await stream.until(lambda stream=stream: "id: " in stream.text)  # type: ignore[misc]  # bound now
        assert room_of(one) is not room_of(other)
        one.site.flow.create(draft("mine"), by=LI)
        await streams[0].until(lambda: streams[0].titles() == ["mine"])
        assert streams[1].titles() == []
        for stream in streams:
            stream.gone.set()
            await stream.task
        seen.append(room_of(one))

    seen: list[FeedRoom] = []
    run(test)
    run(test)
    assert seen[0] is not seen[1]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_the_end_of_the_feed_is_found(count: int) -> None:
    """The last position is found however many entries there are, and gone on from."""

    async def test() -> None:
        flow = open_flow("memory:")
        room = Listening(flow, 5).room()
        for number in range(count):
            flow.create(draft(str(number)), by=LI)
        positions = [one.position for one in flow.store.feed(None, 1000)]
        assert await room.end() == (positions[-1] if positions else 0)
        flow.create(draft("more"), by=LI)
        assert await room.end() == flow.store.feed(None, 1000)[-1].position

    run(test)


def test_the_heads_of_a_stream_are_answered_at_once() -> None:
    """HEAD of the stream says its type, and waits for nothing."""
    with Client(office()) as client:
        answer = client.request("HEAD", "/api/events")
        assert answer.headers["Content-Type"].startswith("text/event-stream")


def test_a_reader_that_is_over_needs_no_wake() -> None:
    """Who is over or has news goes on without waiting."""

    async def test() -> None:
        reader = FeedReader(LI, 0, 0.0)
        reader.fresh = True
        await reader.wait()
        assert reader.take_fresh()
        assert not reader.take_fresh()
        assert reader.close() is None

    run(test)


def test_readers_who_see_the_same_share_the_answer_and_others_are_not_woken() -> None:
    """Holders of roles by unit share one read; whom nothing concerns is not asked for; own records are each one's."""

    async def test() -> None:
        flow = open_flow("memory:")
        asked: list[str] = []
        own = flow.feed

        def counted(*given: Any, **named: Any) -> Any:
            asked.append(named["by"].id)
            return own(*given, **named)

        flow.feed = counted  # type: ignore[method-assign]  # counts
        editors = [Actor(id=f"e{number}", roles={"editor"}, unit="u") for number in range(5)]
        others = [Actor(id=f"o{number}", roles={"editor"}, unit="elsewhere") for number in range(5)]
        authors = [Actor(id=f"a{number}", roles={"contributor"}, unit="u") for number in range(3)]
        people = {one.id: one for one in (*editors, *others, *authors)}
        app = portal(flow, authenticate=lambda request: people[request.headers["x-who"]], rate=None)
        app.site._made[feed.listening] = Listening(flow, 5, look=0.02)
        streams = {id: Stream(app, headers={"x-who": id}) for id in people}
        for stream in streams.values():
            await stream.until(lambda stream=stream: "id: " in stream.text)  # type: ignore[misc]  # bound now
        flow.create(draft("mine"), by=authors[0])
        concerned = [*(one.id for one in editors), "a0"]
        for id in concerned:
            await streams[id].until(lambda id=id: streams[id].titles() == ["mine"])  # type: ignore[misc]  # bound now
        assert len([id for id in asked if id.startswith("e")]) == 1
        assert set(asked) - {one.id for one in editors} == {"a0"}
        for id, stream in streams.items():
            assert bool(stream.events()) == (id in concerned)
            stream.gone.set()
            await stream.task

    run(test)
