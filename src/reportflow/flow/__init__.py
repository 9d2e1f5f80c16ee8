"""The work: where loading, deciding and keeping meet. Import each name from the module that owns it."""
