"""An office behind an API: reports of reportflow, and letters in a table of its own, with FastAPI."""

from fastapi_office.app import create_app

__all__ = ["create_app"]
