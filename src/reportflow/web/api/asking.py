"""What a request of the API says: its parameters by a class, its body as strict JSON, its heads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn, TypeVar

import attrs
from starlette.exceptions import HTTPException

from reportflow.errors import FieldProblem, InvalidValue, RecordNotFound, pointer_of
from reportflow.model.checks import is_blank, shown, text_problem
from reportflow.model.query import check_range
from reportflow.model.values import limits
from reportflow.serialization.parse import MANY, parse
from reportflow.serialization.shapes import NULL, Either, Scalar, Shape, fields_of
from reportflow.web import guard
from reportflow.web.querying import PARAMETERS
from reportflow.web.visit import Visit

T = TypeVar("T")

#: How many records or entries one answer has at the most.
MOST: Final = 1000
#: The longest idempotency key.
KEY_LIMIT: Final = 255
#: What an idempotency key is: letters, digits and signs of ASCII, no blank at its ends.
KEY_PATTERN: Final = r"^[!-~]([ -~]*[!-~])?$"
#: What ``If-Match`` may say: the head of a record, or that any will do.
TAG_PATTERN: Final = r'^(\*|"[!#-~]+")$'
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
#: Of the parameters of a list, those that no other list has.
PAGING: Final = ("order", "limit", "cursor")
#: Those that say what is looked for.
WANTED: Final = tuple(name for name in PARAMETERS if name not in PAGING)


def number(least: int, most: int, default: Any = attrs.NOTHING) -> Any:
    """A field that holds a whole number of a range."""

    def check(_: object, field: attrs.Attribute[Any], value: int | None) -> None:
        if value is not None:
            check_range(field.name, value, least, most)

    return attrs.field(default=default, validator=check, metadata=limits(minimum=least, maximum=most))


def words(pattern: str, default: Any = attrs.NOTHING) -> Any:
    """A field that holds a text of a pattern."""

    def check(_: object, field: attrs.Attribute[Any], value: str | None) -> None:
        if value is not None and re.search(pattern, value) is None:
            raise InvalidValue(field.name, "refused", {"given": shown(value)})

    return attrs.field(default=default, validator=check, metadata=limits(pattern=pattern))


# -- parameters -------------------------------------------------------------------------------------------------------


def asked(visit: Visit, cls: type[T]) -> T:
    """What the parameters of an address say, as an instance of a class of which each field is one.

    A ``_`` at the end of a field's name is no part of the parameter's.

    Raises:
        InvalidValue: a parameter is unknown, given twice, or has a wrong value; with every one that is wrong.
    """
    sent = visit.request.query_params
    shapes = {one.name.removesuffix("_"): (one.name, one.shape) for one in fields_of(cls)}
    data: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    several: dict[str, list[str]] = {}
    for name, value in sent.multi_items():
        several.setdefault(name, []).append(value)
    for name, values in several.items():
        if len(problems) >= MANY:
            break
        field, shape = shapes.get(name, (name, None))
        if len(values) > 1:
            problems.append(FieldProblem(pointer_of(name), "twice", {"given": shown(values[1])}))
        else:
            data[field] = int(values[0]) if _is_number(shape) and _INTEGER.fullmatch(values[0]) else values[0]
    named = {f"/{field}": f"/{name}" for name, (field, _) in shapes.items()}
    try:
        found: T | None = parse(cls, data)
    except InvalidValue as error:
        found = None
        problems += [one._replace(pointer=named.get(one.pointer, one.pointer)) for one in error.problems]
    if found is None or problems:
        raise InvalidValue.of(problems)
    return found


def _is_number(shape: Shape | None) -> bool:
    several = shape.several if isinstance(shape, Either) else (shape,)
    return [one for one in several if one != NULL] == [Scalar("integer")]


def check_names(visit: Visit, known: Iterable[str]) -> None:
    """See that an address has no parameter but these, and none of them blank.

    Raises:
        InvalidValue: it has; with every one that is wrong.
    """
    choices = tuple(known)
    problems: list[FieldProblem] = []
    for name, value in visit.request.query_params.multi_items():
        if len(problems) >= MANY:
            break
        if name not in choices:
            problems.append(FieldProblem(pointer_of(name), "unknown_field", {"owner": visit.path, "choices": choices}))
        elif not value.strip():
            problems.append(FieldProblem(pointer_of(name), "blank", {}))
    if problems:
        raise InvalidValue.of(problems)


def id_of(visit: Visit, name: str = "id") -> str:
    """The id of a record in the path.

    Raises:
        RecordNotFound: nothing can have it.
    """
    id = visit.params[name]
    if is_blank(id) or text_problem(id):
        raise RecordNotFound((id,))
    return id


# -- heads ------------------------------------------------------------------------------------------------------------


def key_of(visit: Visit) -> str | None:
    """The idempotency key of a request.

    Raises:
        InvalidValue: it is blank, too long, or not of ASCII.
    """
    key = visit.request.headers.get("idempotency-key")
    if key is not None and (len(key) > KEY_LIMIT or not re.fullmatch(KEY_PATTERN, key)):
        raise InvalidValue("Idempotency-Key", "refused", {"given": shown(key)})
    return key


def head_of(visit: Visit) -> str | None:
    """The head that the caller saw, as ``If-Match`` says it; None where any will do.

    Raises:
        InvalidValue: it is no tag, or several.
    """
    tag = visit.request.headers.get("if-match")
    if tag is None:
        return None
    if not re.fullmatch(TAG_PATTERN, tag):
        raise InvalidValue("If-Match", "refused", {"given": shown(tag)})
    return None if tag == "*" else tag[1:-1]


# -- bodies -----------------------------------------------------------------------------------------------------------


def check_sender(visit: Visit) -> None:
    """See that a request with JSON is one that no page of another site can make.

    Raises:
        HTTPException: 415, it is none.
    """
    headers = visit.request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not guard.is_programs(headers) or kind not in ("", "application/json"):
        raise HTTPException(415, headers={"Accept-Post": "application/json"})


async def body_of(visit: Visit) -> Any:
    """The body of a request as JSON; an empty one is an empty object.

    Raises:
        HTTPException: 415, it may be of a page of another site, or is no JSON; 400, what it says is no JSON, has a name
            twice in an object, or a number that JSON does not know.
    """
    check_sender(visit)
    body = await visit.request.body()
    try:
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number) if text.strip() else {}
    except (ValueError, RecursionError):
        raise HTTPException(400) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
