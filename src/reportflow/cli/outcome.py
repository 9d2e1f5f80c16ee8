"""How a command ends: its exit code, and what `--json` prints of an error. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from reportflow.errors import (
    AlreadyExists,
    Conflict,
    DuplicateKey,
    InvalidURL,
    RecordNotFound,
    ReportflowError,
    StaleRecord,
    StorageError,
    UnreadableRecord,
)
from reportflow.i18n.catalog import Reader
from reportflow.serialization.problem import problem

#: It was refused, or what it is about was not found.
REFUSED: Final = 1
#: What was typed is wrong.
USAGE: Final = 2
#: Another writer was faster, or the key or id is taken.
CONFLICT: Final = 3
#: The database, or the files, cannot be reached, read or written.
STORAGE: Final = 4
#: Ctrl-C, as shells have it: 128 and the number of the signal.
INTERRUPTED: Final = 130

_CODES: Final[Mapping[type[ReportflowError], int]] = {
    StaleRecord: CONFLICT,
    AlreadyExists: CONFLICT,
    Conflict: CONFLICT,
    DuplicateKey: CONFLICT,
    RecordNotFound: REFUSED,
    UnreadableRecord: REFUSED,
    InvalidURL: REFUSED,
    StorageError: STORAGE,
    ReportflowError: REFUSED,
}


def exit_code_of(error: ReportflowError) -> int:
    """The exit code of a command that ends with the error."""
    return next(_CODES[cls] for cls in type(error).__mro__ if cls in _CODES)


def json_line(plain: Any) -> str:
    """Plain data as one line of JSON, Chinese as it is read; what a terminal would obey or hide is escaped."""
    return "".join(map(_visible, json.dumps(plain, ensure_ascii=False)))


def _visible(one: str) -> str:
    return one if one.isprintable() or one == "\u3000" else json.dumps(one)[1:-1]


def document_of(error: BaseException | None, message: str, language: str, reader: Reader) -> dict[str, Any]:
    """An error as a problem document; of what is no error of the library, with the sentence that the terminal says."""
    if isinstance(error, ReportflowError):
        return {**problem(error, language, reader=reader), "detail": message}
    return {"type": "urn:reportflow:error:terminal", "detail": message}
