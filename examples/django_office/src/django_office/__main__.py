"""``python -m django_office`` serves the office; with the name of a command it is ``manage.py``."""

from __future__ import annotations

import os
import sys

import uvicorn
from django.core.management import execute_from_command_line


def main(arguments: list[str]) -> None:
    """Run a command; without one make the tables and the people, and serve."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_office.settings")
    for command in [arguments] if arguments else [["migrate"], ["make_people"]]:
        execute_from_command_line(["django_office", *command])
    if not arguments:
        host, _, port = os.environ.get("OFFICE_ADDRESS", "127.0.0.1:8000").rpartition(":")
        uvicorn.run("django_office.asgi:application", host=host, port=int(port), lifespan="off")


if __name__ == "__main__":
    main(sys.argv[1:])
