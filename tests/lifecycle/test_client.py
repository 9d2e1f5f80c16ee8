"""A client written from a definition: whole, typed, the same each time, and understood by an API of the page's form."""

from __future__ import annotations

import ast
import enum
import inspect
import json
import sys
import threading
import types
import typing
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from examples import procurement_client
from hypothesis import HealthCheck, given, settings

from own_lifecycle import PROCUREMENT
from reportflow import (
    ANY,
    NOBODY,
    SAME,
    Actor,
    Details,
    InvalidDefinition,
    InvalidValue,
    Lifecycle,
    Query,
    Record,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    State,
    Transition,
    open_flow,
    parse,
    problem,
    to_plain,
)
from reportflow.lifecycle.client import client_source
from reportflow.office import REPORT
from reportflow.testing import strategies

EXAMPLE = Path(procurement_client.__file__)
BUYER = Actor(id="bao", roles={"buyer", "requester"}, unit="office")


def module_of(lifecycle: Lifecycle) -> types.ModuleType:
    """The client of a definition, run as a module."""
    source = client_source(lifecycle, "office:TABLE")
    module = types.ModuleType("written_client")
    sys.modules[module.__name__] = module
    exec(compile(source, "written_client.py", "exec"), vars(module))
    return module


def check_whole(lifecycle: Lifecycle) -> dict[str, Any]:
    """Each name that the client mentions is defined in it; its methods by name."""
    module = module_of(lifecycle)
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    for cls in classes:
        typing.get_type_hints(cls)
    [client] = [cls for cls in classes if cls.__name__.endswith("Client")]
    methods = {name: one for name, one in vars(client).items() if inspect.isfunction(one)}
    for method in methods.values():
        typing.get_type_hints(method, vars(module))
    return methods


def test_the_committed_client_is_current() -> None:
    """The client in examples/ is what the command writes today; the checks of types over examples/ are over it, too."""
    assert EXAMPLE.read_text("utf-8") == client_source(PROCUREMENT, "own_lifecycle:PROCUREMENT")


@given(strategies.lifecycles())
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_every_definition_has_a_whole_client(lifecycle: Lifecycle) -> None:
    """Of any definition a client can be written: one method for each act of people, all names defined, always alike."""
    methods = check_whole(lifecycle)
    acts = {
        (None in row.sources, row.trigger)
        for row in lifecycle.transitions
        if NOBODY not in row.roles or any(NOBODY not in one.roles for one in lifecycle.rows(row.trigger))
    }
    own = [name for name, one in methods.items() if "key" in inspect.signature(one).parameters and name[0] != "_"]
    assert len(own) == len(acts)
    assert client_source(lifecycle, "x:Y") == client_source(lifecycle, "x:Y")


class Entry(enum.Enum):
    """An enum that has a name of the client's, and values of several kinds."""

    ONE = 1
    HALF = 0.5
    QUOTED = '"it\'s"'


@attrs.frozen(kw_only=True)
class Option(Details):
    r"""A details class of such a name, "quoted" and with a \, whose first sentence does not fit into one line at all.

    See above.
    """

    which: Entry
    mode: Literal["a", None, 3] = "a"
    pair: tuple[str, int] = ("", 0)
    several: frozenset[Entry] = frozenset()
    named: Mapping[str, tuple[Entry, ...]] = attrs.field(factory=dict)
    inner: Option | None = None
    anything: object = None


@attrs.frozen(kw_only=True)
class Page(Record):
    """A record of such a name."""

    options: tuple[Option, ...] = ()


def odd(name: str = "an 'odd' \"kind\"") -> Lifecycle:
    """A definition whose names are keywords, names of the client, or no names at all."""
    triggers = ["return", "get", "_send", "str", "Page", "send back", "send-back", "7th", "送", "PageDraft"]
    told = {one: None if one == "str" else Option for one in triggers}
    rows = [Transition(one, source="open", dest=SAME, roles={"clerk"}, details=cls) for one, cls in told.items()]
    return Lifecycle(
        name=name, version=3, record=Page, roles={"clerk": ANY},
        states=[State("open", final=True), State("a'b", final=True)],
        transitions=[
            Transition("make", source=None, dest="open", roles={"clerk"}),
            Transition("str", source=None, dest="a'b", roles={"clerk"}),
            *rows,
        ],
    )  # fmt: skip


