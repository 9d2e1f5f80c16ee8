"""The table of pages: which handler answers which method and path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.web.urls import read

if TYPE_CHECKING:
    from reportflow.web.visit import Visit

#: Answers one request.
Handler = Callable[["Visit"], Awaitable[Response]]


class Route(NamedTuple):
    """A row of the table.

    Attributes:
        method: ``GET``, which answers ``HEAD`` too, or ``POST``.
        path: Such as ``/r/{id}/do/{trigger}``: a part in braces stands for any name.
        handler: Answers.
        public: Whether it answers also to those who have not signed in: a host's own page for that. It shows nothing
            of the flow, and its `Visit` has no actor.
    """

    method: str
    path: str
    handler: Handler
    public: bool = False


class Router:
    """Finds the handler of a request.

    Args:
        routes: The table. Of two rows that fit, the one counts that has the longer beginning without names.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(
            ((tuple(route.path.strip("/").split("/")), route) for route in routes),
            key=lambda pair: [part.startswith("{") for part in pair[0]],
        )
        self._public = [pattern for pattern, route in self._routes if route.public]

    def is_public(self, path: str) -> bool:
        """Whether a path is of a page that answers to everybody."""
        parts = tuple(path.strip("/").split("/"))
        return any(_names(pattern, parts) is not None for pattern in self._public)

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        """The handler of a request, and the names in its path.

        Raises:
            HTTPException: 404, there is no such page; 405 with the methods that there are.
        """
        wanted = "GET" if method == "HEAD" else method
        parts = tuple(path.strip("/").split("/"))
        methods: list[str] = []
        for pattern, route in self._routes:
            names = _names(pattern, parts)
            if names is not None:
                if route.method == wanted:
                    return route.handler, names
                methods.append(route.method)
        if methods:
            methods += ["HEAD"] if "GET" in methods else []
            allowed: dict[str, None] = dict.fromkeys(methods)
            raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
        raise HTTPException(404)


def _names(pattern: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    """What stands where a pattern has names; None where it does not fit."""
    if len(pattern) != len(parts):
        return None
    names: dict[str, str] = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            names[expected[1:-1]] = read(part)
        elif expected != part:
            return None
    return names
