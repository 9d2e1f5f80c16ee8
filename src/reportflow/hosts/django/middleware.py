"""Errors of a flow as answers: a middleware, for the views of a project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from reportflow.errors import ReportflowError
from reportflow.hosts.django.texts import language
from reportflow.serialization.problem import problem

_HTML = "text/html"
_JSON = "application/problem+json"


class ProblemMiddleware:
    """Answers what a flow refuses with the status of its problem document: to a browser as a page, else as JSON.

    A view need not catch anything: where it raises, Django has rolled back its `atomic` block. The page is the template
    ``reportflow/problem.html``, which a project may have one of its own of. An error that is a fault of the server is
    left to Django, which logs it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """See Django's middleware."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """See Django's middleware."""
        if not isinstance(exception, ReportflowError):
            return None
        document = problem(exception, language())
        if document.status == 500:
            return None
        headers: dict[str, Any] = dict(document.headers)
        if request.get_preferred_type([_HTML, _JSON, "application/json"]) == _HTML:
            headers.pop("Content-Type", None)
            answer = render(request, "reportflow/problem.html", {"problem": document}, status=document.status)
        else:
            answer = JsonResponse(dict(document), status=document.status)
        for name, value in headers.items():
            answer[name] = value
        return answer
