"""The answers to a form: it is shown, it is done, or it says what is wrong and keeps what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import (
    Conflict,
    DuplicateKey,
    InvalidValue,
    RecordNotFound,
    Refusal,
    StaleRecord,
    StorageError,
    TransitionRefused,
)
from reportflow.flow.queries import KeyUse
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import is_blank
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.serialization.problem import status_of
from reportflow.web.conflicts import conflict_page
from reportflow.web.diffing import diff_markup
from reportflow.web.fields import Faults, FieldFault
from reportflow.web.forms import WrongForm
from reportflow.web.lookups import resolve, similar, upload
from reportflow.web.pages.reading import note_reading
from reportflow.web.portal_store import Draft
from reportflow.web.prefilling import last_revision, texts_of
from reportflow.web.sending import (
    ADD,
    AT,
    BACK,
    DRAFT,
    HEAD,
    KEEP,
    NEXT,
    REASON,
    REMOVE,
    Task,
    context,
    draft_of,
    faults_of,
    happened_at,
    key_of,
    quietly,
    tab_of,
    task_of,
    unsent,
)
from reportflow.web.site import LOG
from reportflow.web.typed import Typed, first
from reportflow.web.visit import Visit

#: How many records of a like title are named.
_ALIKE: Final = 5


def definition(visit: Visit, record: Record) -> Lifecycle:
    """The definition that a record is under."""
    wanted = (record.kind, record.lifecycle_version)
    found: Lifecycle = next(one for one in visit.flow.lifecycles if (one.name, one.version) == wanted)
    return found


async def task_for(visit: Visit, id: str, trigger: str) -> Task:
    """What acting on a record by a trigger is, as things are now.

    Raises:
        RecordNotFound: there is no such record that the person may see.
        HTTPException: 404, its lifecycle has no such trigger for a record.
    """
    record = await visit.ask(visit.flow.get, id)
    visit.shows(record.secrecy)
    lifecycle = definition(visit, record)
    options = await visit.ask(visit.flow.options, record)
    option = next((one for one in options if one.trigger == trigger), None)
    if option is None:  # none, or one that only creates
        raise HTTPException(404)
    history = await visit.ask(visit.flow.history, id)
    return task_of(visit, lifecycle, option, record, history)


# -- showing --------------------------------------------------------------------------------------------------------


async def show(
    task: Task,
    typed: Typed,
    *,
    faults: Faults | None = None,
    general: Sequence[str] = (),
    status: int = 200,
    drafts: Iterable[Draft] = (),
    banners: Sequence[tuple[str, str]] = (),
    kept_at: str = "",
    fresh: bool = False,
) -> Response:
    """The page of a form.

    Args:
        task: What it is for.
        typed: What stands in it.
        faults: What is wrong, by field.
        general: What is wrong with the whole.
        status: Of the answer.
        drafts: Those that may be gone on with.
        banners: What is said above it: the kind of each and its text.
        kept_at: When what stands in it was kept as a draft; blank where it was not.
        fresh: Whether it was opened just now, so that a browser may put back what it kept.
    """
    visit, record = task.visit, task.record
    shown = context(task, typed, faults, general)
    shown.update(drafts=list(drafts), banners=list(banners), kept_at=kept_at, fresh=fresh)
    if record is None:
        shown["alike"] = [] if fresh else await similar(visit, first(typed, "title"), _ALIKE)
        visit.shows(*(one.secrecy for one in shown["alike"]))
    else:
        entry, before = await _last_change(task, record)
        await note_reading(visit, record, *(one for one in (entry, before) if one is not None))
        shown["texts"] = texts_of(record)
        shown["change"] = None if entry is None or before is None else _change(task, entry, before, record)
        if visit.is_staff:
            present = await quietly(visit, lambda: visit.site.kept.present(record.id, but=visit.actor.id))
            shown["present"] = present or ()
    return visit.page("act.html", status, **shown)


async def _last_change(task: Task, record: Record) -> tuple[Entry | None, Record | None]:
    """The last revision of the record's texts, and the record before it; None where nothing is to be judged."""
    entry = last_revision(task.lifecycle, record, list(task.history))
    if entry is None or entry.sequence < 2:
        return None, None
    try:
        return entry, await task.visit.ask(task.visit.flow.as_of, record.id, version=entry.sequence - 1)
    except (InvalidValue, RecordNotFound):
        return None, None


def _change(task: Task, entry: Entry, before: Record, record: Record) -> Any:
    """What a revision changed of the record's texts, marked; None where it changed none."""
    t = task.visit.t
    old, new = dict(texts_of(before)), dict(texts_of(record))
    texts = [
        (t.label("field", name, task.kind), diff_markup(old.get(name, ""), new[name], t), new[name])
        for name in new
        if old.get(name) != new[name]
    ]
    return {"entry": entry, "texts": texts} if texts else None


def not_allowed(task: Task) -> Response:
    """Why there is no form: every reason."""
    visit, option = task.visit, task.option
    record = task.record
    error = TransitionRefused(task.kind, "", 0, option.trigger, option.refusals)
    status = status_of(error)
    return visit.page(
        "refused.html",
        403 if status == 403 else 409,
        action=visit.t.label("trigger", option.trigger, task.kind),
        reasons=[visit.t.refusal(one) for one in option.refusals],
        record=record,
        lifecycle=task.lifecycle,
        why="closed",
        left_out=(),
    )


def not_shown(task: Task) -> Response:
    """That no form can show the class: it is done by the API or in the terminal."""
    visit = task.visit
    return visit.page(
        "refused.html",
        200,
        action=visit.t.label("trigger", task.option.trigger, task.kind),
        reasons=(),
        record=task.record,
        lifecycle=task.lifecycle,
        why="no_form",
        left_out=task.form.left_out,
    )