def test_odd_names_make_a_whole_client() -> None:
    """Names that are keywords, or the client's own, or the same once they are names of Python, are told apart."""
    methods = check_whole(odd())
    calls = [one for one in methods if inspect.signature(methods[one]).parameters.keys() >= {"at", "key"}]
    public = [one for one in calls if one not in ("_create", "_fire")]
    assert public == [
        "make", "str_", "str__", "return_", "get_", "_send_", "Page_", "send_back", "send_back_", "do_7th", "送",
        "PageDraft",
    ]  # fmt: skip
    tree = ast.parse(client_source(odd(), ""))
    assert {one.name for one in tree.body if isinstance(one, ast.ClassDef)} >= {"Page", "Page__", "Option_"}


class Pairs(enum.Enum):
    """An enum whose values JSON cannot say."""

    PLACE = (1, 2)


@attrs.frozen(kw_only=True)
class Held(Details):
    """A class with such a field."""

    place: Pairs


def test_a_definition_that_json_cannot_say_has_no_client() -> None:
    """The field that JSON cannot say is named."""
    row = Transition("put", source="open", dest=SAME, roles={"clerk"}, details=Held)
    table = attrs.evolve(odd("plain"), transitions=[*odd().transitions, row])
    with pytest.raises(InvalidDefinition, match=r"Held\.place"):
        client_source(table, "")


# -- an API of the page's form, and the client of the example against it ---------------------------------------------

Answer = tuple[int, Mapping[str, str], bytes]


class Office:
    """An API over a flow, as the page on JSON says it, without a framework."""

    def __init__(self, flow: ReportFlow, by: Actor) -> None:
        self.flow = flow
        self.by = by
        self.requests: list[tuple[str, str]] = []

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """The answer to a request."""
        parts = urllib.parse.urlsplit(url)
        path = [urllib.parse.unquote(one) for one in parts.path.split("/")[1:]]
        self.requests.append((method, parts.path))
        language = headers["Accept-Language"]
        try:
            found = self._found(method, path, urllib.parse.parse_qs(parts.query), headers, json.loads(body or b"null"))
        except ReportflowError as error:
            answer = problem(error, language)
            named = {name.lower(): one for name, one in answer.headers.items()}
            return answer.status, named, json.dumps(answer).encode()
        etag = {"etag": f'"{found.head}"'} if isinstance(found, Record) else {}
        return 200, etag, json.dumps(to_plain(found)).encode()

    def _found(
        self, method: str, path: list[str], query: dict[str, list[str]], headers: Mapping[str, str], body: Any
    ) -> Any:
        flow, by, language = self.flow, self.by, headers["Accept-Language"]
        key = headers.get("Idempotency-Key")
        match (method, *path):
            case ("GET", "records"):
                alone: dict[str, str] = {name: query.pop(name)[0] for name in ("limit", "cursor") if name in query}
                asked: dict[str, object] = {**query, **alone, "limit": int(alone["limit"])}
                return flow.find(parse(Query, asked), by=by)
            case ("GET", "kinds", kind, "options"):
                return [one.describe(language) for one in flow.options(kind, by=by)]
            case ("GET", "records", id):
                return flow.get(id, by=by)
            case ("GET", "records", id, "history"):
                return flow.history(id, by=by)
            case ("GET", "records", id, "options"):
                return [one.describe(language) for one in flow.options(id, by=by)]
            case ("POST", "records"):
                accepts = PROCUREMENT.accepted(body["trigger"])
                draft = parse(PROCUREMENT.record, body["draft"], accepts=accepts, at="/draft")
                return flow.create(draft, by=by, trigger=body["trigger"], key=key)
            case ("POST", "records", id, trigger):
                cls, reason = PROCUREMENT.rows(trigger)[0].details, body.get("reason", "")
                details = cls and parse(cls, body.get("details"), at="/details")
                head = headers["If-Match"].strip('"') if "If-Match" in headers else None
                return flow.fire(id, trigger, details, by=by, reason=reason, key=key, head=head)
        raise RecordNotFound(path)


@pytest.fixture
def office() -> Iterator[Office]:
    """An API over an office of purchases."""
    with open_flow("memory:", lifecycles=PROCUREMENT) as flow:
        yield Office(flow, BUYER)


