"""Forms, made from a class of details or of a record: what each field looks like and holds, and what is wrong with it.

`Form.of` is what a page shows a class with; `Form.shown` gives its fields as they stand, with what was typed and what
is wrong, for the macros of ``fields.html``; `Form.parsed` makes the value of what was typed, or says every fault at its
field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from reportflow.errors import FieldProblem, InvalidValue
from reportflow.i18n.catalog import Renderer
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.record import Record, required_fields
from reportflow.model.values import field_names
from reportflow.serialization.parse import parse
from reportflow.serialization.widgets import Widget, can_be_shown, unshown, widgets_of
from reportflow.web.fields import Faults, FieldFault, FormField, id_of
from reportflow.web.labelled import code_of, label_of
from reportflow.web.typed import (
    HERE,
    ID,
    KEPT,
    MOST_GROUPS,
    OTHER,
    PICKED,
    WAS,
    ReadForm,
    Typed,
    constant_text,
    first,
    inner,
    name_in,
    places,
    plain_defaults,
    read,
    tags_of,
    typed_of,
)
from reportflow.web.words import Words

#: Up to how many choices are shown at once, rather than in a list that opens.
_RADIOS: Final = 5
#: From how many characters on a text is long, though it is not declared so.
_LONG: Final = 120


@attrs.frozen(kw_only=True)
class Form:
    """The form of a class, in the words of a reader.

    Attributes:
        cls: The class; None for what has no details.
        widgets: Its widgets.
        t: The words.
        lifecycle: Whose labels the fields have.
        trigger: What it is filled in for, since a field may have a label of its own there.
        accepts: Of a creation, what its draft may bring.
        entries: What may be chosen of the record's history: sequence and text.
        seal: Makes of a file's data the text by which it stays chosen, and `opened` the other way round.
        opened: Gives None for a text that is none of this person's.
    """

    cls: type[Any] | None
    widgets: tuple[Widget, ...]
    t: Words
    lifecycle: Lifecycle
    trigger: str = ""
    accepts: Collection[str] | None = None
    entries: tuple[tuple[str, str], ...] = ()
    seal: Callable[[Any], str] = str
    opened: Callable[[str], Any] = lambda _: None

    @classmethod
    def of(
        cls,
        of: type[Any] | None,
        t: Words,
        lifecycle: Lifecycle,
        accepts: Collection[str] | None = None,
        *,
        trigger: str = "",
        entries: Iterable[tuple[str, str]] = (),
        seal: Callable[[Any], str] = str,
        opened: Callable[[str], Any] = lambda _: None,
    ) -> Form:
        """The form of a class.

        Args:
            of: The class; None where there are no details: a form without fields.
            t: The words.
            lifecycle: Whose labels the fields have.
            accepts: Of a creation, what its draft may bring.
            trigger: What it is filled in for; blank for nothing in particular.
            entries: What may be chosen of the record's history: sequence and text.
            seal: Makes of a file's data the text by which it stays chosen.
            opened: Gives them back; None for what is none of this person's.

        Raises:
            InvalidDefinition: a field is of no type that JSON can say.
        """
        widgets = () if of is None else widgets_of(of, accepts)
        if of is not None and accepts is not None:  # a draft: what it must bring first, what all records have last
            needed, common = required_fields(of), field_names(Record)
            widgets = tuple(
                sorted(
                    widgets,
                    key=lambda one: (False, one.name != "title") if one.name in needed else (True, one.name in common),
                )
            )
        return cls(
            cls=of,
            widgets=widgets,
            t=t,
            lifecycle=lifecycle,
            trigger=trigger,
            accepts=accepts,
            entries=tuple(entries),
            seal=seal,
            opened=opened,
        )

    # -- what it can show ------------------------------------------------------------------------------------------

    @property
    def can_be_shown(self) -> bool:
        """Whether it has a field for all that must be filled in."""
        return can_be_shown(self.widgets)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What people call the fields that it cannot show."""
        return tuple(self._label(tuple(pointer.split("/")[1:])) for pointer, _ in unshown(self.widgets))

    def _own_label(self, above: Sequence[str], name: str) -> str:
        """What people call a field: ``authors.unit``, where that has a label of its own, before ``unit``."""
        within = next((one for one in reversed(above) if not one.isdecimal()), self.trigger)
        return self.t.field(name, self.lifecycle.name, within)

    def label_of(self, name: str) -> str:
        """What people call a field of a name in the form."""
        return self._label([part for part in name.split("/") if part])

    @property
    def takes_files(self) -> bool:
        """Whether files are sent with it."""
        return any(_takes_files(one) for one in self.widgets)

    def _label(self, path: Sequence[str]) -> str:
        """What people call a field, with those that it is in."""
        shown = [
            str(int(one) + 1) if one.isdecimal() else self._own_label(path[:place], one)
            for place, one in enumerate(path)
        ]
        return " › ".join(shown)

    # -- what stands in it -----------------------------------------------------------------------------------------

    def blank(self, given: Mapping[str, Any] | None = None) -> Typed:
        """What stands in it at first: what fields hold unless they are filled in, or some plain data."""
        plain = {**plain_defaults(self.widgets), **(given or {})}
        typed = typed_of(self.widgets, plain, self.t.zone, self.seal)
        return self._with_tags(typed, lambda tag, field: label_of(tag, field, self.t, (self.lifecycle,)))

    def _with_tags(self, typed: Mapping[str, Sequence[str]], change: Callable[[str, str], str]) -> Typed:
        """The same with each tag changed: labels are read and typed, codes are kept."""
        changed = {name: list(values) for name, values in typed.items()}
        for one, name, _ in inner(self.widgets, typed):
            if one.kind == "tags" and first(typed, name):
                changed[name] = ["\n".join(change(tag, one.name) for tag in tags_of(one, first(typed, name)))]
        return changed

    def with_another(self, typed: Typed, name: str) -> Typed:
        """The same with one group more under a name; unchanged where it has no groups of that name."""
        widget = _groups_of(self.widgets, typed, name)
        here = places(typed, name)
        if widget is None or len(here) >= MOST_GROUPS:
            return typed
        start = f"{name}/{here[-1] + 1 if here else 0}"
        more = typed_of(widget.parts, plain_defaults(widget.parts), self.t.zone, self.seal, start)
        return {**typed, start + HERE: ["1"], **more}

    def without(self, typed: Typed, start: str) -> Typed:
        """The same without a group; the last one of its name is emptied instead."""
        name, _, place = start.rpartition("/")
        if _groups_of(self.widgets, typed, name) is None or not place.isdecimal():
            return typed
        rest = {one: value for one, value in typed.items() if not one.startswith(f"{start}/")}
        return rest if places(rest, name) else self.with_another(rest, name)

    # -- what it looks like ----------------------------------------------------------------------------------------

    def shown(self, typed: Mapping[str, Sequence[str]], faults: Faults | None = None) -> tuple[FormField, ...]:
        """Its fields as they stand."""
        return self._shown(self.widgets, typed, faults or {}, "", ())

    def _shown(
        self,
        widgets: Sequence[Widget],
        typed: Mapping[str, Sequence[str]],
        faults: Faults,
        prefix: str,
        above: tuple[str, ...],
    ) -> tuple[FormField, ...]:
        return tuple(
            self._field(one, typed, faults, name_in(prefix, one.name), above) for one in widgets if one.kind != "none"
        )

    def _field(
        self,
        one: Widget,
        typed: Mapping[str, Sequence[str]],
        faults: Faults,
        name: str,
        above: tuple[str, ...],
    ) -> FormField:
        path = (*above, one.name)
        values = tuple(typed.get(name, ()))
        shown = _kind_shown(one, values)
        room = one.name if not one.name.isdecimal() else above[-1]
        field = FormField(
            name=name,
            id=id_of(name),
            kind=shown,
            label=self._own_label(above, one.name) if not one.name.isdecimal() else str(int(one.name) + 1),
            hint=self._hint(one, room),
            optional=not one.required,
            value=values[0] if values else "",
            values=values,
            options=self._options(one, room, values),
            most=one.most,
            faults=tuple(faults.get(name, ())),
            hidden=tuple((name + end, first(typed, name + end)) for end in (ID, WAS) if first(typed, name + end)),
        )
        if one.kind in ("group", "row"):
            return attrs.evolve(field, fields=self._shown(one.parts, typed, faults, name, path))
        if one.kind == "groups":
            several = tuple(
                (place, self._shown(one.parts, typed, faults, f"{name}/{place}", path)) for place in places(typed, name)
            )
            return attrs.evolve(field, groups=several)
        if one.kind == "time":
            both = (first(typed, f"{name}/date"), first(typed, f"{name}/time"))
            return attrs.evolve(field, values=both, value=both[0])
        if one.kind == "coded":
            return attrs.evolve(field, values=(field.value, first(typed, name + OTHER)))
        if one.kind in ("file", "files"):
            kept = [(each, data) for each in typed.get(name + KEPT, ()) if (data := self.opened(each)) is not None]
            return attrs.evolve(field, files=tuple((each, data["name"], data["size"]) for each, data in kept))
        return field

    def _hint(self, one: Widget, room: str) -> str:
        own = self.t.known_label("hint", room, self.lifecycle.name)
        general = f"form.hint_{one.kind}"
        return own or (self.t(general) if self.t.has(general) else "")

    def _options(self, one: Widget, room: str, values: Sequence[str]) -> tuple[tuple[str, str], ...]:
        if one.kind == "entry":
            return self.entries
        if one.kind == "flag":
            return (("on", self._own_label((), one.name)),)
        if one.kind == "coded":
            return self._codes(one.name)
        blank = one.nullable and None not in one.constants
        written = [(constant_text(constant), self._label_of(constant, (room, one.room))) for constant in one.constants]
        return (*((("", self.t("form.not_given")),) if blank and one.kind == "choice" else ()), *written)

    def _codes(self, room: str) -> tuple[tuple[str, str], ...]:
        """The codes of a field that have labels."""
        kind, catalog = self.lifecycle.name, self.t.catalog
        found: dict[str, None] = {}
        for code in (*sorted(catalog.codes()), *self.lifecycle.labels):
            for start in (f"{room}.", f"{kind}.{room}."):
                if code.startswith(start):
                    found[code.removeprefix(start)] = None
        return tuple((one, self.t.label(room, one, kind)) for one in found)

    def _label_of(self, constant: object, rooms: Iterable[str]) -> str:
        if constant is None or isinstance(constant, bool):
            return self.t("form.not_given" if constant is None else "form.yes" if constant else "form.no")
        labels = (self.t.known_label(room, constant, self.lifecycle.name) for room in rooms if room)
        return next(filter(None, labels), "") or self._name_of_field(str(constant))

    def _name_of_field(self, name: str) -> str:
        """What people call a field of what a trigger fills in, such as ``edit.text``; else the name itself."""
        trigger, _, field = name.rpartition(".")
        if trigger not in self.lifecycle.triggers:
            return name
        return f"{self.t.label('trigger', trigger, self.lifecycle.name)} › {self._own_label((trigger,), field)}"

    # -- what it comes to ------------------------------------------------------------------------------------------

    def parsed(self, typed: Mapping[str, Sequence[str]], more: Mapping[str, Any] | None = None) -> Any:
        """The value that was typed: details, a draft, or None where the form has no class.

        Args:
            typed: What was typed.
            more: Plain data that people do not type.

        Raises:
            WrongForm: with what is wrong, at each field.
        """
        if self.cls is None:
            return None
        coded = self._with_tags(typed, lambda tag, field: code_of(tag, field, self.t, (self.lifecycle,)))
        found = read(self.widgets, coded, self.t.zone, self.opened)
        try:
            return parse(self.cls, {**found.data, **(more or {})}, accepts=self.accepts, lifecycle=self.lifecycle)
        except InvalidValue as error:
            raise WrongForm(self.faults(error, found)) from error

    def faults(self, error: InvalidValue, found: ReadForm | None = None) -> dict[str, list[FieldFault]]:
        """What an error says of each field, under the name of the field; of the whole under a blank one."""
        renderer = error.renderer(self.t.language)
        faults: dict[str, list[FieldFault]] = {}
        for problem in error.problems:
            name = self._name_of(problem, found)
            faults.setdefault(name, []).append(FieldFault(self._text(problem, renderer)))
        return faults

    def _name_of(self, problem: FieldProblem, found: ReadForm | None) -> str:
        """The field that a problem is about: it, or the nearest one that it is in."""
        names = {} if found is None else found.names
        pointer = problem.pointer
        while pointer and pointer not in names:
            pointer = pointer.rpartition("/")[0]
        return names.get(pointer, "")

    def _text(self, problem: FieldProblem, renderer: Renderer) -> str:
        if not problem.path:
            return problem.render(renderer)
        facts = {"room": problem.path[-1], **problem.params}
        text = renderer.text(f"value.{problem.code}", facts)
        return renderer.text("error.invalid_value", {"field": self._label(problem.path), "problem": text})