# -- sending --------------------------------------------------------------------------------------------------------


async def answer(task: Task, sent: FormData, typed: Typed) -> Response:
    """The answer to a form that was sent, whichever of its buttons was pressed."""
    visit = task.visit
    if not task.form.can_be_shown:
        return not_shown(task)
    faults = await upload(visit, sent, task.form, typed)
    if add := first(typed, ADD):
        return await show(task, task.form.with_another(typed, add), faults=faults)
    if remove := first(typed, REMOVE):
        return await show(task, task.form.without(typed, remove), faults=faults)
    if first(typed, KEEP):
        try:
            draft = draft_of(task.draft_key, task.option.trigger, visit, typed)
        except HTTPException as error:  # it is too long: it stays on the page
            return await show(task, typed, general=[visit.t("error.detail_413")], status=error.status_code)
        saved_at = await visit.site.kept.save_draft(draft)
        return await show(task, typed, faults=faults, kept_at=visit.t.clock(saved_at))
    for name, several in (await resolve(visit, task.form, typed)).items():
        faults.setdefault(name, []).extend(several)
    more = {"kind": task.kind} if task.record is None else None
    value = None
    try:
        value = task.form.parsed(typed, more)
    except WrongForm as error:
        for name, found in error.faults.items():
            faults.setdefault(name, list(found))
    at: datetime | None = None
    if task.record is not None:
        _check_reason(task, typed, faults)
        try:
            at = happened_at(visit, typed)
        except InvalidValue as error:
            faults[AT] = faults_of(task, error, typed)[AT]
    if faults:
        return await show(task, typed, faults=faults, status=422)
    return await _send(task, typed, value, at)


def _check_reason(task: Task, typed: Typed, faults: dict[str, list[FieldFault]]) -> None:
    """Say that a reason is missing in the words of the flow, beside all else that is."""
    if task.option.reason_required and is_blank(first(typed, REASON)):
        facts = {"lifecycle": task.kind, "trigger": task.option.trigger}
        missing = Refusal(code="reason", params=facts, labels=task.option.labels)
        faults[REASON] = [FieldFault(task.visit.t.refusal(missing))]


async def _send(task: Task, typed: Typed, value: Any, at: datetime | None) -> Response:
    visit, record, trigger, key = task.visit, task.record, task.option.trigger, key_of(typed)
    try:
        if record is None:
            await visit.ask(visit.flow.create, value, trigger=trigger, key=key)
        else:
            reason = first(typed, REASON).strip()
            head = first(typed, HEAD) or None
            await visit.ask(visit.flow.fire, record.id, trigger, value, reason=reason, at=at, key=key, head=head)
    except TransitionRefused as error:
        status = status_of(error)
        if record is not None and not {one.code for one in error.refusals} <= {"reason", "details"}:
            again = await task_for(visit, record.id, trigger)
            if not again.option.allowed and again.record is not None and again.record.head != record.head:
                return await conflict_page(again, typed)
        return await show(task, typed, general=[visit.t.refusal(one) for one in error.refusals], status=status)
    except (StaleRecord, Conflict):
        assert record is not None, "a creation meets no other writer"
        return await conflict_page(await task_for(visit, record.id, trigger), typed)
    except DuplicateKey:
        return await _already(visit, key, typed)
    except InvalidValue as error:
        return await show(task, typed, faults=faults_of(task, error, typed), status=422)
    except RecordNotFound as error:
        if record is None or record.id not in error.ids:  # another one, that the form names
            return await show(task, typed, general=[visit.t.error(error)], status=422)
        raise
    return await _receipt(task, typed, key)


async def _already(visit: Visit, key: str, typed: Typed) -> Response:
    """That the form was sent before with another text: what was typed now is kept on the page."""
    used = await quietly(visit, lambda: visit.ask(visit.flow.by_key, key))
    onward = visit.urls.to("receipt", used.record_id, str(used.sequence)) if used and used.record else None
    return unsent(visit, 409, visit.t("form.already_title"), visit.t("form.already_detail"), typed, onward=onward)


async def _receipt(task: Task, typed: Typed, key: str) -> Response:
    """Lead to the receipt; what was kept of the form is dropped."""
    visit = task.visit
    used: KeyUse = await visit.ask(visit.flow.by_key, key)
    kept, actor, trigger = visit.site.kept, visit.actor.id, task.option.trigger
    for tab in dict.fromkeys((tab_of(typed), tab_of(typed, DRAFT))):
        await quietly(visit, lambda tab=tab: kept.drop_drafts(actor, task.draft_key, trigger, tab))
    if task.record is not None:
        await quietly(visit, lambda: kept.close_form(used.record_id, actor))
    done = "" if used.record else visit.signer.sealed("receipt" + actor, f"{used.record_id}/{used.sequence}")
    back = visit.urls.own(first(typed, BACK), "")
    return visit.redirect(
        visit.urls.to(
            "receipt", used.record_id, str(used.sequence), from_=back, next_=first(typed, NEXT)[:200], done=done
        )
    )


async def keeping(visit: Visit, typed: Typed, work: Any) -> Response:
    """The answer of some work on a form; where the storage fails, a page that keeps what was typed."""
    try:
        response: Response = await work()
    except StorageError as error:
        status = status_of(error)
        if status >= 500:
            LOG.error("%s: %s", visit.request.method, type(error).__name__, exc_info=error)
        title = visit.t(f"error.title_{status if visit.t.has(f'error.title_{status}') else 500}")
        return unsent(visit, status, title, visit.t.error(error), typed, again=visit.path, all=_all(typed))
    return response


def _all(typed: Typed) -> list[tuple[str, str]]:
    return [(name, value) for name, values in typed.items() for value in values]
