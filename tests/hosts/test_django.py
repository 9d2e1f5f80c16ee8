"""The application for Django, on each engine: a project's tests, run by Django's own test runner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, make_url

from tests.servers import SERVERS

ROOT = Path(__file__).resolve().parents[2]
ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgresql": "django.db.backends.postgresql",
    "mariadb": "django.db.backends.mysql",
}


def database(url: URL, engine: str, name: str, test: str) -> dict[str, Any]:
    """An entry of Django's setting ``DATABASES``; its tests run in a database named `test`."""
    return {
        "ENGINE": ENGINES[engine],
        "NAME": name,
        "USER": url.username or "",
        "HOST": url.query.get("host") or url.host or "",
        "PORT": str(url.port or ""),
        "TEST": {"NAME": test},
        "OPTIONS": {"init_command": "PRAGMA journal_mode = WAL"} if engine == "sqlite" else {},
    }


@pytest.mark.parametrize("engine", [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in ENGINES])
def test_a_project_of_django(engine: str, tmp_path: Path) -> None:
    """All that the project's tests say holds on this engine; see `django_project/tests.py`."""
    url = make_url("sqlite://" if engine == "sqlite" else SERVERS[engine]().url())
    names = {alias: f"rf_{uuid.uuid4().hex[:12]}" for alias in ("default", "reports")}
    if engine == "sqlite":
        names = {alias: f"{tmp_path}/{name}.db" for alias, name in names.items()}
    own = "postgres" if engine == "postgresql" else ":memory:" if engine == "sqlite" else ""
    databases = {alias: database(url, engine, own, name) for alias, name in names.items()}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.hosts.django_project.settings",
        "REPORTFLOW_DJANGO_DATABASES": json.dumps(databases),
        "REPORTFLOW_DJANGO_URL": url.render_as_string(hide_password=False),
    }
    command = [sys.executable, "-W", "error", "-m", "django", "test", "--noinput", "tests.hosts.django_project"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert "Ran 0 tests" not in done.stderr
