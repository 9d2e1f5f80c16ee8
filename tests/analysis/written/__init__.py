"""What people read, as it was last reviewed: a change of it shows in the difference of a commit.

``REPORTFLOW_WRITE=1 pytest tests/analysis/test_written.py`` writes the pages anew; read them before you commit
them.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent


def hold(name: str, text: str) -> None:
    """Compare a page with the one stored under its name."""
    path = FOLDER / name
    if os.environ.get("REPORTFLOW_WRITE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    with path.open(encoding="utf-8", newline="") as file:
        assert text == file.read(), f"see {path.name}; if the new one is right, write it anew"
