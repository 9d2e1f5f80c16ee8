"""An error as a problem document for HTTP (RFC 9457): what an API answers, and with which status.

There is one table of statuses, `STATUSES`. An error that is not in it has the status of the class that it is derived
from. A refusal is judged by its codes: 403 where they only say that another person would be allowed to, 422 where they
only ask for more to be filled in, else 409, since the record is in another state than the request takes it to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from reportflow.errors import (
    AlreadyExists,
    BrokerUnavailable,
    Conflict,
    ContentErased,
    DuplicateKey,
    InvalidValue,
    RecordNotFound,
    ReportflowError,
    StaleRecord,
    StorageBusy,
    StorageClosed,
    StorageUnavailable,
    TransactionRolledBack,
    TransitionRefused,
    UnknownTrigger,
)
from reportflow.i18n.catalog import CLERK, DEVELOPER, ENGLISH, Reader, Renderer
from reportflow.model.checks import type_problem
from reportflow.serialization.plain import write_fact

#: The media type of a problem document.
PROBLEM_JSON: Final = "application/problem+json"

#: The status of each class of errors. Those that are left out, such as a fault of a definition, are the server's: 500.
STATUSES: Final[Mapping[type[ReportflowError], HTTPStatus]] = MappingProxyType(
    {
        InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
        UnknownTrigger: HTTPStatus.NOT_FOUND,
        TransitionRefused: HTTPStatus.CONFLICT,
        ContentErased: HTTPStatus.GONE,
        StaleRecord: HTTPStatus.PRECONDITION_FAILED,
        RecordNotFound: HTTPStatus.NOT_FOUND,
        AlreadyExists: HTTPStatus.CONFLICT,
        Conflict: HTTPStatus.CONFLICT,
        DuplicateKey: HTTPStatus.CONFLICT,
        StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        StorageBusy: HTTPStatus.SERVICE_UNAVAILABLE,
        StorageClosed: HTTPStatus.SERVICE_UNAVAILABLE,
        TransactionRolledBack: HTTPStatus.SERVICE_UNAVAILABLE,
        BrokerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        ReportflowError: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
#: The status of a refusal all of whose codes are among these.
_OF_REFUSALS: Final = (
    (frozenset({"role", "clearance"}), HTTPStatus.FORBIDDEN),
    (frozenset({"details", "reason"}), HTTPStatus.UNPROCESSABLE_ENTITY),
)
#: After how many seconds to try again, where that is right; a flow has retried for some seconds before it gives up.
RETRY_AFTER: Final = 1


class ProblemDocument(dict[str, Any]):
    """A problem document: a dict as JSON says it, and beside it what goes into the head of the answer."""

    def __init__(self, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(document)
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers))

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self["status"])


def status_of(error: ReportflowError) -> int:
    """The status of an answer that says the error."""
    if isinstance(error, StaleRecord) and not error.named:
        return HTTPStatus.CONFLICT
    if isinstance(error, TransitionRefused):
        codes = {refusal.code for refusal in error.refusals}
        for known, status in _OF_REFUSALS:
            if codes and codes <= known:
                return status
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def problem(error: ReportflowError, language: str = ENGLISH, *, reader: Reader = CLERK) -> ProblemDocument:
    """An error as a problem document, with its texts in a language.

    Its members are ``type`` (a URN of the error's code), ``title``, ``status`` and ``detail``; ``refusals`` of a
    transition that is refused, each with ``code``, ``message`` and ``params``; and ``errors`` of an `InvalidValue`,
    each with ``pointer`` (as a fragment, ``#/authors/0/name``), ``code``, ``message`` and ``params``. Its `headers`
    are those that the answer needs: the media type, the language, and when to try again.

    It says no more than a clerk reads: of a fault of the server that there is one. A record that does not exist and one
    that the caller may not see give the same document.

    Args:
        error: The error.
        language: Of the texts; English where the error's catalog does not have it.
        reader: For whom the texts are; a developer's name fields and triggers as programs do.

    Raises:
        InvalidValue: it is no error of this library.
    """
    if not isinstance(error, ReportflowError):
        raise InvalidValue("error", *type_problem("ReportflowError", error))
    status = status_of(error)
    renderer = error.renderer(language, reader)
    if language not in renderer.catalog.languages():
        renderer = renderer._replace(language=ENGLISH)
    document: dict[str, Any] = {
        "type": f"urn:reportflow:error:{error.code}",
        "title": renderer.text(f"problem.{error.code}" if renderer.has(f"problem.{error.code}") else "problem.error"),
        "status": int(status),
        "detail": _detail(error, renderer, status),
    }
    if isinstance(error, TransitionRefused):
        document["refusals"] = [
            {"code": one.code, "message": one.render(renderer), "params": write_fact(one.params)}
            for one in error.refusals
        ]
    if isinstance(error, InvalidValue):
        document["errors"] = [
            {
                "pointer": f"#{one.pointer}",
                "code": one.code,
                "message": one.render(renderer),
                "params": write_fact(one.params),
            }
            for one in error.problems
        ]
    headers = {"Content-Type": PROBLEM_JSON, "Content-Language": renderer.language}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    return ProblemDocument(_encodable(document), headers)


def _detail(error: ReportflowError, renderer: Renderer, status: int) -> str:
    """What happened and what to do. A fault of the server whose text is for developers alone is not described."""
    own = renderer.has(f"error.{error.code}@{DEVELOPER}") or status < HTTPStatus.INTERNAL_SERVER_ERROR
    if own or renderer.reader == DEVELOPER:
        return error.message(renderer.language, reader=renderer.reader)
    return renderer.text("error.error")


def _encodable(value: Any) -> Any:
    """Plain data that UTF-8 can hold: what was sent may have half of a surrogate pair, in the name of a field too."""
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        case list():
            return [_encodable(one) for one in value]
        case dict():
            return {_encodable(name): _encodable(one) for name, one in value.items()}
    return value
