"""Creating a record: what may be created, the form of its draft, and titles like the one that is typed."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.web.answering import answer, keeping, not_allowed, not_shown, show
from reportflow.web.lookups import similar
from reportflow.web.pages.drafts import resumed
from reportflow.web.prefilling import of_actor
from reportflow.web.routes import Route
from reportflow.web.sending import BACK, Task, quietly, received, task_of
from reportflow.web.visit import Visit

#: How many records of a like title are named.
_ALIKE: Final = 5


async def choose(visit: Visit) -> Response:
    """What may be created; the form itself where there is one thing only."""
    kinds = [
        (lifecycle, await visit.ask(visit.flow.options, kind)) for kind, lifecycle in visit.site.lifecycles.items()
    ]
    several = [(lifecycle, option) for lifecycle, options in kinds for option in options]
    if len(several) == 1 and several[0][1].allowed:
        lifecycle, option = several[0]
        asked = {"from_": visit.request.query_params.get("from", "")}
        return visit.redirect(visit.urls.to("new", lifecycle.name, option.trigger, **asked))
    # a kind that is closed to the person altogether is no offer, as long as another one is open
    shown = [pair for pair in several if pair[1].allowed] or several
    return visit.page("new.html", several=shown)


async def _task(visit: Visit) -> Task:
    kind, trigger = visit.params["kind"], visit.params["trigger"]
    lifecycle = visit.site.lifecycles.get(kind)
    if lifecycle is None:
        raise HTTPException(404)
    options = await visit.ask(visit.flow.options, kind)
    option = next((one for one in options if one.trigger == trigger), None)
    if option is None:
        raise HTTPException(404)
    return task_of(visit, lifecycle, option)


async def form(visit: Visit) -> Response:
    """The form of a new record; or why it is not offered."""
    task = await _task(visit)
    if not task.option.allowed:
        return not_allowed(task)
    if not task.form.can_be_shown:
        return not_shown(task)
    kept = visit.site.kept
    drafts = await quietly(visit, lambda: kept.drafts(visit.actor.id, task.draft_key, task.option.trigger)) or []
    typed, banners, fresh = resumed(visit, task, task.form.blank(of_actor(task.form.widgets, visit.actor)), drafts)
    typed[BACK] = [visit.request.query_params.get("from", "")]
    return await show(task, typed, drafts=drafts if fresh else (), banners=banners, fresh=fresh)


async def create(visit: Visit) -> Response:
    """Create the record, with what was typed."""
    sent = await visit.form()
    typed = received(sent)

    async def work() -> Response:
        return await answer(await _task(visit), sent, typed)

    try:
        return await keeping(visit, typed, work)
    finally:
        await sent.close()


async def alike(visit: Visit) -> Response:
    """Records that the person may see with a title like the one that is typed: a hint, which stops nobody."""
    found = await similar(visit, visit.request.query_params.get("title", ""), _ALIKE)
    visit.shows(*(one.secrecy for one in found))
    return visit.page("alike.html", alike=found)


ROUTES: Final = (
    Route("GET", "/new", choose),
    Route("GET", "/new/{kind}/{trigger}", form),
    Route("POST", "/new/{kind}/{trigger}", create),
    Route("GET", "/similar", alike),
)
