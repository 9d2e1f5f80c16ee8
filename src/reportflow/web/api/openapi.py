"""The API as an OpenAPI 3.1 document, written from the tables: an operation for each act of each kind.

What is the same for all kinds stands in `FIXED`, beside the classes by which the handlers read their parameters, and a
test holds it against the routes. A kind's acts come from its rows, their bodies from the classes of their details.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import attrs
from starlette.responses import Response

from reportflow.errors import InvalidDefinition
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.drafts import accepted_in_order
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.model.attachment import Attachment
from reportflow.model.entry import Entry
from reportflow.model.values import not_blank
from reportflow.serialization.schema import DIALECT
from reportflow.web.api import answers
from reportflow.web.api.acts import creations
from reportflow.web.api.asking import KEY_LIMIT, KEY_PATTERN, TAG_PATTERN, asked, words
from reportflow.web.api.feed import POSITION, Behind, Since
from reportflow.web.api.figures import YEARS, OfKind
from reportflow.web.api.files import SENDER
from reportflow.web.api.lists import ListAsked
from reportflow.web.api.parameters import counting, finding
from reportflow.web.api.records import AsOf, Between
from reportflow.web.api.schemas import (
    AT,
    PROBLEMS,
    SEEN,
    STORED,
    TEXT,
    Components,
    listed,
    one_of,
    plain_name,
    reference,
    whole,
)
from reportflow.web.api.tables import Sought
from reportflow.web.routes import Route
from reportflow.web.site import Site
from reportflow.web.urls import written
from reportflow.web.visit import Visit
from reportflow.web.words import Words

#: The version of the API: of its addresses, whatever the tables say.
VERSION: Final = "1"
_JSON: Final = "application/json"


@attrs.frozen(kw_only=True)
class InLanguage:
    """In which language the texts of the document are; the reader's unless given."""

    language: str = words("^[A-Za-z-]{0,20}$", "")


@attrs.frozen(kw_only=True)
class _Reasoned:
    """Why."""

    reason: str = attrs.field(validator=not_blank)


class Operation(NamedTuple):
    """One operation that all kinds share.

    Attributes:
        name: Its id, and the name of its summary among the texts.
        path: Behind the address of the API.
        answer: The component of its answer, or ``record``, ``records``, ``entries`` and other words of `_Document`.
        asked: The class of its parameters, or the name of a method that writes them.
    """

    name: str
    path: str
    answer: str
    asked: type[Any] | str | None = None


FIXED: Final = (
    Operation("find", "/records", "page", "finding"),
    Operation("get", "/records/{id}", "record"),
    Operation("history", "/records/{id}/history", "entries"),
    Operation("options", "/records/{id}/options", "options"),
    Operation("at", "/records/{id}/at", "record", AsOf),
    Operation("diff", "/records/{id}/diff", "Changes", Between),
    Operation("download", "/records/{id}/files/{sha256}", "bytes"),
    Operation("inbox", "/inbox", "page", ListAsked),
    Operation("count", "/count", "Counts", "counting"),
    Operation("kinds", "/kinds", "kinds"),
    Operation("kind", "/kinds/{kind}", "Table"),
    Operation("creations", "/kinds/{kind}/options", "options"),
    Operation("figures", "/figures/{year}", "Figures", OfKind),
    Operation("people", "/people", "People", Sought),
    Operation("feed", "/feed", "Feed", Behind),
    Operation("events", "/events", "events", Since),
    Operation("openapi", "/openapi.json", "any", InLanguage),
)


async def openapi(visit: Visit) -> Response:
    """The document."""
    language = asked(visit, InLanguage).language.partition("-")[0].lower()
    chosen = language if language in visit.site.languages else visit.language
    documents = visit.site.once(_documents)
    if chosen not in documents:
        documents[chosen] = await visit.site.call(_Document(visit.site, visit.site.words(chosen)).text)
    return answers.plain(visit, {**documents[chosen], "servers": [{"url": f"{visit.urls.prefix}/api"}]})


def _documents(site: Site) -> dict[str, dict[str, Any]]:
    """The documents that were written, by language."""
    return {}


