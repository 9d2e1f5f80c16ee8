"""Forms: every class that JSON can say is shown, read back and refused, at its fields and in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportflow import REFERENCE, Actor, open_flow
from reportflow.analysis.formless import find_formless
from reportflow.model.attachment import Attachment
from reportflow.model.values import not_blank
from reportflow.office import REPORT, Author, Report
from reportflow.serialization.plain import to_plain
from reportflow.serialization.widgets import can_be_shown, long_fields, unshown, widgets_of
from reportflow.web.fields import FormField, id_of
from reportflow.web.forms import Form, WrongForm
from reportflow.web.prefilling import last_revision, of_actor, prefilled, texts_of
from reportflow.web.typed import Typed, name_in, places, read, time_read, time_typed
from reportflow.web.words import Words
from tests.web.odd import CASE, Colour, Journey, Leg, Loose, Puzzle, Story, Trip

SHANGHAI = ZoneInfo("Asia/Shanghai")
LI = Actor(id="li", name="李娜", roles={"contributor", "editor"}, unit="u")
FLOW = open_flow("memory:")


def words(language: str = "en") -> Words:
    """The words of a language, in Chinese time."""
    now = datetime(2022, 5, 1, 12, tzinfo=UTC)
    return Words(FLOW.catalog, language, SHANGHAI, {"report": REPORT, "case": CASE}, now)


def form_of(cls: type[Any] | None, language: str = "en", **more: Any) -> Form:
    """The form of a class of details."""
    return Form.of(cls, words(language), CASE, **more)


def field(fields: tuple[FormField, ...], name: str) -> FormField:
    """The field of a name, at any depth."""
    for one in fields:
        if one.name == name:
            return one
        for several in (one.fields, *(group for _, group in one.groups)):
            if name.startswith(f"{one.name}/"):
                try:
                    return field(several, name)
                except LookupError:
                    continue
    raise LookupError(name)


FULL = Journey(
    trips=(
        Trip(day=date(2022, 4, 27), legs=(Leg(place="府谷", miles=3), Leg(place="b")), paid=False),
        Trip(day=date(2022, 4, 28)),
    ),
    price=Decimal("12.50"),
    colour=Colour.BLUE,
    colours=(Colour.RED, Colour.BLUE),
    settled=False,
    share=0.25,
    size=3,
    due=datetime(2022, 4, 27, 6, 20, 33, tzinfo=UTC),
    words=("a", "b"),
    numbers=(1, 2),
    counts={"x": 1, "y": 2},
    place=("here", 7),
    base=Leg(place="c"),
    essay="One.\nTwo.",
    ground="wet",
    guide="li",
    after="r1",
)


def test_what_a_form_shows_comes_back_the_same() -> None:
    """Details of every kind, put into a form and sent unchanged, are the same details."""
    form = form_of(Journey)
    typed = form.blank(to_plain(FULL))
    assert form.parsed(typed) == FULL
    assert typed["due/date"] == ["2022-04-27"]
    assert typed["due/time"] == ["14:20"], "in the zone of the flow"


def test_a_blank_form_names_every_field_that_is_needed_at_once() -> None:
    """What must be filled in is said at each field, and nothing else."""
    for language, price in (("en", "must not be blank"), ("zh", "不能为空")):
        form = form_of(Journey, language)
        with pytest.raises(WrongForm) as error:
            form.parsed(form.blank())
        assert sorted(error.value.faults) == ["price", "trips"]
        assert price in error.value.faults["price"][0].text


def test_what_is_wrong_stands_at_its_field_and_stays_typed() -> None:
    """Each field that cannot be read has its own fault, at any depth; groups that were left blank do not count."""
    form = form_of(Journey)
    typed = form.with_another(form.blank(), "trips")
    typed |= {
        "trips/1/day": ["April"],
        "trips/1/legs/0/miles": ["three"],
        "price": ["1,2,x"],
        "share": ["much"],
        "due/date": ["2022-02-30"],
        "numbers": ["1\ntwo"],
        "counts": ["x: 1\nbare"],
        "size": ["huge"],
        "place/1": ["seven"],
        "base/miles": ["5"],
    }
    with pytest.raises(WrongForm) as error:
        form.parsed(typed)
    faults = error.value.faults
    assert set(faults) == {
        "trips/1/day", "trips/1/legs/0/miles", "trips/1/legs/0/place", "price", "share", "due", "numbers", "counts",
        "size", "place/0", "place/1", "base/place",
    }  # fmt: skip
    shown = form.shown(typed, faults)
    one = field(shown, "trips/1/day")
    assert (one.value, one.described_by, bool(one.faults)) == ("April", "f-trips-1-day-hint f-trips-1-day-wrong", True)
    assert field(shown, "due").values == ("2022-02-30", "")
    assert len(field(shown, "trips").groups) == 2


def test_groups_are_added_and_removed() -> None:
    """A group more has what a new one has; of a single one that is removed a blank one stays; others are no groups."""
    form = form_of(Journey)
    typed = form.blank(to_plain(FULL))
    more = form.with_another(typed, "trips/0/legs")
    assert places(more, "trips/0/legs") == [0, 1, 2]
    assert more["trips/0/legs/2/miles"] == ["0"]
    fewer = form.without(more, "trips/0/legs/1")
    assert places(fewer, "trips/0/legs") == [0, 2]
    assert form.parsed(fewer).trips[0].legs == (Leg(place="府谷", miles=3),)
    single = form.without(form.without(typed, "trips/0"), "trips/1")
    assert len(places(single, "trips")) == 1
    for wrong in ("price", "nothing", "trips/9/legs/0", ""):
        assert form.with_another(typed, wrong) == typed
        assert form.without(typed, wrong) == typed
    for _ in range(210):
        typed = form.with_another(typed, "trips/0/legs")
    assert len(places(typed, "trips/0/legs")) == 200


def test_kinds_and_labels_of_fields() -> None:
    """Few choices are shown at once, many in a list; labels and hints are those of the lifecycle."""
    shown = form_of(Journey, "zh").shown(form_of(Journey, "zh").blank())
    kinds = {one.name: one.kind for one in shown}
    assert kinds == {
        "trips": "groups", "price": "number", "colour": "radios", "colours": "choices", "settled": "radios",
        "share": "number", "size": "radios", "due": "time", "words": "tags", "numbers": "tags", "counts": "pairs",
        "place": "row", "base": "group", "essay": "long", "ground": "coded", "guide": "person", "after": "record",
    }  # fmt: skip
    assert field(shown, "price").hint == "以元计。"
    assert field(shown, "ground").options == (("wet", "天气不好"),)
    assert [text for _, text in field(shown, "settled").options] == ["不填", "是", "否"]
    report = Form.of(Report, words("zh"), REPORT, REPORT.accepted("create"))
    names = [one.name for one in report.shown(report.blank())]
    assert names[:3] == ["title", "text", "authors"]
    source = field(report.shown(report.blank()), "source")
    assert (source.kind, source.value, dict(source.options)["member"]) == ("select", "member", "政协委员")
    long = report.shown({**report.blank(), "origin": ["x" * 200]})
    assert field(long, "origin").kind == "long", "a text that is long is shown as one"


def test_flags_of_three_answers() -> None:
    """A flag that may be None is a choice of three; one that may not is a box."""
    form = form_of(Journey)
    typed = form.blank(to_plain(FULL))
    shown = field(form.shown(typed), "settled")
    assert shown.kind == "radios"
    assert [value for value, _ in shown.options] == ["", "true", "false"]
    assert form.parsed({**typed, "settled": ["true"]}).settled is True
    assert form.parsed({**typed, "settled": [""]}).settled is None


def test_what_no_form_can_show() -> None:
    """A class that no form can show says which field; one that may be left out is only named; a check finds both."""
    puzzle, loose = form_of(Puzzle), form_of(Loose)
    assert not puzzle.can_be_shown
    assert puzzle.left_out == ("table",)
    assert loose.can_be_shown
    assert loose.left_out == ("table",)
    assert loose.parsed({"name": ["n"]}) == Loose(name="n")
    assert form_of(None).shown({}) == ()
    assert form_of(None).parsed({}) is None
    found = [(one.cls, one.fields, one.required) for one in find_formless(CASE)]
    assert found == [(Puzzle, ("table",), True), (Loose, ("table",), False)]
    assert not list(find_formless(REPORT))


@attrs.frozen
class Endless:
    """A class inside itself, and what else forms do not show."""

    inside: tuple[Endless, ...] = ()
    either: int | str = 0
    flags: tuple[bool, ...] = ()
    lists: tuple[tuple[str, ...], ...] = ()
    anything: object = None


@attrs.frozen
class Plain:
    """Marks and validators."""

    _private: str = attrs.field(alias="private")
    short: str = attrs.field(default="", validator=attrs.validators.max_len(5))
    among: str = attrs.field(default="a", validator=attrs.validators.in_(["a", "b"]))
    few: Colour = attrs.field(default=Colour.RED, validator=attrs.validators.in_([Colour.RED]))
    refers: tuple[str, ...] = attrs.field(default=(), metadata=REFERENCE)
    made: str = attrs.field(default=attrs.Factory(lambda self: self.short, takes_self=True))
    file: Attachment | None = None
    maybe: str | None = attrs.field(default=None, validator=not_blank)
    times: tuple[datetime, ...] = ()


def test_shapes_without_a_widget() -> None:
    """What has no widget is named by its pointer, and asks for nothing where it may be left out."""
    widgets = widgets_of(Endless)
    assert can_be_shown(widgets)
    assert [pointer for pointer, _ in unshown(widgets)] == ["/inside", "/either", "/flags", "/lists", "/anything"]


def test_limits_and_private_names() -> None:
    """Lengths and choices of validators are in the widget; a private name is none of the portal's own."""
    form = form_of(Plain)
    shown = form.shown(form.blank())
    assert field(shown, "short").most == 5
    assert [value for value, _ in field(shown, "among").options] == ["a", "b"]
    assert [value for value, _ in field(shown, "few").options] == ["red"]
    assert (shown[0].name, shown[0].id) == ("/_private", "f-_private")
    assert form.takes_files
    typed = {**form.blank(), "/_private": ["x"], "times": ["2022-04-27 14:20\n2022-04-28T01:00:00Z"]}
    assert form.parsed(typed).times[0] == datetime(2022, 4, 27, 14, 20, tzinfo=UTC)
    assert form.label_of("trips/0/day") == "trips › 1 › day"
    assert id_of("/_a/b") == "f-_a-b"


