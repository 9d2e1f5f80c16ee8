"""The environment of Alembic in which `upgrade` runs the revisions; a host has one of its own instead.

Alembic executes this file at each command. It is told all it needs by `upgrade`.
"""

from __future__ import annotations

from alembic import context

told = context.config.attributes
context.configure(**told["configure"])
with context.begin_transaction():
    for statement in told.get("first", ()):
        context.execute(statement)
    context.run_migrations()
