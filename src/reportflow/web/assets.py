"""The files of the pages: stylesheet, scripts, icons. Each is served under the digest of its content, for good."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
)
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@cache
def _assets() -> dict[str, tuple[str, bytes]]:
    """Name -> the beginning of the digest, and the content; read once, since they are few and small."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            found[path.name] = hashlib.sha256(content).hexdigest()[:12], content
    return found


def address(name: str) -> tuple[str, str, str]:
    """The parts of a file's address."""
    return "static", _assets()[name][0], name


def is_asset(path: str) -> bool:
    """Whether a path is that of a file."""
    return path.startswith("/static/")


def serve(path: str) -> Response:
    """A file.

    Raises:
        HTTPException: 404, there is none of that name and content.
    """
    _, _, rest = path.partition("/static/")
    digest, _, name = rest.partition("/")
    found = _assets().get(name)
    if found is None or found[0] != digest:
        raise HTTPException(404)
    headers = {"Cache-Control": _FOR_GOOD, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    return Response(found[1], media_type=_TYPES[Path(name).suffix], headers=headers)