class _Document:
    """One document being written."""

    def __init__(self, site: Site, t: Words) -> None:
        self._t = t
        self._kinds = tuple(site.lifecycles.values())
        self._components = Components(t.language, t.catalog)
        self._lifecycles = site.flow.lifecycles
        self._records = one_of(map(self._record, self._kinds))
        self._components.referred(Entry)
        self._components.referred(Attachment)

    def _record(self, lifecycle: Lifecycle) -> dict[str, Any]:
        """A record of a kind, as far as JSON Schema can say what it is made of."""
        try:
            return self._components.referred(lifecycle.record, lifecycle)
        except InvalidDefinition:
            return {"type": "object"}

    def text(self) -> dict[str, Any]:
        """All of it, but for the address of the server."""
        paths: dict[str, dict[str, Any]] = {}
        for one in FIXED:
            paths.setdefault(one.path, {})["get"] = self._fixed(one)
        paths["/records"]["post"] = self._creation()
        for path, operation in self._acts():
            paths.setdefault(path, {})["post"] = operation
        paths["/files"] = {"post": self._upload()}
        return {
            "openapi": "3.1.0",
            "jsonSchemaDialect": DIALECT,
            "info": {"title": self._t("page.site"), "version": VERSION, "description": self._t("api.about")},
            "paths": paths,
            "components": {"schemas": self._components.schemas},
        }

    def _fixed(self, one: Operation) -> dict[str, Any]:
        if isinstance(one.asked, str):
            asked: Iterable[dict[str, Any]] = {"finding": finding, "counting": counting}[one.asked](self._lifecycles)
        else:
            asked = () if one.asked is None else self._parameters(one.asked)
        more = [_head("Last-Event-ID", {"type": "string", "pattern": POSITION})] if one.answer == "events" else []
        return self._operation(one.name, self._t(f"api.{one.name}"), one.path, self._answer(one), [*asked, *more])

    def _operation(
        self, name: str, summary: str, path: str, responses: dict[str, Any], parameters: Iterable[Mapping[str, Any]]
    ) -> dict[str, Any]:
        named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        places = [{"name": one, "in": "path", "required": True, "schema": self._place(one)} for one in named]
        return {
            "operationId": name,
            "summary": summary,
            "parameters": [*places, *parameters],
            "responses": {**responses, **PROBLEMS},
        }

    def _place(self, name: str) -> dict[str, Any]:
        if name == "year":
            return {"type": "integer", "minimum": YEARS[0], "maximum": YEARS[1]}
        if name == "kind":
            return {"type": "string", "enum": [one.name for one in self._kinds]}
        return {"type": "string", "pattern": "^[0-9a-f]{64}$"} if name == "sha256" else dict(SEEN)

    def _parameters(self, cls: type[Any]) -> Iterator[dict[str, Any]]:
        described = self._components.of(cls)
        for name, one in described["properties"].items():
            if not name.startswith("$"):
                required = {"required": True} if name in described["required"] else {}
                known = self._place(name) if name == "kind" else _not_null(one)
                yield {"name": name.removesuffix("_"), "in": "query", **required, "schema": known}

    def _answer(self, one: Operation) -> dict[str, Any]:
        tag = {"headers": {"ETag": {"schema": TEXT}}}
        match one.answer:
            case "record":
                return {"200": {**_gives(self._records), **tag}, "304": {"description": "as in If-None-Match"}}
            case "page":
                texts = {"type": ["string", "null"]}
                return {"200": _gives(whole(records=listed(self._records), next=texts, unreadable=listed(TEXT)))}
            case "entries":
                return {"200": _gives(listed(reference("Entry")))}
            case "options":
                return {"200": _gives(listed(reference("Option")))}
            case "kinds":
                return {"200": _gives(listed(reference("Kind")))}
            case "bytes":
                return {"200": {"description": "200", "content": {"*/*": {}}}}
            case "events":
                return {"200": {"description": "200", "content": {"text/event-stream": {"schema": TEXT}}}}
            case "any":
                return {"200": _gives({"type": "object"})}
        return {"200": _gives(reference(one.answer))}

    # -- what changes something -----------------------------------------------------------------------------------

    def _done(self, status: str, record: Mapping[str, Any]) -> dict[str, Any]:
        heads = {"ETag": {"schema": TEXT}, **({"Location": {"schema": TEXT}} if status == "201" else {})}
        return {status: {**_gives(record), "headers": heads}}

    def _creation(self) -> dict[str, Any]:
        bodies = []
        for lifecycle in self._kinds:
            for place, trigger in enumerate(creations(lifecycle)):
                body = self._new(lifecycle, trigger, named=place > 0)
                if body is not None:
                    bodies.append(body)
        operation = self._operation(
            "create", self._t("api.create"), "/records", self._done("201", self._records), [_KEY]
        )
        return {**operation, "requestBody": _takes(one_of(bodies))}

    def _new(self, lifecycle: Lifecycle, trigger: str, *, named: bool) -> dict[str, Any] | None:
        """The body that creates by a trigger; None where the draft has a field that JSON cannot say."""
        accepts = accepted_in_order(lifecycle, trigger)
        try:
            draft = self._components.of(lifecycle.record, lifecycle, accepts=accepts)
        except InvalidDefinition:
            return None
        if "kind" in draft["properties"]:
            draft["properties"]["kind"] = {"const": lifecycle.name}
        name = self._components.put(f"{plain_name(lifecycle.name)}.{plain_name(trigger)}.draft", draft)
        label = lifecycle.label_of("trigger", trigger, self._t.language, self._t.catalog)
        return {
            "type": "object",
            "title": label,
            "properties": {
                "kind": {"const": lifecycle.name},
                "trigger": {"const": trigger},
                "draft": reference(name),
                "at": AT,
            },
            "required": ["kind", "draft", *(["trigger"] if named else [])],
            "additionalProperties": False,
        }

    def _acts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The path and the operation of each act of people on a record; kinds share the path of one trigger."""
        by_trigger: dict[str, list[tuple[Lifecycle, tuple[Transition, ...]]]] = {}
        for lifecycle in self._kinds:
            for trigger in lifecycle.triggers:
                rows = tuple(row for row in lifecycle.rows(trigger) if row.sources - {None} and NOBODY not in row.roles)
                if rows:
                    by_trigger.setdefault(trigger, []).append((lifecycle, rows))
        for trigger, kinds in by_trigger.items():
            path = f"/records/{{id}}/{written(trigger)}"
            bodies = [body for one in kinds if (body := self._body(*one)) is not None]
            if not bodies:
                continue
            labels = dict.fromkeys(
                one.label_of("trigger", trigger, self._t.language, self._t.catalog) for one, _ in kinds
            )
            record = one_of(self._record(one) for one, _ in kinds)
            name = f"act_{plain_name(trigger)}"
            operation = self._operation(name, self._t.join(labels), path, self._done("200", record), [_KEY, _HEAD])
            yield path, {**operation, "requestBody": _takes(one_of(bodies))}

    def _body(self, lifecycle: Lifecycle, rows: tuple[Transition, ...]) -> dict[str, Any] | None:
        """The body of an act; None where its details have a field that JSON cannot say."""
        needed = all(row.reason_required for row in rows)
        reason = self._components.of(_Reasoned)["properties"]["reason"] if needed else STORED
        properties: dict[str, Any] = {"reason": reason, "at": AT}
        required = ["reason"] if needed else []
        if rows[0].details is not None:
            try:
                properties["details"] = self._components.referred(rows[0].details, lifecycle)
            except InvalidDefinition:
                return None
            required.append("details")
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _upload(self) -> dict[str, Any]:
        name = {"name": "name", "in": "query", "schema": SEEN}
        sender = {**_head(SENDER, {"type": "string", "minLength": 1, "pattern": "^[!-~]+$"}), "required": True}
        done = {"201": _gives(reference("Attachment"))}
        raw = {"schema": {"type": "string", "format": "binary"}}
        part = {"schema": whole(file={"type": "string", "format": "binary"})}
        content = {"application/octet-stream": raw, "multipart/form-data": part}
        operation = self._operation("upload", self._t("api.upload"), "/files", done, [name, sender])
        return {**operation, "requestBody": {"required": True, "content": content}}


def _head(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": described}


_KEY: Final = _head("Idempotency-Key", {"type": "string", "maxLength": KEY_LIMIT, "pattern": KEY_PATTERN})
_HEAD: Final = _head("If-Match", {"type": "string", "pattern": TAG_PATTERN})


def _gives(described: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "OK", "content": {_JSON: {"schema": described}}}


def _takes(described: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {_JSON: {"schema": described}}}


def _not_null(described: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: what is not given is left out, and is no null."""
    kinds = described.get("type")
    plain = {name: one for name, one in described.items() if not (name == "default" and one is None)}
    return {**plain, "type": next(one for one in kinds if one != "null")} if isinstance(kinds, list) else plain


ROUTES: Final = (Route("GET", "/api/openapi.json", openapi),)
