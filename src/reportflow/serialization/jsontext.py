"""Plain data as the JSON text that is stored and hashed, without blanks, Chinese as it is read; and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any, Final


def _json_writer() -> Callable[[object], str]:
    """What writes it. `json` makes the inner encoder anew for each text, which takes a third as long as a header."""
    usual = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # an interpreter that has none
        return usual.encode
    parts = make(
        None,  # no search for what contains itself: nothing that was made from a value does
        usual.default,
        encoder.encode_basestring,
        usual.indent,
        usual.key_separator,
        usual.item_separator,
        usual.sort_keys,
        usual.skipkeys,
        usual.allow_nan,
    )
    return lambda value: "".join(parts(value, 0))


_decoder: Final[Any] = json.JSONDecoder()
_scan: Final = _decoder.scan_once


def parse_json(text: str) -> Any:
    """As `json.loads`, which looks for blanks around a text; what was stored has none.

    Raises:
        ValueError: it is no JSON.
        TypeError: it is no text.
    """
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


#: The JSON text of plain data.
json_text: Final[Callable[[object], str]] = _json_writer()
