"""Portals for the tests of the API: reports, and a lifecycle of another house whose names are hard on an address."""

from __future__ import annotations

from typing import Any

import attrs
import httpx

from reportflow import ANY, OWN, SAME, UNIT, Actor, Details, Lifecycle, Record, State, Transition, open_flow
from reportflow.model.values import not_blank
from reportflow.office import REPORT, Author, Report
from reportflow.web import Portal, portal
from tests.web.client import Client

LI = Actor(id="li", name="Li Na", roles={"contributor", "editor"}, unit="u", post="editor")
WU = Actor(id="wu", name="Wu", roles={"contributor"}, unit="elsewhere")


@attrs.frozen(kw_only=True)
class Signature(Details):
    """Who signs."""

    name: str = attrs.field(validator=not_blank)


@attrs.frozen(kw_only=True)
class Leave(Record):
    """A request for leave."""

    days: int = 1


#: A kind, an id, a state and a trigger with signs that an address does not take as they are.
LEAVE = Lifecycle(
    name="leave/请假",
    version=1,
    record=Leave,
    label={"en": "leave", "zh": "请假"},
    roles={"clerk": OWN, "head": UNIT, "all": ANY},
    states=[State("asked ~41"), State("granted", final=True)],
    transitions=[
        Transition("ask", source=None, dest="asked ~41", roles={"clerk"}, accepts={"id", "title", "days"}),
        Transition("ask late", source=None, dest="asked ~41", roles={"head"}),
        Transition(
            "sign/off ~41 {x}",
            source="asked ~41",
            dest="granted",
            roles={"head"},
            details=Signature,
            reason_required=True,
        ),
        Transition("history", source={"asked ~41", "granted"}, dest=SAME, roles={"clerk", "head"}),
    ],
)
HEAD = Actor(id="head", name="Head", roles={"clerk", "head", "contributor", "editor"}, unit="u")


def draft(title: str = "Dark lamps", **more: Any) -> Report:
    """A report to be handed in."""
    return Report.draft(title=title, text="Eight at the gate.", authors=[Author(name="Qian")], **more)


def office(actor: Actor = LI, **settings: Any) -> Portal:
    """A portal of reports, in memory."""
    return portal(open_flow("memory:"), authenticate=lambda request: actor, **{"rate": None, **settings})


def leaves(actor: Actor = HEAD) -> Portal:
    """A portal of two kinds, in memory."""
    flow = open_flow("memory:", lifecycles=[LEAVE, REPORT])
    return portal(flow, authenticate=lambda request: actor, rate=None)


def sent(client: Client, path: str, body: Any, **heads: str) -> httpx.Response:
    """A POST of JSON."""
    named = {name.replace("_", "-"): value for name, value in heads.items()}
    return client.request("POST", path, json=body, headers=named)