def test_files_stay_chosen() -> None:
    """A file that stays chosen is part of the value; what the portal did not give out is left out."""
    data: Any = {"name": "a.pdf", "media_type": "application/pdf", "size": 3, "sha256": "0" * 64}
    held = {"sealed": data}
    form = form_of(Plain, seal=lambda _: "sealed", opened=held.get)
    typed = form.blank({"file": data, "_private": "x"})
    assert typed["file/kept"] == ["sealed"]
    assert form.parsed(typed).file == Attachment(**data)
    assert field(form.shown(typed), "file").files == (("sealed", "a.pdf", 3),)
    assert form.parsed({**typed, "file/kept": ["forged"]}).file is None


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("2022-04-27", "14:20", "2022-04-27T06:20:00+00:00"),
        ("2022年4月27日", "14：20", "2022-04-27T06:20:00+00:00"),
        ("2022/4/27", "", "2022-04-27T15:59:00+00:00"),
        ("２０２２.4.27", "9时5分", "2022-04-27T01:05:00+00:00"),
        ("2022-04-27", "25:00", "2022-04-27 25:00"),
        ("tomorrow", "", "tomorrow"),
        ("", "14:20", "14:20"),
        ("0001-01-01", "00:00", "0001-01-01 00:00"),
    ],
)
def test_times_as_people_write_them(day: str, clock: str, expected: str) -> None:
    """A date and a time of day are read in the zone, in several ways of writing; all else stays as it was typed."""
    assert time_read(day, clock, SHANGHAI) == expected


