"""What happened, as one reader may see it: page by page, and as server-sent events that wait for more.

A position of the feed would tell how much happened that a reader may not see, so it goes out hidden: each time as
another text, which only its reader can bring back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

import anyio
import attrs
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from reportflow.errors import InvalidValue, ReportflowError
from reportflow.serialization.plain import to_plain
from reportflow.storage.base import FeedItem
from reportflow.web.api import answers
from reportflow.web.api.asking import MOST, asked, number, words
from reportflow.web.api.listening import FeedReader, FeedRoom, Listening
from reportflow.web.routes import Route
from reportflow.web.site import LOG, Site
from reportflow.web.visit import Visit

#: What a hidden position looks like.
POSITION: Final = "^[A-Za-z0-9_-]{43}$"
#: After how many milliseconds a reader whose stream has ended comes again.
_RETRY: Final = 3000


@attrs.frozen(kw_only=True)
class Behind:
    """Where to begin: behind an item that was given before; else at the start of the feed."""

    after: str | None = words(POSITION, None)
    limit: int = number(1, MOST, 100)


@attrs.frozen(kw_only=True)
class Since:
    """Where to begin: behind an item that was given before; else with what happens from now on."""

    after: str | None = words(POSITION, None)


def listening(site: Site) -> Listening:
    """What watches the feed for a portal."""
    return Listening(site.flow, site.settings.timeout)


def _purpose(visit: Visit) -> str:
    return f"feed:{visit.actor.id}"


def _position(visit: Visit, given: str | None, name: str) -> int | None:
    """The position that was hidden in a text.

    Raises:
        InvalidValue: it is none, or another person's.
    """
    if given is None:
        return None
    position = visit.signer.revealed(_purpose(visit), given)
    if position is None:
        raise InvalidValue(name, "cursor")
    return position


def _hidden(visit: Visit, position: int) -> str:
    return visit.signer.hidden(_purpose(visit), position)


def _written(visit: Visit, items: Sequence[FeedItem]) -> list[dict[str, Any]]:
    return [{"position": _hidden(visit, item.position), "entry": to_plain(item.entry)} for item in items]


async def feed(visit: Visit) -> Response:
    """A page of what happened, oldest first."""
    given = asked(visit, Behind)
    after = _position(visit, given.after, "after")
    items = await visit.ask(visit.flow.feed, after, limit=given.limit)
    await answers.shows(visit, [item.entry for item in items])
    written = _written(visit, items)
    return answers.plain(visit, {"items": written, "after": written[-1]["position"] if written else given.after})


async def events(visit: Visit) -> Response:
    """The same as a stream of server-sent events, which ends after some minutes: the browser then comes again."""
    given = asked(visit, Since)
    last = visit.request.headers.get("last-event-id")
    name, text = ("after", given.after) if last is None else ("Last-Event-ID", last)
    after = _position(visit, text, name)
    if visit.request.method == "HEAD":
        return visit.complete(Response(media_type="text/event-stream"))
    room = visit.site.once(listening).room()
    if room.is_full:
        raise HTTPException(503, headers={"Retry-After": "30"})
    start = await room.end() if after is None else after
    return visit.complete(Events(visit, room, room.reader(visit.actor, start)))


def _event(position: str, entry: str) -> str:
    return f'id: {position}\ndata: {{"position": "{position}", "entry": {entry}}}\n\n'


class Events(StreamingResponse):
    """A stream of what happens, until it is old, its reader is gone, or takes too long to read."""

    media_type = "text/event-stream"

    def __init__(self, visit: Visit, room: FeedRoom, reader: FeedReader) -> None:
        self._visit, self._room, self._reader = visit, room, reader
        self._lines = self._events()
        super().__init__(self._lines, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a reader who has gone is noticed at once where the server says so, else when sending fails."""
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                await self.listen_for_disconnect(receive)
                tasks.cancel_scope.cancel()

            self._reader.close = tasks.cancel_scope.cancel
            self._room.enter(self._reader)
            tasks.start_soon(watch)
            try:
                await self.stream_response(send)
            except OSError:
                LOG.debug("a reader of the feed has gone")
            finally:
                self._room.leave(self._reader)
                with anyio.CancelScope(shield=True):
                    await self._lines.aclose()
            tasks.cancel_scope.cancel()

    async def _events(self) -> AsyncGenerator[str]:
        visit, reader = self._visit, self._reader
        yield f"retry: {_RETRY}\nid: {_hidden(visit, reader.after)}\n\n"
        try:
            while not reader.is_over:
                await reader.wait()
                if not reader.take_fresh():
                    yield ":\n\n"
                    continue
                async with aclosing(self._room.items(reader)) as pages:
                    async for lines in pages:
                        await answers.shows(visit, [one.item.entry for one in lines])
                        yield "".join(_event(_hidden(visit, item.position), text) for item, text in lines)
        except ReportflowError as error:  # the reader comes again
            LOG.warning("a stream of the feed has ended: %s", type(error).__name__)


ROUTES: Final = (
    Route("GET", "/api/feed", feed),
    Route("GET", "/api/events", events),
)
