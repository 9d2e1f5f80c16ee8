"""Hypothesis strategies made from a definition: its people, records, commands and paths. Needs ``reportflow[testing]``.

Whatever is drawn shrinks to the plainest: one person, the first rows of the table, the fewest acts.
"""

from reportflow.errors import MissingExtra

try:
    import hypothesis as _hypothesis  # noqa: F401  # said here too: a part may have been imported while it was there
except ImportError as _error:
    raise MissingExtra("hypothesis", "reportflow[testing]") from _error

from reportflow.testing.strategies.broken import broken_lifecycles
from reportflow.testing.strategies.commands import commands
from reportflow.testing.strategies.definitions import lifecycles
from reportflow.testing.strategies.path import Path
from reportflow.testing.strategies.people import actors
from reportflow.testing.strategies.values import details, of, register, texts
from reportflow.testing.strategies.walks import drafts, histories, paths, records

__all__ = [
    "Path",
    "actors",
    "broken_lifecycles",
    "commands",
    "details",
    "drafts",
    "histories",
    "lifecycles",
    "of",
    "paths",
    "records",
    "register",
    "texts",
]
