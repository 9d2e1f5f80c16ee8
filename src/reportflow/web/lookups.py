"""What a form's texts stand for: people and records by what is typed of them, and files that are sent.

A person types a name, and never an id. Where the host's people can be searched, the name is looked up when the form is
sent: one person found is taken, of several one is chosen, and an id is accepted too. What was found stands in hidden
fields beside the name, and counts as long as the name is not changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from reportflow.errors import InvalidValue, RecordNotFound, ReportflowError
from reportflow.model.actor import Person
from reportflow.model.query import Query, folded
from reportflow.model.record import Record
from reportflow.serialization.plain import write_fact
from reportflow.serialization.widgets import Widget
from reportflow.web.fields import FieldFault
from reportflow.web.forms import Form
from reportflow.web.typed import ID, KEPT, PICKED, WAS, Typed, first, inner
from reportflow.web.visit import Visit

#: How many people or records are offered where one is sought.
OFFERED: Final = 20
#: How many records are offered.
_RECORDS: Final = 8
#: How long a text is that is looked for.
_LONGEST: Final = 200
_FILE: Final = "file"


def person_text(person: Person) -> str:
    """A person as a form has them: name, post and unit."""
    return " ".join(part for part in (person.name, person.post, person.unit) if part)


# -- files ----------------------------------------------------------------------------------------------------------


def sealer(visit: Visit) -> Callable[[Any], str]:
    """What makes of a file's data the text by which it stays chosen, for this person."""
    return lambda data: visit.signer.sealed(_FILE + visit.actor.id, json.dumps(data, ensure_ascii=False))


def opener(visit: Visit) -> Callable[[str], Any]:
    """What gives the data of such a text; None for one that is not this person's."""

    def opened(text: str) -> Any:
        found = visit.signer.opened(_FILE + visit.actor.id, text)
        return (
            None
            if found is None
            else {name: value for name, value in json.loads(found).items() if not name.startswith("$")}
        )

    return opened


async def upload(visit: Visit, sent: FormData, form: Form, typed: Typed) -> dict[str, list[FieldFault]]:
    """Keep the files that were sent, each under the name of its field; say what is wrong with the others."""
    faults: dict[str, list[FieldFault]] = {}
    seal = sealer(visit)
    for widget, name, _ in list(inner(form.widgets, typed)):
        if widget.kind not in ("file", "files"):
            continue
        for one in sent.getlist(name):
            if not isinstance(one, UploadFile) or not one.filename:
                continue
            try:
                kept = await visit.ask(
                    visit.flow.upload, await one.read(), name=one.filename, media_type=one.content_type or ""
                )
            except InvalidValue as error:
                text = " ".join(fault.text for several in form.faults(error).values() for fault in several)
                faults.setdefault(name, []).append(FieldFault(visit.t("form.file_wrong", file=one.filename, why=text)))
                continue
            data = write_fact(kept)
            others = [] if widget.kind == "file" else typed.get(name + KEPT, [])
            typed[name + KEPT] = [*others, seal(data)]
    return faults


# -- people and records ---------------------------------------------------------------------------------------------


async def resolve(visit: Visit, form: Form, typed: Typed) -> dict[str, list[FieldFault]]:
    """Look up the people and records that were typed; what cannot be decided is said, with what may be chosen."""
    faults: dict[str, list[FieldFault]] = {}
    for widget, name, group in list(inner(form.widgets, typed)):
        if widget.kind == "identity":
            await _identify(visit, typed, f"{group}/name", name)
        elif widget.kind in ("person", "record") and first(typed, name).strip():
            find = _person if widget.kind == "person" else _record
            fault = await find(visit, typed, name)
            if fault is not None:
                faults[name] = [fault]
    return faults


def _settle(typed: Typed, name: str, id: str, text: str) -> None:
    typed[name], typed[name + ID], typed[name + WAS] = [text], [id], [text]


def _is_settled(typed: Typed, name: str) -> bool:
    return bool(first(typed, name + ID)) and first(typed, name).strip() == first(typed, name + WAS).strip()


async def _person(visit: Visit, typed: Typed, name: str) -> FieldFault | None:
    """The person of a field; None where it is settled, or the flow is to judge."""
    if not visit.flow.finds_people:
        return None  # an id, for the flow to judge
    picked = first(typed, name + PICKED)
    if not picked and _is_settled(typed, name):
        return None
    text = first(typed, name).strip()[:_LONGEST]
    by_id = await visit.ask(visit.flow.people, [picked or text])
    found = by_id or await _search(visit, text)
    exact = {id: one for id, one in found.items() if text in (one.name, person_text(one))}
    chosen = by_id or (exact if len(exact) == 1 else found)
    if len(chosen) == 1:
        ((id, one),) = chosen.items()
        _settle(typed, name, id, person_text(one) or id)
        return None
    typed.pop(name + ID, None)
    if not chosen:
        return FieldFault(visit.t("form.nobody", name=text))
    return FieldFault(visit.t("form.several_people", name=text), _distinguished(chosen))


