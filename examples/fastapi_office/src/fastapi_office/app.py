"""The application: its parts, its life, and its OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from fastapi_office.describing import Components
from fastapi_office.http import answer_with_problems
from fastapi_office.letters import letters_router
from fastapi_office.office import open_office
from fastapi_office.people import add_first_people
from fastapi_office.portal import make_portal, sign_in_router
from fastapi_office.records import records_router


class OfficeApplication(FastAPI):
    """An application whose OpenAPI document has the schemas of the records, and of what is done to them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.components_of_records = Components()

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {}).update(self.components_of_records.schemas)
        return document


def create_app(database: str) -> FastAPI:
    """The office on a database URL, as an application of FastAPI."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_office(database) as office:
            await add_first_people(office)
            app.state.office = office
            app.mount("/office", make_portal(office))
            yield

    app = OfficeApplication(title="An office", lifespan=lifespan, redirect_slashes=False)
    answer_with_problems(app)
    app.include_router(records_router(app.components_of_records))
    app.include_router(letters_router(app.components_of_records))
    app.include_router(sign_in_router)
    return app
