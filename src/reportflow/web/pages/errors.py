"""The pages that say what went wrong, and what to do. They show nothing of what is inside."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import ReportflowError
from reportflow.model.actor import Secrecy
from reportflow.serialization.problem import ProblemDocument
from reportflow.web.urls import with_next
from reportflow.web.visit import Visit


def code_of(visit: Visit, status: int) -> str:
    """Under which status there are texts for a status: its own, else that of any error of its kind."""
    return str(status if visit.t.has(f"error.title_{status}") else 500 if status >= 500 else 400)


def page(visit: Visit, status: int, headers: dict[str, str] | None = None) -> Response:
    """The page of a status."""
    code = code_of(visit, status)
    answer = visit.page(
        "error.html",
        status,
        title=visit.t(f"error.title_{code}"),
        detail=visit.t(f"error.detail_{code}"),
        sign_in=_sign_in(visit) if status == 401 else None,
    )
    answer.headers.update(headers or {})
    return answer


def of_the_flow(visit: Visit, error: ReportflowError, document: ProblemDocument) -> Response:
    """The page of an error of the flow."""
    reasons = [one["message"] for one in document.get("refusals", ())]
    answer = visit.page(
        "error.html", document.status, title=document["title"], detail=document["detail"], reasons=reasons, sign_in=None
    )
    if "Retry-After" in document.headers:
        answer.headers["Retry-After"] = document.headers["Retry-After"]
    return answer


async def expired(visit: Visit) -> Response:
    """A form was sent by nobody: the page keeps what was typed, to be sent again after signing in.

    It is no redirect: the form would be lost, and browsers do not follow one to another site from a form.
    """
    try:
        form = await visit.unchecked_form()
    except HTTPException:
        return page(visit, 401)
    visit.shows(max(Secrecy))  # of which report it is, nobody knows here
    typed = [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
    files = sorted({value.filename or "" for _, value in form.multi_items() if isinstance(value, UploadFile)} - {""})
    return visit.page("expired.html", 401, typed=typed, files=files, sign_in=_sign_in(visit))


def _sign_in(visit: Visit) -> str | None:
    """The host's address for signing in, that leads back to the portal."""
    address = visit.site.settings.sign_in
    return None if address is None else with_next(address, visit.urls.to(""))