def test_times_that_are_none_are_shown_as_they_are() -> None:
    """What is no time, or lies too near to the end of all time, does not break a form."""
    assert time_typed(None, SHANGHAI) == ("", "")
    assert time_typed("soon", SHANGHAI) == ("soon", "")
    assert time_typed("9999-12-31T23:59:00+00:00", SHANGHAI)[0] == "9999-12-31T23:59:00+00:00"


NAMES = st.sampled_from(
    ["trips/0/_", "trips/0/day", "trips/x/day", "trips/99999999/day", "trips/0/legs/0/place", "price", "colour", "due",
     "due/date", "due/time", "due/was", "guide/id", "guide/was", "guide", "counts", "numbers", "base/place", "settled",
     "colours", "size", "share", "ground", "ground/other", "place/0", "", "/", "essay", "words"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, st.lists(st.text(max_size=12), max_size=3)))
def test_whatever_is_typed_is_read_or_refused(typed: Typed) -> None:
    """Any form that a stranger sends comes to a value or to faults at fields, and can be shown again."""
    form = form_of(Journey, "zh")
    faults: Mapping[str, Any] = {}
    try:
        assert isinstance(form.parsed(typed), Journey)
    except WrongForm as error:
        faults = error.faults
        assert faults
    assert len(form.shown(typed, faults)) == 17
    assert isinstance(read(form.widgets, typed, SHANGHAI, lambda _: None).data, dict)


