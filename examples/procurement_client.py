"""A typed client for records of the kind "procurement", version 1.

Written by ``reportflow client own_lifecycle:PROCUREMENT``; write it anew rather than change it.
It needs Python 3.11, and the standard library only.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

#: What sends a request: (method, URL, headers, body) -> (status, headers with names in lower case, body).
Transport = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, Mapping[str, str], bytes]]

#: The kind of the records.
KIND = "procurement"

State = Literal["requested", "approved", "ordered", "received", "rejected", "cancelled"]


class Actor(TypedDict):
    """Who did something, as far as the reader may see it."""

    id: str
    name: str
    roles: list[str]
    unit: str
    clearance: str
    kind: str
    on_behalf_of: str | None
    post: str


class Entry(TypedDict):
    """One thing that happened to a record. Times are texts in UTC."""

    record_id: str
    sequence: int
    trigger: str
    source: str | None
    dest: str
    actor: Actor
    at: str
    recorded_at: str
    reason: str
    details: Any
    key: str | None
    cause: str | None
    kind: str
    lifecycle_version: int
    secrecy: str
    audience: list[str] | None
    retracts: int | None
    digest: str
    erased: list[dict[str, Any]]


class Refusal(TypedDict):
    """One reason why something is not allowed."""

    code: str
    message: str
    params: dict[str, Any]


class Option(TypedDict):
    """What may be done, or why not; `schema` is the JSON Schema of what to fill in."""

    trigger: str
    label: str
    allowed: bool
    refusals: list[Refusal]
    reason_required: bool
    schema: dict[str, Any] | None


class ProblemRaised(Exception):
    """The office did not do it. `document` is its problem document (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, Any], retry_after: str | None) -> None:
        super().__init__(status, document, retry_after)
        self.status = status
        self.document = document
        self.retry_after = retry_after

    @property
    def refusals(self) -> list[Refusal]:
        """Every reason, where it was refused."""
        return cast(list[Refusal], self.document.get("refusals", []))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Every bad field, with ``pointer``, ``code`` and ``message``."""
        return cast(list[dict[str, Any]], self.document.get("errors", []))

    def __str__(self) -> str:
        return f"{self.status}: {self.document.get('detail') or self.document.get('title') or ''}"


def _by_urllib(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> tuple[int, Mapping[str, str], bytes]:
    request = urllib.request.Request(url, body, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, {name.lower(): one for name, one in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): one for name, one in error.headers.items()}, error.read()


class Approval(TypedDict):
    """The choice of an offer."""

    supplier: str


class Comment(TypedDict):
    """批注: a remark of a person who may see the report; an internal one (内部批注) is read by the office alone."""

    text: str
    internal: NotRequired[bool]


class Offer(TypedDict):
    """An offer of a supplier."""

    supplier: str
    price: str


class Order(TypedDict):
    """The order's number, and when the goods are due."""

    number: str
    due_at: NotRequired[str | None]


Secrecy = Literal["internal", "confidential", "secret", "top_secret"]


class Purchase(TypedDict):
    """Something that is to be bought."""

    id: str
    kind: str
    state: State
    version: int
    head: str
    lifecycle_version: int
    unit: str
    parent: str | None
    title: str
    category: str
    assignee: str | None
    due_at: str | None
    secrecy: Secrecy
    created_by: str
    created_for: str | None
    created_at: str | None
    updated_at: str | None
    estimate: str
    offers: list[Offer]
    supplier: str | None
    price: str | None
    approved_by: str | None
    number: str | None


class PurchaseDraft(TypedDict):
    """What `request` takes."""

    parent: NotRequired[str | None]
    title: NotRequired[str]
    category: NotRequired[str]
    due_at: NotRequired[str | None]
    secrecy: NotRequired[Secrecy]
    estimate: str


class Page(TypedDict):
    """One page of what was found; `next` is the cursor of the page after it."""

    records: list[Purchase]
    next: str | None
    unreadable: list[str]


