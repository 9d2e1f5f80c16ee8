"""What is the same for all requests: languages, bodies, heads of requests and answers, problem documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException as StarletteHTTPException

from reportflow import STANDARD, Record, ReportflowError, problem, to_plain
from reportflow.serialization.problem import PROBLEM_JSON


def language_of(request: Request) -> str:
    """The language that the reader likes best of those that there are texts in; English where there is none."""
    weights: dict[str, str] = {}
    for part in request.headers.get("Accept-Language", "").replace(" ", "").lower().split(","):
        name, _, weight = part.partition(";q=")
        weights.setdefault(name.partition("-")[0], weight or "1")
    known = [name for name in weights if name in STANDARD.languages()]
    return max(known, key=weights.__getitem__, default="en")  # weights sort as the texts that they are


async def json_of(request: Request) -> Any:
    """The body of a request; an empty one is an empty object."""
    try:
        return json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is no JSON.") from None


def head_of(if_match: Annotated[str | None, Header()] = None) -> str | None:
    """The head that the caller saw, as ``If-Match: "<head>"`` says it; any other tag is that of no record."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    return tag[1:-1] if len(tag) > 2 and tag[0] == tag[-1] == '"' else tag or '""'


Language = Annotated[str, Depends(language_of)]
Body = Annotated[Any, Depends(json_of)]
Head = Annotated[str | None, Depends(head_of)]
#: The header ``Idempotency-Key``: what is sent again under the same key is done once.
Key = Annotated[str | None, Header(alias="Idempotency-Key")]


def record_answer(record: Record, status: int = 200, **headers: str) -> JSONResponse:
    """A record, and its head as the tag of what was read."""
    return JSONResponse(to_plain(record), status, {"ETag": f'"{record.head}"', **headers})


def plain_answer(value: Any, **headers: str) -> JSONResponse:
    """Anything else."""
    return JSONResponse(to_plain(value), headers=headers)


def _document(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(document, status, {"Content-Type": PROBLEM_JSON, **(headers or {})})


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of the application be answered with a problem document."""

    @app.exception_handler(ReportflowError)
    async def of_the_flow(request: Request, error: ReportflowError) -> JSONResponse:
        document = problem(error, language_of(request))
        return JSONResponse(document, document.status, document.headers)

    @app.exception_handler(StarletteHTTPException)
    async def of_the_application(_: Request, error: StarletteHTTPException) -> JSONResponse:
        return _document(error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def of_fastapi(_: Request, error: RequestValidationError) -> JSONResponse:
        named = [{"pointer": "#/" + "/".join(map(str, one["loc"][1:])), **one} for one in error.errors()]
        errors = [{"pointer": one["pointer"], "code": one["type"], "message": one["msg"]} for one in named]
        return _document(422, "The request is not as the API describes it.", errors=errors)

    @app.exception_handler(IntegrityError)
    async def of_the_tables(_: Request, error: IntegrityError) -> JSONResponse:
        return _document(409, "It is there already.")

    @app.exception_handler(Exception)
    async def of_all_else(_: Request, error: Exception) -> JSONResponse:
        return _document(500, "The office has made a mistake, which is in its log.")
