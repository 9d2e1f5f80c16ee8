"""The settings of the project; its databases come from the environment, as JSON."""

from __future__ import annotations

import json
import os
from typing import Any

import pymysql  # type: ignore[import-untyped]  # it has no stubs

pymysql.install_as_MySQLdb()

DATABASES: dict[str, Any] = {
    **json.loads(os.environ["REPORTFLOW_DJANGO_DATABASES"]),
    # where no table of reportflow is made, and what is no engine of the library
    "bare": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "oracle": {"ENGINE": "tests.hosts.django_project.oracle", "NAME": "office"},
}
DATABASE_ROUTERS = ["tests.hosts.django_project.letters.models.Router"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "reportflow.hosts.django",
    "tests.hosts.django_project.letters",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.hosts.django_project.urls"
SECRET_KEY = "of the tests"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REPORTFLOW = {
    "ACTOR": "tests.hosts.django_project.letters.models.actor_of",
    "LIFECYCLES": ["reportflow.office.REPORT"],
    "PREFIX": "office_",
    "PUBLISH": "tests.hosts.django_project.letters.models.publish",
    "ZONE": "Asia/Shanghai",
}
