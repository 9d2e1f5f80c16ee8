"""The files of a record, to be saved: no browser shows one as a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from reportflow.flow.attachments import Download
from reportflow.model.attachment import is_digest
from reportflow.model.record import Record
from reportflow.web.pages.reading import note_file
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

_CHUNK: Final = 1 << 18


async def file(visit: Visit) -> Response:
    """The content of a file that a record names, or an entry that the person may read."""
    record: Record = await visit.ask(visit.flow.get, visit.params["id"])
    digest = visit.params["sha256"]
    if not is_digest(digest) or not visit.flow.keeps_files:
        raise HTTPException(404)
    await note_file(visit, record, digest)
    found: Download = await visit.ask(visit.flow.download, record.id, digest)
    headers = found.headers() | {"Content-Security-Policy": "default-src 'none'; sandbox"}
    if visit.request.method == "HEAD":
        found.close()
        return visit.complete(Response(headers=headers))
    return visit.complete(StreamingResponse(_pieces(visit, found.content), headers=headers))


async def _pieces(visit: Visit, content: IO[bytes]) -> AsyncIterator[bytes]:
    """The bytes of an open file, read in the threads of the portal; it is closed in any case."""
    with content:
        while some := await visit.site.call(content.read, _CHUNK):
            yield some


ROUTES: Final = (Route("GET", "/r/{id}/file/{sha256}", file),)
