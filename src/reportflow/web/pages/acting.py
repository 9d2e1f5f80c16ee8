"""Acting on a record: the form of a transition, what sending it leads to, and the people that a field finds.

GET shows the form, or why there is none; POST fires. Nothing that was typed is lost on the way: what is wrong is said
at its field, another person's change is compared with what was typed, and what can no longer be sent can be read.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from reportflow.errors import InvalidValue
from reportflow.web.answering import answer, keeping, not_allowed, not_shown, show, task_for
from reportflow.web.lookups import OFFERED, name_all, person_text
from reportflow.web.pages.drafts import resumed
from reportflow.web.prefilling import prefilled
from reportflow.web.routes import Route
from reportflow.web.sending import BACK, HEAD, NEXT, SEEN, quietly, received
from reportflow.web.typed import Typed
from reportflow.web.visit import Visit


async def form(visit: Visit) -> Response:
    """The form of a transition; or why it is not offered."""
    task = await task_for(visit, visit.params["id"], visit.params["trigger"])
    record = task.record
    assert record is not None, "a record is acted on"
    if not task.option.allowed:
        return not_allowed(task)
    if not task.form.can_be_shown:
        return not_shown(task)
    kept, actor = visit.site.kept, visit.actor
    await quietly(visit, lambda: kept.open_form(record.id, actor.id, visit.t.person(actor), task.option.trigger))
    drafts = await quietly(visit, lambda: kept.drafts(actor.id, record.id, task.option.trigger)) or []
    asked = visit.request.query_params
    typed: Typed = {
        **task.form.blank(prefilled(task.option.row, record)),
        HEAD: [record.head],
        SEEN: [str(record.version)],
    }
    await name_all(visit, task.form.widgets, typed)
    typed, banners, fresh = resumed(visit, task, typed, drafts)
    typed.update({BACK: [asked.get("from", "")], NEXT: [asked.get("next", "")]})
    return await show(task, typed, drafts=drafts if fresh else (), banners=banners, fresh=fresh)


async def act(visit: Visit) -> Response:
    """Fire the transition, with what was typed."""
    sent = await visit.form()
    typed = received(sent)

    async def work() -> Response:
        task = await task_for(visit, visit.params["id"], visit.params["trigger"])
        return await answer(task, sent, typed)

    try:
        return await keeping(visit, typed, work)
    finally:
        await sent.close()


async def people(visit: Visit) -> Response:
    """The people that a text finds, for the field of a form: as much as the host shows of them to this person."""
    asked = visit.request.query_params
    text = asked.get("q") or asked.get(asked.get("field", ""), "")
    try:
        found = await visit.ask(visit.flow.people, text.strip()[:200], limit=OFFERED) if text.strip() else {}
    except InvalidValue:  # there are none that can be searched, or it is a text that nobody has
        found = {}
    return visit.page("people.html", found=list(dict.fromkeys(map(person_text, found.values()))))


ROUTES: Final = (
    Route("GET", "/r/{id}/do/{trigger}", form),
    Route("POST", "/r/{id}/do/{trigger}", act),
    Route("GET", "/people", people),
)
