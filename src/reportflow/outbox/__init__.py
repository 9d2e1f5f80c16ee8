"""Entries published to the world: a transactional outbox and its relay."""
