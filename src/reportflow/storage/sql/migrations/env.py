"""The environment of Alembic in which `upgrade` runs the revisions; a host has one of its own instead.

Alembic executes this file at each command. All it needs is in the attributes that `upgrade` sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alembic import context
from sqlalchemy import Executable

attributes: Mapping[str, Any] = context.config.attributes
context.configure(**attributes["configure"])
with context.begin_transaction():
    statement: Executable
    for statement in attributes.get("first", ()):
        context.execute(statement)
    context.run_migrations()
