"""The contract on SQL databases, by SQLAlchemy Core. Import each name from the module that owns it."""
