"""Who asks: a bearer token to an actor, and the people that a new office begins with."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select

from fastapi_office.office import Here, Office
from fastapi_office.tables import Clerk
from reportflow import Actor

#: Id, name, unit and roles of those who are there at first; the token of each is the id.
FIRST = (
    ("wang", "Wang", "yulin", ["contributor"]),
    ("li", "Li", "yulin", ["editor"]),
    ("zhao", "Zhao", "yulin", ["reviewer", "registrar"]),
    ("gao", "Gao", "yanan", ["editor"]),
)

_bearer = HTTPBearer(auto_error=False)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


async def find_actor(office: Office, token: str) -> Actor | None:
    """The actor of a token; None where nobody has it."""
    async with office.reading() as session:
        clerk = await session.scalar(select(Clerk).where(Clerk.token == _digest(token)))
    return None if clerk is None else Actor(id=clerk.id, name=clerk.name, unit=clerk.unit, roles=clerk.roles)


async def actor(office: Here, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Actor:
    """The actor whose token was sent; without one there is no answer but 401."""
    found = None if given is None else await find_actor(office, given.credentials)
    if found is not None:
        return found
    raise HTTPException(401, "Send a token that is known here.", {"WWW-Authenticate": "Bearer"})


Who = Annotated[Actor, Depends(actor)]


async def add_first_people(office: Office) -> None:
    """Let a new office have people."""
    async with office.writing.begin() as session:
        if await session.scalar(select(Clerk.id).limit(1)) is None:
            session.add_all(
                Clerk(id=id, name=name, unit=unit, roles=roles, token=_digest(id)) for id, name, unit, roles in FIRST
            )