def _distinguished(found: Mapping[str, Person]) -> tuple[tuple[str, str], ...]:
    """People as choices: an id is shown only of those whom nothing else distinguishes."""
    texts = [person_text(one) for one in found.values()]
    return tuple(
        (id, text if texts.count(text) == 1 and text else f"{text} ({id})".strip())
        for id, text in zip(found, texts, strict=True)
    )


async def _search(visit: Visit, text: str) -> dict[str, Person]:
    """The people that a text finds; none where the host cannot say at the moment."""
    try:
        found: dict[str, Person] = await visit.ask(visit.flow.people, text, limit=OFFERED)
    except InvalidValue:  # a text that cannot be looked for
        return {}
    return found


async def _identify(visit: Visit, typed: Typed, name: str, identity: str) -> None:
    """The id that belongs to a name: as it came, or that of a person who was chosen from those that were found."""
    text = first(typed, name).strip()
    if not text or not visit.flow.finds_people or text == first(typed, identity + WAS).strip() or " " not in text:
        return
    found = {id: one for id, one in (await _search(visit, text)).items() if person_text(one) == text}
    if len(found) == 1:
        ((id, one),) = found.items()
        typed[name], typed[identity], typed[identity + WAS] = [one.name], [id], [one.name]


async def _record(visit: Visit, typed: Typed, name: str) -> FieldFault | None:
    """The record of a field, by its id, number or title; what is not found is left to the flow."""
    picked = first(typed, name + PICKED)
    if not picked and _is_settled(typed, name):
        return None
    text = first(typed, name).strip()[:_LONGEST]
    try:
        one: Record = await visit.ask(visit.flow.get, picked or text)
    except (InvalidValue, RecordNotFound):
        found = await similar(visit, text.strip("《》"), _RECORDS + 1)
    else:
        found = [one]
    exact = [one for one in found if folded(text.strip("《》")) in (folded(one.title), folded(one.reference))]
    chosen = exact if len(exact) == 1 else found
    if len(chosen) == 1:
        _settle(typed, name, chosen[0].id, visit.t.title(chosen[0]))
        return None
    typed.pop(name + ID, None)
    if not chosen:
        return None
    visit.shows(*(one.secrecy for one in chosen))
    return FieldFault(
        visit.t("form.several_records"),
        tuple((one.id, _record_text(visit, one)) for one in chosen[:_RECORDS]),
    )


def _record_text(visit: Visit, record: Record) -> str:
    number = f"{record.reference} " if record.reference else ""
    return f"{number}{visit.t.title(record)} · {visit.t.label('state', record.state, record.kind)}"


async def similar(visit: Visit, title: str, limit: int) -> list[Record]:
    """Records that the person may see with a title like this, the newest first; none where it is too short.

    It only helps: what fails is no reason not to go on.
    """
    text = title.strip()[:_LONGEST]
    if len(text) < 2:
        return []
    try:
        page = await visit.ask(visit.flow.find, Query(text=text, order="-created_at", limit=50))
    except ReportflowError:
        return []
    wanted = folded(text)
    return [one for one in page.records if wanted in folded(one.title)][:limit]


# -- what stands in a form at first ---------------------------------------------------------------------------------


async def name_all(visit: Visit, widgets: Sequence[Widget], typed: Typed) -> None:
    """Show names in place of the ids of people and records that stand in a form."""
    held = [
        (widget.kind, name, first(typed, name))
        for widget, name, _ in inner(widgets, typed)
        if widget.kind in ("person", "record") and first(typed, name) and not first(typed, name + ID)
    ]
    people = [id for kind, _, id in held if kind == "person"]
    records = [id for kind, _, id in held if kind == "record"]
    known: dict[str, str] = {}
    if people:
        found = await visit.ask(visit.flow.people, people)
        known.update({id: person_text(one) for id, one in found.items()})
    if records:
        page = await visit.ask(visit.flow.find, Query(id=records, limit=len(records)))
        known.update({one.id: visit.t.title(one) for one in page.records})
    for _, name, id in held:
        if known.get(id):
            _settle(typed, name, id, known[id])
