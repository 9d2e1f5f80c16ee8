"""What the office consists of while it is open: its flow, and its sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

import attrs
from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from fastapi_office.tables import Base, Clerk, make_engine
from reportflow import AsyncReportFlow, AsyncSqlStore, Person
from reportflow.office import REPORT


@attrs.frozen
class Office:
    """The parts of an open office.

    Attributes:
        flow: Its records. Bound to a session, it writes in the transaction of that.
        reading: Makes sessions that read.
        writing: Makes sessions that write: on SQLite these wait for their turn when they begin.
    """

    flow: AsyncReportFlow
    reading: async_sessionmaker[AsyncSession]
    writing: async_sessionmaker[AsyncSession]


@asynccontextmanager
async def open_office(url: str) -> AsyncIterator[Office]:
    """The office on a database, whose tables are made where there are none."""
    engine = make_engine(url)
    reading = async_sessionmaker(engine, expire_on_commit=False)
    writing = async_sessionmaker(engine.execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False)

    async def people(ids: Collection[str]) -> Mapping[str, Person]:
        async with reading() as session:
            found = await session.scalars(select(Clerk).where(Clerk.id.in_(ids)))
            return {one.id: Person(one.name, unit=one.unit, roles=one.roles) for one in found}

    store = AsyncSqlStore(engine, metadata=Base.metadata)
    try:
        async with AsyncReportFlow(store, REPORT, people=people) as flow:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            yield Office(flow, reading, writing)
    finally:
        await engine.dispose()


def office(request: Request) -> Office:
    """The office of the application that answers."""
    found: Office = request.app.state.office
    return found


Here = Annotated[Office, Depends(office)]
