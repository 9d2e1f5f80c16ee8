"""One form on its way: what it is for, what was typed, and how it is shown, with or without what is wrong with it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.errors import InvalidValue, ReportflowError
from reportflow.lifecycle.decision import Option
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Secrecy
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.web.choosing import with_names, within_clearance
from reportflow.web.fields import Faults, FieldFault, FormField
from reportflow.web.forms import ENDS, Form
from reportflow.web.lookups import opener, sealer
from reportflow.web.portal_store import Draft
from reportflow.web.typed import Typed, first, read, time_read
from reportflow.web.visit import TOKEN, Visit

#: The fields of a form beside those of its class. They begin with ``_``, which no field of a class does.
HEAD, SEEN, KEY, TAB, BACK, NEXT, DRAFT = "_head", "_version", "_key", "_tab", "_from", "_next", "_draft"
REASON, AT = "_reason", "_at"
#: The names of buttons that do something else than send.
ADD, REMOVE, KEEP = "_add", "_remove", "_keep"
#: What is no part of a draft.
NOT_KEPT: Final = frozenset({TOKEN, KEY, TAB, BACK, NEXT, DRAFT, ADD, REMOVE, KEEP})
#: How many characters a draft has at the most.
LONGEST_DRAFT: Final = 2_000_000
_TAB: Final = re.compile(r"[A-Za-z0-9]{0,32}")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


@attrs.frozen(kw_only=True)
class Task:
    """What a form is for: a transition of a record, or the creation of one.

    Attributes:
        visit: The request.
        lifecycle: The definition of the record, or of what is created.
        option: What is offered.
        form: The form of its details or its draft.
        record: The record; None for a creation.
        history: The record's history, as its reader may read it.
    """

    visit: Visit
    lifecycle: Lifecycle
    option: Option
    form: Form
    record: Record | None = None
    history: Sequence[Entry] = ()

    @property
    def kind(self) -> str:
        """The kind of its record."""
        return self.lifecycle.name

    @property
    def draft_key(self) -> str:
        """What its drafts are kept under: the id of the record, or its kind after a colon."""
        return f":{self.kind}" if self.record is None else self.record.id

    @property
    def address(self) -> str:
        """Where the form is sent."""
        urls, trigger = self.visit.urls, self.option.trigger
        if self.record is None:
            return urls.to("new", self.kind, trigger)
        return urls.to("r", self.record.id, "do", trigger)

    @property
    def secrecy(self) -> Secrecy:
        """How secret what it shows is."""
        return Secrecy.INTERNAL if self.record is None else self.record.secrecy

    @property
    def browser_keeps(self) -> bool:
        """Whether a browser may keep its drafts."""
        highest = self.visit.site.settings.browser_drafts
        return highest is not None and self.secrecy <= highest


def task_of(
    visit: Visit,
    lifecycle: Lifecycle,
    option: Option,
    record: Record | None = None,
    history: Sequence[Entry] = (),
) -> Task:
    """The task of an offer.

    Raises:
        InvalidDefinition: a field of the class is of no type that JSON can say.
    """
    form = Form.of(
        option.details if record is not None else option.draft,
        visit.t,
        lifecycle,
        None if record is not None else option.accepts,
        trigger=option.trigger,
        entries=_entries(visit, history),
        seal=sealer(visit),
        opened=opener(visit),
    )
    widgets = within_clearance(form.widgets, option.row, record, visit.actor)
    form = attrs.evolve(form, widgets=with_names(widgets, option.row, lifecycle, history))
    return Task(visit=visit, lifecycle=lifecycle, option=option, form=form, record=record, history=history)


def _entries(visit: Visit, history: Sequence[Entry]) -> Iterable[tuple[str, str]]:
    """The entries that may be named by a form: those that no other one took back, the last one first."""
    gone = {one.retracts for one in history}
    for entry in reversed(history):
        if entry.sequence not in gone and entry.retracts is None and entry.source is not None:
            who, when = visit.t.person(entry.actor), visit.t.date(entry.at)
            yield str(entry.sequence), f"{when} {visit.t.describe(entry)} ({who})"


# -- what was sent --------------------------------------------------------------------------------------------------


def received(form: FormData) -> Typed:
    """What was typed into a form, with the portal's own fields, but without its token and its files."""
    typed: Typed = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name != TOKEN:
            typed.setdefault(name, []).append(value.replace("\r\n", "\n").replace("\r", "\n"))
    return typed


def key_of(typed: Typed) -> str:
    """The idempotency key of a form, made when it was rendered; a new one where it has none."""
    key = first(typed, KEY)
    return key if _KEY.fullmatch(key) else secrets.token_urlsafe(18)


def tab_of(typed: Typed, name: str = TAB) -> str:
    """The tab of the browser that a form is in; blank without script."""
    tab = first(typed, name)
    return tab if _TAB.fullmatch(tab) else ""


def version_seen(typed: Typed) -> int:
    """The version that the form showed; 0 where it does not say."""
    seen = first(typed, SEEN)
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0


