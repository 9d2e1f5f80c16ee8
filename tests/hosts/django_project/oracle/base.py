"""What Django asks of an engine: nothing, since nothing connects."""

from __future__ import annotations

from django.db.backends.dummy import base


class DatabaseWrapper(base.DatabaseWrapper):
    vendor = "oracle"
