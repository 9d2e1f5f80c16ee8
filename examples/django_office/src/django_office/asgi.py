"""The application for a server: the portal under ``/office``, and Django's for all else."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_office.settings")
django = get_asgi_application()  # before what follows: it sets up the applications

from django_office.portal import make_portal  # noqa: E402  # as above

office = make_portal()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Pass each request on to the portal or to Django."""
    root = scope.get("root_path", "")
    path = scope.get("path", "").removeprefix(root)
    if path == "/office" or path.startswith("/office/"):
        await office({**scope, "root_path": f"{root}/office"}, receive, send)
    else:
        await django(scope, receive, send)
