"""The environment of Alembic in which `upgrade` runs the revisions; a host has one of its own instead.

Alembic executes this file at each command.
"""

from __future__ import annotations

from alembic import context

from reportflow.storage.sql.migrations.place import run_revisions

run_revisions(context)
