"""The lifecycle of a kind: its drawing with a state marked, the same as text, its rows, and who is who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import attrs
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME, Transition
from reportflow.web.counting import kinds_of
from reportflow.web.drawing import drawing
from reportflow.web.routes import Route
from reportflow.web.visit import Visit
from reportflow.web.words import Words


class StateText(NamedTuple):
    """A state of the drawing as text.

    Attributes:
        label: What it is called.
        long: What its records wait for, at length; blank where the label says it all.
        final: Whether nothing more is expected.
        current: Whether it is the marked one.
        address: Of the page with it marked.
        turn: Whose turn it is, in words; blank for nobody's.
        acts: What leads on: each act and where to.
        stays: What may be done without leaving it, in words; blank for nothing.
    """

    label: str
    long: str
    final: bool
    current: bool
    address: str
    turn: str
    acts: tuple[str, ...]
    stays: str


class RowText(NamedTuple):
    """A row of the table in words."""

    act: str
    before: str
    after: str
    who: str
    needs: tuple[str, ...]


class RoleText(NamedTuple):
    """A role in words: what it is called, how far it reaches, and in which states it is its turn."""

    label: str
    reach: str
    turn: str


async def kinds(visit: Visit) -> Response:
    """The kinds of which the person may see records; a single one is shown at once."""
    found = kinds_of(visit.site, visit.actor)
    if len(found) == 1:
        return visit.redirect(visit.urls.to("lifecycle", *found))
    names = [(visit.urls.to("lifecycle", name), visit.t.label("lifecycle", name, name)) for name in found]
    return visit.page("lifecycle.html", kinds=names, lifecycle=None)


async def lifecycle(visit: Visit) -> Response:
    """One lifecycle."""
    found = kinds_of(visit.site, visit.actor)
    name = visit.params["kind"]
    one = found.get(name)
    if one is None:
        raise HTTPException(404)
    given = visit.request.query_params.get("state")
    current = given if any(given == state.name for state in one.states) else None
    others = [
        (visit.urls.to("lifecycle", kind), visit.t.label("lifecycle", kind, kind), kind == name) for kind in found
    ]
    return visit.page(
        "lifecycle.html",
        lifecycle=one,
        kinds=others,
        drawing=drawing(one, visit.t, state=current),
        states=list(_states(visit, one, current)),
        rows=[_row(visit.t, one, row) for row in one.transitions],
        roles=list(_roles(visit.t, one)),
    )


def _states(visit: Visit, lifecycle: Lifecycle, current: str | None) -> Iterator[StateText]:
    t, kind = visit.t, lifecycle.name
    for state in lifecycle.states:
        acts, stays = [], []
        for trigger in lifecycle.triggers:
            found = lifecycle.row(state.name, trigger)
            if found is None or NOBODY in found[0].roles:
                continue
            act = t.label("trigger", trigger, kind)
            others = [dest for dest in found[0].dests(state.name) if dest != state.name]
            if others:
                after = t.join((t.label("state", dest, kind) for dest in others), alternatives=True)
                acts.append(t("lifecycle.goes_to", act=act, state=after))
            else:
                stays.append(act)
        label, long = t.label("state", state.name, kind), t.long_state(state.name, kind)
        yield StateText(
            label,
            "" if long == label else long,
            state.final,
            state.name == current,
            visit.urls.to("lifecycle", kind, state=state.name),
            t("lifecycle.awaits", roles=_role_names(t, lifecycle, state.awaits)) if state.awaits else "",
            tuple(acts),
            t("lifecycle.stays", acts=t.join(stays)) if stays else "",
        )


def _role_names(t: Words, lifecycle: Lifecycle, roles: Iterable[str]) -> str:
    """Some roles in the order of the table, as alternatives."""
    wanted = set(roles)
    known = [*lifecycle.roles, EVERYBODY, NOBODY]
    return t.join((t.label("role", one, lifecycle.name) for one in known if one in wanted), alternatives=True)


def _row(t: Words, lifecycle: Lifecycle, row: Transition) -> RowText:
    kind = lifecycle.name
    if row.dest == SAME:
        after = t("lifecycle.same")
    else:
        after = t.join((t.label("state", one, kind) for one in row.dests(None)), alternatives=True)
    needs = () if NOBODY in row.roles else tuple(_needs(t, lifecycle, row))
    who = t("lifecycle.automatic") if NOBODY in row.roles else _role_names(t, lifecycle, row.roles)
    return RowText(t.label("trigger", row.trigger, kind), _before(t, lifecycle, row), after, who, needs)


def _before(t: Words, lifecycle: Lifecycle, row: Transition) -> str:
    """The states that a row starts from; those that are missing, where these are fewer."""
    names = [state.name for state in lifecycle.states]
    chosen = [name for name in names if name in row.sources]
    missing = [name for name in names if name not in row.sources]

    def joined(several: Iterable[str]) -> str:
        return t.join(t.label("state", one, lifecycle.name) for one in several)

    if None in row.sources:
        return t.join([t("lifecycle.new"), *(t.label("state", one, lifecycle.name) for one in chosen)])
    if not missing:
        return t("lifecycle.any_state") if len(names) > 1 else joined(chosen)
    if len(missing) * 2 < len(chosen):
        return t("lifecycle.any_but", states=joined(missing))
    return joined(chosen)


def _needs(t: Words, lifecycle: Lifecycle, row: Transition) -> Iterator[str]:
    """What must be filled in for a row, and what must hold."""
    new = None in row.sources
    cls = lifecycle.record if new else row.details
    accepted = lifecycle.accepted(row.trigger) if new else None
    for field in attrs.fields(cls) if cls is not None else ():
        if accepted is None or field.alias in accepted:
            label = t.field(field.alias, lifecycle.name, row.trigger)
            yield label if field.default is attrs.NOTHING else t("lifecycle.optional", field=label)
    if row.reason_required:
        yield t("lifecycle.reason")
    for guard in row.guards:
        yield t("lifecycle.guard", guard=t.label("guard", guard.code, lifecycle.name))


def _roles(t: Words, lifecycle: Lifecycle) -> Iterator[RoleText]:
    for role, scope in lifecycle.roles.items():
        reach = t.label("scope", scope, lifecycle.name)
        if role in lifecycle.audits:
            reach = t("lifecycle.audits", reach=reach)
        turn = [t.label("state", state.name, lifecycle.name) for state in lifecycle.states if role in state.awaits]
        yield RoleText(t.label("role", role, lifecycle.name), reach, t.join(turn) if turn else "")


ROUTES: Final = (
    Route("GET", "/lifecycle", kinds),
    Route("GET", "/lifecycle/{kind}", lifecycle),
)
