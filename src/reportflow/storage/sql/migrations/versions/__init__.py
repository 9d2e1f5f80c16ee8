"""One revision for each version of the tables. Alembic reads this folder; nothing else may be in it."""
