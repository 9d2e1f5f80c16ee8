"""The portal under ``/office``: who asks is who has logged in to Django, and it writes on Django's connections."""

from __future__ import annotations

from django.conf import settings

from reportflow.hosts.django import flow, session_actor
from reportflow.web import Portal, portal
from reportflow.web.portal_store import PortalStore


def make_portal() -> Portal:
    """The portal of this project; its own tables are in the same file."""
    return portal(
        flow(),
        authenticate=session_actor,
        portal_store=PortalStore(f"sqlite:///{settings.DATABASES['default']['NAME']}"),
        sign_in="/accounts/login/",
        links={"/": {"en": "Letters", "zh": "来信"}},
        title={"en": "An office", "zh": "信息平台"},
    )
