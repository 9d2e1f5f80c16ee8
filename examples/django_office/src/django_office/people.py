"""Accounts to actors: the groups are the roles, and the clerk has unit and clearance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User

from reportflow import Actor, Person
from reportflow.hosts.django import user_actor


def actor_of(user: Any) -> Actor:
    """The actor for an account; one without a clerk has no unit, and sees what is theirs."""
    clerk = getattr(user, "clerk", None)
    if clerk is None:
        return user_actor(user)
    return user_actor(user, unit=clerk.unit, clearance=clerk.clearance)


def people(ids: Sequence[str]) -> Mapping[str, Person]:
    """Who exists: an act names nobody else, and refusals call people by their names."""
    numbers = [int(id) for id in ids if id.isdecimal()]
    users = User.objects.filter(pk__in=numbers, is_active=True).select_related("clerk")
    actors = ((str(user.pk), actor_of(user)) for user in users)
    return {
        id: Person(actor.name, unit=actor.unit, roles=actor.roles, clearance=actor.clearance) for id, actor in actors
    }