class WrongForm(Exception):
    """What was typed comes to no value; `faults` says what is wrong, at each field."""

    def __init__(self, faults: Mapping[str, Sequence[FieldFault]]) -> None:
        super().__init__(sorted(faults))
        self.faults = faults


def _takes_files(one: Widget) -> bool:
    return one.kind in ("file", "files") or any(map(_takes_files, one.parts))


def _groups_of(widgets: Sequence[Widget], typed: Mapping[str, Sequence[str]], name: str) -> Widget | None:
    """The widget of the groups of a name."""
    return _find(widgets, typed, name, "")


def _find(widgets: Sequence[Widget], typed: Mapping[str, Sequence[str]], name: str, prefix: str) -> Widget | None:
    for one in widgets:
        here = name_in(prefix, one.name)
        if one.kind == "groups":
            if here == name:
                return one
            for place in places(typed, here):
                found = _find(one.parts, typed, name, f"{here}/{place}")
                if found is not None:
                    return found
        elif one.parts:
            found = _find(one.parts, typed, name, here)
            if found is not None:
                return found
    return None


def _kind_shown(one: Widget, values: Sequence[str]) -> str:
    """The kind of a field as it is shown: by how many choices there are, and by what stands in it."""
    if one.kind == "choice":
        blank = one.nullable and None not in one.constants
        return "radios" if len(one.constants) + blank <= _RADIOS else "select"
    if one.kind == "text" and values and ("\n" in values[0] or len(values[0]) > _LONG):
        return "long"
    return one.kind


#: For the macros: the ends of the names of hidden fields.
ENDS: Final[Mapping[str, str]] = {"here": HERE, "id": ID, "was": WAS, "kept": KEPT, "pick": PICKED, "other": OTHER}