def happened_at(visit: Visit, typed: Typed) -> datetime | None:
    """When it happened, as it was typed; None for now.

    Raises:
        InvalidValue: it is no time.
    """
    day, clock = first(typed, f"{AT}/date").strip(), first(typed, f"{AT}/time").strip()
    if not day and not clock:
        return None
    try:
        at = datetime.fromisoformat(time_read(day, clock, visit.t.zone))
        if at.tzinfo is None:
            raise ValueError
    except ValueError:
        raise InvalidValue("at", "not_a_time", {"given": day}) from None
    # a day without a time is over when it ends, or now
    return at if clock else min(at, visit.t.now)


def faults_of(task: Task, error: InvalidValue, typed: Typed) -> dict[str, list[FieldFault]]:
    """What the flow has against what was typed, at each field."""
    found = read(task.form.widgets, typed, task.visit.t.zone, task.form.opened)
    names = {**found.names, "/at": AT, "/reason": REASON}
    return task.form.faults(error, found._replace(names=names))


def draft_of(task_key: str, trigger: str, visit: Visit, typed: Typed) -> Draft:
    """What was typed, as a draft.

    Raises:
        HTTPException: 413, it is too long.
    """
    if sum(len(one) for several in typed.values() for one in several) > LONGEST_DRAFT:
        raise HTTPException(413)
    fields = {name: values for name, values in typed.items() if name not in NOT_KEPT}
    return Draft(visit.actor.id, task_key, trigger, tab_of(typed), first(typed, HEAD)[:64], fields, visit.t.now)


# -- how it is shown ------------------------------------------------------------------------------------------------


def _flat(fields: Iterable[FormField]) -> Iterable[FormField]:
    for one in fields:
        yield one
        yield from _flat(one.fields)
        for _, several in one.groups:
            yield from _flat(several)


def summary(
    task: Task, fields: Sequence[FormField], faults: Faults, general: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """What is wrong, the whole first, then field by field: the id of the field, and the text."""
    found = [("", text) for text in general]
    found += [("", fault.text) for fault in faults.get("", ())]
    shown = {one.name: one for one in _flat(fields)}
    for name, one in shown.items():
        first_of = {
            "radios": f"{one.id}-0",
            "choices": f"{one.id}-0",
            "time": f"{one.id}-date",
            "groups": f"{one.id}-group",
        }
        found += [(first_of.get(one.kind, one.id), fault.text) for fault in faults.get(name, ())]
    for name, id in ((REASON, "f-_reason"), (AT, "f-_at-date")):
        found += [(id, fault.text) for fault in faults.get(name, ())]
    # what is wrong in a field that this page does not show is said all the same
    found += [
        ("", one.text) for name, several in faults.items() if name not in (*shown, "", REASON, AT) for one in several
    ]
    return found


def context(task: Task, typed: Typed, faults: Faults | None = None, general: Iterable[str] = ()) -> dict[str, Any]:
    """What the template of a form shows of it."""
    visit, faults = task.visit, faults or {}
    fields = task.form.shown(typed, faults)
    wrong = summary(task, fields, faults, general)
    settings = visit.site.settings
    highest = settings.browser_drafts
    return {
        "task": task,
        "record": task.record,
        "lifecycle": task.lifecycle,
        "option": task.option,
        "action": visit.t.label("trigger", task.option.trigger, task.kind),
        "fields": fields,
        "ends": ENDS,
        "wrong": wrong,
        "wrong_reason": faults.get(REASON, ()),
        "wrong_at": faults.get(AT, ()),
        "reason": first(typed, REASON),
        "at": (first(typed, f"{AT}/date"), first(typed, f"{AT}/time")),
        "head": first(typed, HEAD),
        "seen": first(typed, SEEN),
        "key": key_of(typed),
        "tab": tab_of(typed),
        "resumed": tab_of(typed, DRAFT),
        "back": visit.urls.own(first(typed, BACK), ""),
        "next_id": first(typed, NEXT)[:200],
        "left_out": task.form.left_out,
        "takes_files": task.form.takes_files,
        "keeps_files": visit.flow.keeps_files,
        "finds_people": visit.flow.finds_people,
        "secrecies": "" if highest is None else " ".join(Secrecy.up_to(highest)),
        "kept_at": None,
        "banners": (),
        "drafts": (),
        "present": (),
        "texts": (),
        "change": None,
        "alike": (),
    }


def unsent(visit: Visit, status: int, title: str, detail: str, typed: Typed, **more: Any) -> Response:
    """A page that keeps what was typed, readable and to be copied, where the form itself cannot be shown or sent."""
    texts = [
        (name, value)
        for name, values in typed.items()
        for value in values
        if value.strip() and (name == REASON or not name.startswith("_"))
    ]
    shown = [(name, value) for name, value in texts if not any(name.endswith(end) for end in ENDS.values())]
    given: Mapping[str, Any] = {"reasons": (), "again": "", "onward": None, "all": (), **more}
    return visit.page("unsent.html", status, title=title, detail=detail, texts=shown, **given)


async def quietly(visit: Visit, call: Any, *args: Any) -> Any:
    """The result of a call of the portal's own tables that an act does not depend on; None where it failed."""
    try:
        return await call(*args)
    except ReportflowError:
        return None
