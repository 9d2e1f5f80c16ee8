"""The versions of the tables as revisions of Alembic, on a branch of their own. Needs the extra ``migrations``."""
