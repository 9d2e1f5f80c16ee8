"""The OpenAPI document: the schemas of classes become its components, each under the name of its class."""

from __future__ import annotations

from typing import Any, Final

from reportflow import schema
from reportflow.office import REPORT
from reportflow.serialization.problem import PROBLEM_JSON

_REF: Final = "#/components/schemas/{name}"

#: What any request may be answered with.
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "refusals": {"type": "array", "items": {"type": "object"}},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["type", "title", "status"],
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "Why it was not done (RFC 9457).",
        "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(name="Problem")}}},
    }
}


class Components:
    """The schemas that the operations of a document refer to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {"Problem": PROBLEM}

    def of(self, cls: type[Any], **options: Any) -> dict[str, Any]:
        """The schema of a class; those that it refers to become components."""
        written = schema(cls, lifecycle=REPORT, ref_template=_REF, **options)
        self.schemas.update(written.pop("$defs", {}))
        return written

    def referred(self, cls: type[Any]) -> dict[str, Any]:
        """A reference to a class that is a component itself."""
        self.schemas[cls.__name__] = self.of(cls)
        return {"$ref": _REF.format(name=cls.__name__)}


def takes(body: dict[str, Any]) -> dict[str, Any]:
    """Says what the body of a request is, beside what FastAPI says of the operation."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}


def asks(fields: dict[str, Any]) -> dict[str, Any]:
    """Says what may stand in the query of a URL."""
    return {"parameters": [{"name": name, "in": "query", "schema": one} for name, one in fields.items()]}


def gives(answer: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Says what an operation is answered with."""
    return {status: {"description": "Done.", "content": {"application/json": {"schema": answer}}}}