class ProcurementClient:
    """The records of this kind, by HTTP.

    Where an act is given a record, it is done on what was read, or not at all (If-Match); where it is given an id, on
    what is stored. `at` is when it happened, as RFC 3339 writes it; `key` is an idempotency key.

    Args:
        url: Where the API is, such as ``https://office.example/api``.
        headers: Sent with each request: who asks.
        language: Of the texts.
        transport: What sends the requests; urllib unless given.

    Raises:
        ProblemRaised: each method, where the office did not do it.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
        transport: Transport = _by_urllib,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Language": language, **(headers or {})}
        self._transport = transport

    def get(self, id: str) -> Purchase:
        """A record."""
        return cast(Purchase, self._send("GET", f"/records/{_part(id)}"))

    def find(self, *, limit: int = 100, cursor: str | None = None, **wanted: str | Iterable[str]) -> Page:
        """One page of the records that fit: ``state=``, ``unit=``, ``text=`` and the like, one value or several."""
        return self._find(wanted, limit, cursor)

    def every(self, *, limit: int = 100, **wanted: str | Iterable[str]) -> Iterator[Purchase]:
        """All records that fit, page by page, each of `limit` records at the most."""
        cursor: str | None = None
        while True:
            page = self._find(wanted, limit, cursor)
            yield from page["records"]
            cursor = page["next"]
            if cursor is None:
                return

    def history(self, id: str) -> list[Entry]:
        """What happened to a record."""
        return cast(list[Entry], self._send("GET", f"/records/{_part(id)}/history"))

    def options(self, id: str) -> list[Option]:
        """What may be done with a record, and why not."""
        return cast(list[Option], self._send("GET", f"/records/{_part(id)}/options"))

    def creations(self) -> list[Option]:
        """What may be created, and why not."""
        return cast(list[Option], self._send("GET", f"/kinds/{_part(KIND)}/options"))

    def _find(self, wanted: Mapping[str, str | Iterable[str]], limit: int, cursor: str | None) -> Page:
        several = {name: [one] if isinstance(one, str) else list(one) for name, one in wanted.items()}
        pairs = [("kind", KIND), *((name, one) for name, values in several.items() for one in values)]
        pairs += [("limit", str(limit)), *([] if cursor is None else [("cursor", cursor)])]
        return cast(Page, self._send("GET", f"/records?{urllib.parse.urlencode(pairs)}"))

    def _create(self, trigger: str, draft: Any, *, at: str | None, key: str | None) -> Purchase:
        body = {"kind": KIND, "trigger": trigger, "draft": draft, **({} if at is None else {"at": at})}
        return cast(Purchase, self._send("POST", "/records", body, key=key))

    def _fire(
        self, target: Purchase | str, trigger: str, details: Any, *, reason: str, at: str | None, key: str | None
    ) -> Purchase:
        id, head = (target, None) if isinstance(target, str) else (target["id"], target["head"])
        given = {"details": details, "reason": reason or None, "at": at}
        body = {name: one for name, one in given.items() if one is not None}
        return cast(Purchase, self._send("POST", f"/records/{_part(id)}/{_part(trigger)}", body, key=key, head=head))

    def _send(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, head: str | None = None
    ) -> Any:
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        if head is not None:
            headers["If-Match"] = f'"{head}"'
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        status, answered, content = self._transport(method, self._url + path, headers, sent)
        if status < 400:
            return json.loads(content)
        try:
            document = json.loads(content)
        except ValueError:  # of a proxy on the way
            document = {}
        raise ProblemRaised(status, document if isinstance(document, dict) else {}, answered.get("retry-after"))

    def request(self, draft: PurchaseDraft, *, at: str | None = None, key: str | None = None) -> Purchase:
        """Request (a new record)."""
        return self._create("request", draft, at=at, key=key)

    def offer(
        self, target: Purchase | str, details: Offer, *, reason: str = "", at: str | None = None, key: str | None = None
    ) -> Purchase:
        """Enter an offer (in: requested)."""
        return self._fire(target, "offer", details, reason=reason, at=at, key=key)

    def approve(
        self,
        target: Purchase | str,
        details: Approval,
        *,
        reason: str = "",
        at: str | None = None,
        key: str | None = None,
    ) -> Purchase:
        """Approve (in: requested)."""
        return self._fire(target, "approve", details, reason=reason, at=at, key=key)

    def reject(self, target: Purchase | str, *, reason: str, at: str | None = None, key: str | None = None) -> Purchase:
        """Reject (in: requested)."""
        return self._fire(target, "reject", None, reason=reason, at=at, key=key)

    def order(
        self, target: Purchase | str, details: Order, *, reason: str = "", at: str | None = None, key: str | None = None
    ) -> Purchase:
        """Order (in: approved)."""
        return self._fire(target, "order", details, reason=reason, at=at, key=key)

    def cancel(
        self, target: Purchase | str, *, reason: str = "", at: str | None = None, key: str | None = None
    ) -> Purchase:
        """Cancel (in: requested, approved)."""
        return self._fire(target, "cancel", None, reason=reason, at=at, key=key)

    def comment(
        self,
        target: Purchase | str,
        details: Comment,
        *,
        reason: str = "",
        at: str | None = None,
        key: str | None = None,
    ) -> Purchase:
        """Comment (in: requested, approved, ordered)."""
        return self._fire(target, "comment", details, reason=reason, at=at, key=key)


def _part(text: str) -> str:
    """A part of a path."""
    return urllib.parse.quote(text, safe="").replace("~", "%7E")
