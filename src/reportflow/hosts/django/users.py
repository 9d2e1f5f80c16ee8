"""Users of Django to actors: who asks, by their account and groups."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest

from reportflow.hosts.django.configuration import configuration
from reportflow.hosts.django.texts import text
from reportflow.model.actor import Actor, Secrecy
from reportflow.model.checks import shown


def actor_of(user: Any) -> Actor:
    """The actor for a user: by the function that the project names in ``REPORTFLOW["ACTOR"]``, else by `user_actor`.

    Raises:
        PermissionDenied: an anonymous user, or one whose account is not active; Django answers with 403.
        ImproperlyConfigured: the setting is wrong, or its function gives no `Actor`.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        raise PermissionDenied
    function = configuration().actor
    actor = user_actor(user) if function is None else function(user)
    if not isinstance(actor, Actor):
        raise ImproperlyConfigured(text("no_actor", given=shown(actor)))
    return actor


def user_actor(
    user: Any,
    *,
    unit: str = "",
    clearance: Secrecy | str = Secrecy.INTERNAL,
    post: str = "",
    on_behalf_of: str | None = None,
) -> Actor:
    """An actor with the id of an account, and with the names of its groups as roles.

    Args:
        user: An account, of Django's or of a project's own model with `groups`.
        unit: The unit they belong to. Django knows none: without it the roles that reach a unit reach nothing.
        clearance: The highest secrecy that they may read.
        post: Their post, as people call it.
        on_behalf_of: The id of whom they act for.
    """
    return Actor(
        id=str(user.pk),
        name=user.get_full_name() or user.get_username(),
        roles=frozenset(user.groups.values_list("name", flat=True)),
        unit=unit,
        clearance=clearance,
        post=post,
        on_behalf_of=on_behalf_of,
    )


def session_actor(request: Any) -> Actor | None:
    """The actor for the account that has logged in to Django in this browser; None where none has.

    It is an `authenticate` for `reportflow.web.portal`, whose requests do not pass Django's middleware. It blocks: the
    portal calls it in a thread.

    Args:
        request: Anything that has ``cookies``.

    Raises:
        ImproperlyConfigured: as `actor_of`.
    """
    session = import_module(settings.SESSION_ENGINE)
    asked = HttpRequest()
    key = request.cookies.get(settings.SESSION_COOKIE_NAME, "")
    asked.session = session.SessionStore(
        key if key.isprintable() else None
    )  # no engine is asked for what cannot be one
    user = get_user(asked)
    return actor_of(user) if user.is_authenticated and user.is_active else None
