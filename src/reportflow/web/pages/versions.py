"""A record as it was, and what changed between two of its versions."""

from __future__ import annotations

from typing import Final, NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from reportflow.analysis.sentences import sentences
from reportflow.analysis.wording import differences
from reportflow.model.entry import Entry
from reportflow.model.record import SET_BY_FOLD, Record
from reportflow.model.values import field_names
from reportflow.web import dossier as of_record
from reportflow.web.diffing import beside, inline, summary_text
from reportflow.web.dossier import Dossier, dossier, version_of
from reportflow.web.markup import paragraphs
from reportflow.web.pages.reading import note_reading
from reportflow.web.pages.record import facts
from reportflow.web.routes import Route
from reportflow.web.timeline import Happening, long_fields, versions, written_text
from reportflow.web.visit import Visit

#: The ways in which a difference is shown.
VIEWS: Final = ("inline", "sides", "result")
#: How many characters of texts are compared to say how much each act changed.
_EFFORT: Final = 2_000_000
#: Of how many acts and sentences it is said who wrote which sentence.
_ACTS, _SENTENCES = 50, 100


class _Text(NamedTuple):
    """One text of a record, compared."""

    field: str
    summary: str
    shown: Markup
    new: str


class _Act(NamedTuple):
    """One act between the two versions that wrote a text, and how much it changed."""

    happening: Happening
    before: int
    summary: str


class _Written(NamedTuple):
    """A sentence that the later version has and the earlier one had not, and the act that wrote it."""

    sentence: str
    happening: Happening


async def changes(visit: Visit) -> Response:
    """What changed between two versions; by default since the person acted last, else since the text before."""
    one = await dossier(visit, visit.params["id"])
    query = visit.request.query_params
    later = version_of(visit, query["to"], one.record) if query.get("to") else one.record.version
    earlier = version_of(visit, query["from"], one.record) if query.get("from") else _default(visit, one, later)
    if earlier > later:
        earlier, later = later, earlier
    old, new = await _as_of(visit, one, earlier), await _as_of(visit, one, later)
    view = query.get("view", VIEWS[0])
    view = view if view in VIEWS else VIEWS[0]
    fields = tuple(dict.fromkeys((*long_fields(old), *long_fields(new))))
    acts = _acts(visit, one, fields, earlier, later)
    return visit.page(
        "changes.html",
        view=view,
        views=VIEWS,
        earlier=earlier,
        later=later,
        compared=[_compared(visit, name, getattr(old, name), getattr(new, name), view) for name in fields],
        others=_others(one, old, new, fields),
        acts=acts,
        authorship=_authorship(visit, one, old, new, fields, acts),
        choices=_choices(visit, one, fields, earlier, later),
        **facts(visit, one),
    )


def _default(visit: Visit, one: Dossier, later: int) -> int:
    """The version from which on a reader wants to see changes: their own last one, else the text before this one."""
    own = [entry.sequence for entry in one.entries if entry.actor.id == visit.actor.id and entry.sequence <= later]
    wrote = [entry.sequence for entry in _wrote(visit, one) if entry.sequence <= later]
    latest = wrote[-1] if wrote else later
    if own and own[-1] < latest:
        return own[-1]
    return max(1, latest - 1)


def _wrote(visit: Visit, one: Dossier) -> list[Entry]:
    return versions(one.entries, tuple(visit.flow.lifecycles), long_fields(one.record))


async def _as_of(visit: Visit, one: Dossier, version: int) -> Record:
    """A record at a version.

    Raises:
        RecordNotFound: the person may not see it as it was.
    """
    if version == one.record.version:
        return one.record
    then: Record = await visit.ask(visit.flow.as_of, one.record.id, version=version)
    if then.secrecy > max((one.record.secrecy, *(entry.secrecy for entry in one.entries))):  # else it is noted already
        await note_reading(visit, then)
    return then


