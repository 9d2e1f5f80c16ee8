"""A user's program, checked by mypy with the tests."""