def test_a_client_does_what_the_office_allows(office: Office) -> None:
    """The client creates, acts, finds, and shows histories and options, by the requests of the page."""
    client = procurement_client.ProcurementClient("http://office", language="zh", transport=office)
    purchase = client.request({"title": "lamps", "estimate": "120.50"}, key="k1")
    assert (purchase["state"], purchase["estimate"]) == ("requested", "120.50")
    assert client.request({"title": "lamps", "estimate": "120.50"}, key="k1") == purchase
    offered = client.offer(purchase, {"supplier": "Lin & Co", "price": "99"})
    assert offered["offers"] == [{"supplier": "Lin & Co", "price": "99"}]
    client.offer(offered["id"], {"supplier": "Qiao", "price": "98"})
    assert [one["version"] for one in client.every(state=["requested", "approved"], limit=1)] == [3]
    assert client.find(state="ordered") == {"$type": "reportflow.Page", "records": [], "next": None, "unreadable": []}
    assert [one["trigger"] for one in client.history(purchase["id"])] == ["request", "offer", "offer"]
    options = {one["trigger"]: one for one in client.options(purchase["id"])}
    assert options["cancel"]["label"] == "取消"
    schema = options["offer"]["schema"]
    assert schema is not None
    assert schema["required"] == ["supplier", "price"]
    [creation] = client.creations()
    assert (creation["trigger"], creation["allowed"]) == ("request", True)
    assert client.get(purchase["id"])["head"] != purchase["head"]


def test_a_client_raises_what_the_office_says(office: Office) -> None:
    """Refusals, bad fields, stale heads and unknown records are raised with their problem documents."""
    client = procurement_client.ProcurementClient("http://office", transport=office)
    purchase = client.request({"title": "lamps", "estimate": "120.50"})
    with pytest.raises(procurement_client.ProblemRaised) as refused:
        client.approve(purchase, {"supplier": "Lin"})
    assert refused.value.status == 409
    assert {"role", "no_such_offer"} <= {one["code"] for one in refused.value.refusals}
    with pytest.raises(procurement_client.ProblemRaised) as invalid:
        client.offer(purchase, {"supplier": "a\0", "price": "cheap"})
    assert (invalid.value.status, [one["pointer"] for one in invalid.value.errors]) == (
        422,
        ["#/details/supplier", "#/details/price"],
    )
    client.cancel(purchase)
    with pytest.raises(procurement_client.ProblemRaised, match=r"^412: ") as stale:
        client.cancel(purchase)
    assert stale.value.document["type"] == "urn:reportflow:error:stale_record"
    with pytest.raises(procurement_client.ProblemRaised, match=r"^404: "):
        client.get("a/b c")
    assert office.requests[-1] == ("GET", "/records/a%2Fb%20c")
    with pytest.raises(InvalidValue):
        parse(Query, {"cursor": 7})


@contextmanager
def served(office: Office) -> Iterator[str]:
    """The API on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name.title(): one for name, one in self.headers.items()}
            status, headers, content = (
                office(self.command, self.path, sent, body) if self.path != "/proxy/records/x" else (502, {}, b"<html>")
            )
            self.send_response(status)
            for name, one in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, one)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_client_speaks_http_by_itself(office: Office) -> None:
    """Without a transport of the caller's the client uses urllib, and bears an answer that is no problem document."""
    with served(office) as url:
        client = procurement_client.ProcurementClient(url + "/")
        purchase = client.request({"title": "灯", "estimate": "1"})
        assert client.get(purchase["id"]) == purchase
        with pytest.raises(procurement_client.ProblemRaised, match=r"^403: .*done by"):
            client.reject(purchase, reason="no")
        with pytest.raises(procurement_client.ProblemRaised) as other:
            procurement_client.ProcurementClient(f"{url}/proxy").get("x")
        assert (other.value.status, other.value.document, other.value.retry_after) == (502, {}, None)


def test_the_standard_lifecycle_has_a_client() -> None:
    """The client of `REPORT` has its labels as docstrings, and no method for steps."""
    methods = check_whole(REPORT)
    assert {"create", "return_", "retract", "comment"} <= methods.keys()
    assert methods.keys().isdisjoint({"credit", "discredit"})
    assert methods["comment"].__doc__ == "Comment (in any state)."
