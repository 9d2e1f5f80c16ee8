"""The contents of files: brought before an act names them, and read by those who may see what names them."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import unquote

from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import Response, StreamingResponse

from reportflow.errors import AttachmentNotFound, InvalidValue
from reportflow.flow.attachments import Download
from reportflow.model.attachment import is_digest
from reportflow.serialization.plain import to_plain
from reportflow.web import guard
from reportflow.web.api import answers
from reportflow.web.api.asking import check_names
from reportflow.web.api.records import found
from reportflow.web.pages.reading import note_file
from reportflow.web.routes import Route
from reportflow.web.visit import Visit

#: The head that a page of another site cannot send with a form.
SENDER: Final = "X-Requested-With"
#: What a flow says that keeps no files.
_NONE: Final = "no_files"


async def upload(visit: Visit) -> Response:
    """Keep the content of a file: the body itself, under the name of the parameter `name`, or the part ``file``."""
    check_names(visit, ("name",))
    headers = visit.request.headers
    if not (SENDER in headers or "idempotency-key" in headers or guard.is_programs(headers)):
        raise HTTPException(403)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        name, media_type, content = await _part(visit)
    else:
        name, content = _name(visit), await visit.request.body()
    sent_as = "" if media_type == "application/octet-stream" else media_type
    try:
        attachment = await visit.ask(visit.flow.upload, content, name=name, media_type=sent_as)
    except InvalidValue as error:
        raise HTTPException(404) if error.problem == _NONE else error from None
    return answers.plain(visit, to_plain(attachment), 201)


def _name(visit: Visit) -> str:
    names = visit.request.query_params.getlist("name")
    if len(names) != 1:
        raise InvalidValue("name", "twice" if names else "missing_field", {"given": names[-1:], "owner": "Attachment"})
    return names[0]


async def _part(visit: Visit) -> tuple[str, str, Any]:
    """The name, type and content of the one file of a form.

    Raises:
        InvalidValue: there is none, or more than one.
    """
    try:
        form = await visit.request.form(max_files=2, max_fields=10)
    except MultiPartException:
        raise HTTPException(400) from None
    try:
        files = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
        if len(files) != 1:
            raise InvalidValue("file", "twice" if files else "missing_field", {"given": "file", "owner": "Attachment"})
        [file] = files
        name = visit.request.query_params.get("name") or unquote(file.filename or "")
        return name, (file.content_type or "").partition(";")[0].strip().lower(), await file.read()
    finally:
        await form.close()


async def download(visit: Visit) -> Response:
    """The content of a file that a record names."""
    check_names(visit, ())
    record, digest = await found(visit), visit.params["sha256"]
    if not is_digest(digest):
        raise AttachmentNotFound(record.id, digest)
    await note_file(visit, record, digest)
    try:
        file = cast(Download, await visit.ask(visit.flow.download, record.id, digest))
    except InvalidValue as error:
        raise AttachmentNotFound(record.id, digest) if error.problem == _NONE else error from None
    heads = {**file.headers(), "ETag": f'"{digest}"'}
    return visit.complete(StreamingResponse(iterate_in_threadpool(iter(file)), headers=heads))


ROUTES: Final = (
    Route("POST", "/api/files", upload),
    Route("GET", "/api/records/{id}/files/{sha256}", download),
)
