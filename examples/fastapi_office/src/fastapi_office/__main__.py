"""Serve the office: ``python -m fastapi_office``."""

from __future__ import annotations

import os

import uvicorn

from fastapi_office import create_app


def main() -> None:
    """Serve on the database and at the address of the environment."""
    database = os.environ.get("OFFICE_DATABASE", "sqlite+aiosqlite:///office.db")
    host, _, port = os.environ.get("OFFICE_ADDRESS", "127.0.0.1:8000").rpartition(":")
    uvicorn.run(create_app(database), host=host, port=int(port))


if __name__ == "__main__":
    main()