def _compared(visit: Visit, field: str, old: str, new: str, view: str) -> _Text:
    spans = differences(old, new)
    shown = paragraphs(new) if view == "result" else (beside if view == "sides" else inline)(spans, visit.t)
    return _Text(field, summary_text(spans, visit.t), shown, new)


def _others(one: Dossier, old: Record, new: Record, without: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """The other fields that differ, before and after."""
    found = []
    for name in field_names(type(new)):
        if name in SET_BY_FOLD or name in without or getattr(old, name) == getattr(new, name):
            continue
        before, after = (one.phrases.field(record, name, one.lifecycle) for record in (old, new))
        if before != after:
            found.append((name, before, after))
    return found


def _acts(visit: Visit, one: Dossier, fields: tuple[str, ...], earlier: int, later: int) -> list[_Act]:
    """Who wrote the texts between two versions, one act after the other, as far as the reader may see the acts."""
    lifecycles = tuple(visit.flow.lifecycles)
    last: dict[str, str] = {}
    found = []
    effort = _EFFORT
    for shown in one.shown:
        sequence = shown.entry.sequence
        written = {name: text for name in fields if (text := written_text(shown.entry, lifecycles, name)) is not None}
        if earlier < sequence <= later and written:
            pairs = [(last[name], text) for name, text in written.items() if name in last]
            effort -= sum(len(old) + len(new) for old, new in pairs)
            spans = [span for pair in pairs for span in differences(*pair)] if effort > 0 else None
            found.append(_Act(shown, sequence - 1, "" if spans is None else summary_text(spans, visit.t)))
        last.update(written)
    return found


def _authorship(
    visit: Visit, one: Dossier, old: Record, new: Record, fields: tuple[str, ...], acts: list[_Act]
) -> list[_Written]:
    """Whose each new sentence is, where several people wrote between two versions: who had it first."""
    if len({act.happening.who for act in acts}) < 2:
        return []
    lifecycles = tuple(visit.flow.lifecycles)
    found: list[_Written] = []
    for name in fields:
        known = {sentence.strip() for sentence in sentences(getattr(old, name))} | {""}
        first: dict[str, Happening] = {}
        for act in acts[:_ACTS]:
            for sentence in sentences(written_text(act.happening.entry, lifecycles, name) or ""):
                first.setdefault(sentence.strip(), act.happening)
        several = (sentence.strip() for sentence in sentences(getattr(new, name)))
        found += [_Written(one, first[one]) for one in dict.fromkeys(several) if one not in known and one in first]
    return found[:_SENTENCES]


def _choices(visit: Visit, one: Dossier, fields: tuple[str, ...], *chosen: int) -> list[tuple[int, str]]:
    """The versions that can be compared: those whose texts differ, and the ones that are shown."""
    wrote = {entry.sequence for entry in _wrote(visit, one)} | {one.record.version, *chosen}
    names = {shown.entry.sequence: named(visit, shown) for shown in one.shown}
    return [(sequence, names.get(sequence) or visit.t("record.one", number=sequence)) for sequence in sorted(wrote)]


def named(visit: Visit, shown: Happening) -> str:
    """What a version is called: by the act that made it."""
    return visit.t("record.named", time=visit.t.time(shown.entry.at), what=shown.what)


async def version(visit: Visit) -> Response:
    """A record as it was after one of its entries."""
    one = await dossier(visit, visit.params["id"])
    number = version_of(visit, visit.params["version"], one.record)
    then = await _as_of(visit, one, number)
    made = next((shown for shown in one.shown if shown.entry.sequence == number), None)
    context = facts(visit, one) | {
        "then": then,
        "texts": of_record.texts(then),
        "particulars": of_record.particulars(one, then),
        "authors": of_record.authors(one, then),
        "files": of_record.attachments(then),
        "number": number,
        "name": named(visit, made) if made else visit.t("record.one", number=number),
    }
    return visit.page("version.html", **context)


ROUTES: Final = (
    Route("GET", "/r/{id}/changes", changes),
    Route("GET", "/r/{id}/at/{version}", version),
)