def test_what_a_form_starts_with() -> None:
    """Only fields that the row puts back where they were start with what the record holds."""
    report = FLOW.create(Report.draft(title="灯", text="暗。", authors=[Author(name="钱")], topics=["a"]), by=LI)
    by_trigger = {one.trigger: one.row for one in FLOW.options(report, by=LI)}
    assert prefilled(by_trigger["edit"], report) == {"text": "暗。", "title": "灯"}
    assert set(prefilled(by_trigger["classify"], report)) == {"number", "topics", "category", "secrecy"}
    assert prefilled(by_trigger["supplement"], report).keys() == {"authors", "source", "origin"}
    assert prefilled(by_trigger["assign"], report) == {"assignee": None, "due_at": None}
    assert prefilled(by_trigger["comment"], report) == {}
    assert prefilled(by_trigger["review"], report) == {}
    assert texts_of(report) == (("text", "暗。"),)
    assert long_fields(Report) == ("text",)
    assert last_revision(REPORT, report, FLOW.history(report.id, by=LI)) is None
    widgets = widgets_of(Report, REPORT.accepted("create"))
    assert of_actor(widgets, LI)["authors"][0] | {"unit": ""} == {"name": "李娜", "id": "li", "unit": ""}
    assert of_actor(widgets, Actor(id="x")) == {}


def test_an_identity_belongs_to_the_name_beside_it() -> None:
    """The id of a person goes with the name that it came with, and is gone when another name is typed."""
    form = Form.of(Report, words(), REPORT, REPORT.accepted("create"))
    typed = form.blank({"title": "t", "text": "x", "authors": [{"name": "李娜", "id": "li"}]})
    assert form.parsed(typed).authors == (Author(name="李娜", id="li"),)
    assert form.parsed({**typed, "authors/0/name": ["王强"]}).authors == (Author(name="王强"),)


def test_names_in_a_form() -> None:
    """A name under a group has its group before it."""
    assert (name_in("", "a"), name_in("g/0", "_a"), name_in("", "_a")) == ("a", "g/0/_a", "/_a")


def test_a_story_without_a_type_of_its_own() -> None:
    """A text of a record that is not declared as long is shown as one where it is."""
    assert [one.kind for one in form_of(Story).shown({"mood": ["a\nb"]})] == ["long", "long"]
