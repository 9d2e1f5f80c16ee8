"""The fields of a form as they are shown: what stands in each, what it is called, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import attrs


class FieldFault(NamedTuple):
    """What is wrong with a field, and what may be chosen instead: value -> text."""

    text: str
    choices: tuple[tuple[str, str], ...] = ()


#: The name of a field -> what is wrong with it; under a blank name, what is wrong with the whole.
Faults = Mapping[str, Sequence[FieldFault]]


@attrs.frozen(kw_only=True)
class FormField:
    """One field as it is shown.

    Attributes:
        name: Its name in the form.
        id: Its id in the page.
        kind: See `Widget.kind`; ``radios`` and ``select`` are both a choice.
        label: What people call it.
        hint: What helps to fill it in; blank where there is nothing to say.
        optional: Whether it may be left blank.
        value: What stands in it.
        values: All that stand in it.
        options: Of a choice: value and text.
        most: How many characters it may have; None: no limit that people meet.
        faults: What is wrong with it.
        hidden: The hidden fields beside it: name and value.
        fields: Of a group or row: its fields.
        groups: Of groups: the fields of each.
        files: The files that stay chosen: the text by which they do, name and size.
    """

    name: str
    id: str
    kind: str
    label: str
    hint: str = ""
    optional: bool = False
    value: str = ""
    values: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    most: int | None = None
    faults: tuple[FieldFault, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    fields: tuple[FormField, ...] = ()
    groups: tuple[tuple[int, tuple[FormField, ...]], ...] = ()
    files: tuple[tuple[str, str, int], ...] = ()

    @property
    def described_by(self) -> str:
        """The ids of what says more of it; blank where nothing does."""
        said = [f"{self.id}-hint"] * bool(self.hint) + [f"{self.id}-wrong"] * bool(self.faults)
        return " ".join(said)


def id_of(name: str) -> str:
    """The id of a field in the page."""
    return "f-" + name.strip("/").replace("/", "-")
