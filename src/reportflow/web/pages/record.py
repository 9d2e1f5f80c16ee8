"""The page of a record: what it says, what may be done, what became of it; its whole history; its printed page."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from reportflow.model.actor import Secrecy
from reportflow.web import dossier as of_record
from reportflow.web.dossier import Dossier, dossier
from reportflow.web.options import Offers, grouped, roles_of
from reportflow.web.routes import Route
from reportflow.web.timeline import Happening, outcomes, setter_of
from reportflow.web.visit import Visit

#: How many of the latest entries the page of a record shows.
_LATEST: Final = 20


async def record(visit: Visit) -> Response:
    """A record."""
    one = await dossier(visit, visit.params["id"], children=True, options=True)
    offers = grouped(one.options)
    back = visit.urls.own(visit.request.query_params.get("from"), "")
    tag = "" if visit.secrecy > Secrecy.INTERNAL else _tag(visit, one, offers, back)
    return visit.page(
        "record.html",
        tag=tag,
        back=back,
        beside=_beside(visit, back),
        offers=offers,
        why=_why(visit, one, offers),
        later=_later(visit, one, offers),
        latest=one.shown[: -_LATEST - 1 : -1],
        reason=_reason(one),
        due_set=_due_set(visit, one),
        outcomes=outcomes(one.shown),
        files=of_record.attachments(one.record),
        references=of_record.references(one),
        **facts(visit, one),
    )


def facts(visit: Visit, one: Dossier) -> dict[str, Any]:
    """What the templates of all pages of a record show."""
    return {
        "one": one,
        "record": one.record,
        "lifecycle": one.lifecycle,
        "texts": of_record.texts(one.record),
        "particulars": of_record.particulars(one),
        "authors": of_record.authors(one),
        "masthead": of_record.masthead(visit, one),
    }


def _why(visit: Visit, one: Dossier, offers: Offers) -> list[tuple[list[str], list[str]]]:
    """What is for others, with every reason: acts that only other roles may do are named together, by these roles."""
    t, kind = visit.t, one.record.kind
    found: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for option in offers.others:
        roles = [t.label("role", role, kind) for role in roles_of(option, one.lifecycle)]
        by_roles = [t("record.by_roles", roles=t.join(roles, alternatives=True))] if roles else []
        codes = {refusal.code for refusal in option.refusals}
        reasons = list(dict.fromkeys(t.refusal(refusal) for refusal in option.refusals))
        if codes == {"role"} and by_roles:
            key, said = (tuple(roles), by_roles)
        else:
            key, said = (("", option.trigger), reasons if "role" in codes else [*reasons, *by_roles])
        found.setdefault(key, ([], said))[0].append(t.label("trigger", option.trigger, kind))
    return list(found.values())


def _later(visit: Visit, one: Dossier, offers: Offers) -> list[tuple[str, list[str]]]:
    """What cannot be done in the state of the record, each with the states in which it can."""
    t, kind = visit.t, one.record.kind
    return [
        (t.label("trigger", option.trigger, kind), [t.refusal(why) for why in option.refusals if why.code == "state"])
        for option in offers.later
    ]


def _reason(one: Dossier) -> Happening | None:
    """The act that led to the present state, where it gave a reason."""
    moves = [shown for shown in one.shown if shown.state]
    latest = moves[-1] if moves else None
    return latest if latest is not None and latest.entry.reason else None


def _due_set(visit: Visit, one: Dossier) -> Happening | None:
    """The act that set the due date."""
    if one.record.due_at is None:
        return None
    entry = setter_of(one.entries, tuple(visit.flow.lifecycles), "due_at")
    return next((shown for shown in one.shown if shown.entry is entry), None)


def _beside(visit: Visit, back: str) -> tuple[str, ...]:
    """The ways to go on in the list that the reader came from; none where it was no list, or not backward from its top.

    What is there is looked up by `reportflow.web.pages.beside` when it is asked for.
    """
    address, _, row = back.partition("#")
    if address.partition("?")[0] not in (visit.urls.to(""), visit.urls.to("find")):
        return ()
    return ("next",) if row == "row-1" else ("previous", "next")


def _tag(visit: Visit, one: Dossier, offers: Offers, back: str) -> str:
    """What the page depends on: the record, its history as it is read, the offers, names, linked records, the day."""
    several = [
        one.record.head,
        *(f"{shown.entry.sequence} {shown.who} {shown.entry.erased}" for shown in one.shown),
        *(
            f"{option.trigger} {why.code} {why.params} {why.people}"
            for option in offers.others
            for why in option.refusals
        ),
        *(option.trigger for option in offers.now),
        *map(str, sorted(one.names.items())),
        *(f"{record.id} {record.head}" for record in (*one.links.values(), *one.children)),
        back,
        visit.t.date(visit.t.now),
    ]
    return "\x1e".join(several)


async def history(visit: Visit) -> Response:
    """All that happened to a record, as far as the person may read it."""
    one = await dossier(visit, visit.params["id"])
    return visit.page("history.html", items=one.shown[::-1], **facts(visit, one))


async def printed(visit: Visit) -> Response:
    """A record as it is printed."""
    one = await dossier(visit, visit.params["id"])
    return visit.page(
        "print.html", files=of_record.attachments(one.record), signed=of_record.signed(one), **facts(visit, one)
    )


ROUTES: Final = (
    Route("GET", "/r/{id}", record),
    Route("GET", "/r/{id}/history", history),
    Route("GET", "/r/{id}/print", printed),
)
