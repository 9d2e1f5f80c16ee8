"""A typed client of an HTTP API, written from a definition: one module of Python that needs the standard library only.

The requests that it makes are those of the page "JSON in, JSON out". What the records, the drafts and the details of
the definition are made of stands in it as typed dicts, and each act that a person may do is a method. The same
definition gives the same text, to the letter, so that a program can commit the module and check that it is current.
"""

from __future__ import annotations

import enum
import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reportflow.lifecycle.client_parts import CLIENT, END, FIXED, HEAD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.drafts import accepted_in_order
from reportflow.lifecycle.table import NOBODY
from reportflow.model.record import Record
from reportflow.serialization.schema import paragraph
from reportflow.serialization.shapes import (
    NULL,
    Choice,
    Either,
    FieldShape,
    Items,
    Nested,
    Pairs,
    Row,
    Scalar,
    Shape,
    fields_of,
)

#: How wide a line may be.
_WIDTH: Final = 120
_SCALARS: Final[Mapping[str, str]] = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "date-time": "str",
    "date": "str",
    "decimal": "str",
    "uuid": "str",
    "plain": "Any",
    "value": "Any",
}
#: Names of a client that no act has.
_METHODS: Final = frozenset(
    {
        "get",
        "find",
        "every",
        "history",
        "options",
        "creations",
        "_find",
        "_create",
        "_fire",
        "_send",
        "_url",
        "_headers",
    }
)


def client_source(lifecycle: Lifecycle, name: str) -> str:
    """The module of a client, as text.

    Args:
        lifecycle: The definition.
        name: How the definition is named on the command line, for the module's docstring; blank for the report's.

    Raises:
        InvalidDefinition: a field of a record or of details is of no type that JSON can say.
    """
    return _Module(lifecycle, name).text()


class _Module:
    """One module being written: the classes that it needs, and the names that they have in it."""

    def __init__(self, lifecycle: Lifecycle, name: str) -> None:
        self._lifecycle = lifecycle
        self._name = name
        self._client = f"{_camel(lifecycle.name)}Client"
        self._names: dict[type[Any], str] = {}
        self._taken = {*FIXED, *_METHODS, self._client}
        self._methods: dict[tuple[bool, str], str] = {}  # (whether it creates, trigger) -> name
        self._drafts: dict[str, str] = {}
        self._read = ""

    def text(self) -> str:
        lifecycle = self._lifecycle
        creations = [row.trigger for row in lifecycle.creations if NOBODY not in row.roles]
        acts = [trigger for trigger in lifecycle.triggers if self._is_for_people(trigger)]
        for pair in (*((True, one) for one in creations), *((False, one) for one in acts)):
            self._methods[pair] = self._free(_identifier(pair[1]))
        self._read = self._name_of(lifecycle.record)
        for trigger in creations:
            which = _camel(trigger) if len(creations) > 1 else ""
            self._drafts[trigger] = self._free(f"{self._read}{which}Draft")
        methods = [*map(self._creation, creations), *map(self._act, acts)]
        drafts = [self._draft(trigger) for trigger in creations]
        record = self._typed_dict(lifecycle.record, self._read, fields_of(lifecycle.record), written=True)
        classes = [*self._classes(), record, *drafts]  # the first are those that all others name
        facts = {
            "@CALL@": f"reportflow client {self._name}".strip(),
            "@KIND@": _quoted(lifecycle.name),
            "@VERSION@": str(lifecycle.version),
            "@STATE@": _literal("State", [state.name for state in lifecycle.states]),
            "@CLIENT@": self._client,
            "@RECORD@": self._read,
        }
        parts = [_filled(HEAD, facts), *(f"\n\n{one}" for one in classes), _filled(CLIENT, facts)]
        return "".join([*parts, *(f"\n{one}" for one in methods), END])

    def _is_for_people(self, trigger: str) -> bool:
        rows = [row for row in self._lifecycle.rows(trigger) if row.sources - {None}]
        return any(NOBODY not in row.roles for row in rows)

    # -- names ----------------------------------------------------------------------------------------------------

    def _name_of(self, cls: type[Any]) -> str:
        if cls not in self._names:
            self._names[cls] = self._free(cls.__name__)
        return self._names[cls]

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    # -- classes --------------------------------------------------------------------------------------------------

    def _classes(self) -> list[str]:
        """All classes that were named so far, and those that they name, but the record's."""
        written: dict[type[Any], str] = {self._lifecycle.record: ""}
        while len(written) < len(self._names):
            for cls, name in list(self._names.items()):
                if cls not in written:
                    written[cls] = (
                        _literal(name, [one.value for one in cls])
                        if issubclass(cls, enum.Enum)
                        else self._typed_dict(cls, name, fields_of(cls))
                    )
        return [text for _, text in sorted((self._names[cls], text) for cls, text in written.items() if text)]

    def _draft(self, trigger: str) -> str:
        accepted = fields_of(self._lifecycle.record, accepted_in_order(self._lifecycle, trigger))
        fields = [one for one in accepted if one.name != "kind"]
        about = f"What `{self._methods[True, trigger]}` takes."
        return self._typed_dict(self._lifecycle.record, self._drafts[trigger], fields, about=about)

    def _typed_dict(
        self, cls: type[Any], name: str, fields: Iterable[FieldShape], *, written: bool = False, about: str = ""
    ) -> str:
        """A class of dicts; what is written has all its fields, what is taken those that have no default at least."""
        lines = [f"class {name}(TypedDict):", _docstring(about or paragraph(cls) or f"{cls.__name__}.", "    "), ""]
        for field in fields:
            kind = "State" if issubclass(cls, Record) and field.name == "state" else self._type(field.shape)
            whole = written or field.required
            lines += _annotated(f"    {field.name}", kind if whole else f"NotRequired[{kind}]")
        return "\n".join(lines) + "\n"

    def _type(self, shape: Shape) -> str:
        match shape:
            case Scalar(kind=kind):
                return _SCALARS[kind]
            case Choice(members=members):
                first = type(members[0][1])
                if issubclass(first, enum.Enum):
                    return self._name_of(first)
                return _either(constant for constant, _ in members)
            case Nested(cls=cls):
                return self._name_of(cls)
            case Items(item=item):
                return f"list[{self._type(item)}]"
            case Row(items=items):
                kinds = list(dict.fromkeys(self._type(one) for one in items))
                return f"list[{' | '.join(kinds) or 'Any'}]"
            case Pairs(item=item):
                return f"dict[str, {self._type(item)}]"
            case Either(several=several):
                kinds = [self._type(one) for one in several if one != NULL]
                return " | ".join([*dict.fromkeys(kinds), *(["None"] if NULL in several else [])])

    # -- methods --------------------------------------------------------------------------------------------------

    def _creation(self, trigger: str) -> str:
        label = self._lifecycle.label_of("trigger", trigger)
        parameters = [f"draft: {self._drafts[trigger]}", "*", *_ALWAYS]
        body = f"return self._create({_quoted(trigger)}, draft, at=at, key=key)"
        return self._defined(self._methods[True, trigger], parameters, f"{_sentence(label)} (a new record).", body)

    def _act(self, trigger: str) -> str:
        rows = [row for row in self._lifecycle.rows(trigger) if row.sources - {None}]
        details, needs_reason = rows[0].details, any(row.reason_required for row in rows)
        parameters = [f"target: {self._read} | str"]
        if details is not None:
            parameters.append(f"details: {self._name_of(details)}")
        parameters += ["*", "reason: str" if needs_reason else 'reason: str = ""', *_ALWAYS]
        sources = {name for row in rows for name in row.sources if name is not None}
        names = [state.name for state in self._lifecycle.states]
        where = "in any state" if sources == {*names} else f"in: {', '.join(one for one in names if one in sources)}"
        given = "None" if details is None else "details"
        body = f"return self._fire(target, {_quoted(trigger)}, {given}, reason=reason, at=at, key=key)"
        label = self._lifecycle.label_of("trigger", trigger)
        return self._defined(self._methods[False, trigger], parameters, f"{_sentence(label)} ({where}).", body)

    def _defined(self, name: str, parameters: list[str], about: str, body: str) -> str:
        line = f"    def {name}(self, {', '.join(parameters)}) -> {self._read}:"
        if len(line) > _WIDTH:
            inner = f"        self, {', '.join(parameters)}"
            if len(inner) <= _WIDTH:
                line = f"    def {name}(\n{inner}\n    ) -> {self._read}:"
            else:
                each = "".join(f"        {one},\n" for one in ["self", *parameters])
                line = f"    def {name}(\n{each}    ) -> {self._read}:"
        return "\n".join([line, _docstring(about, "        "), f"        {body}"]) + "\n"


#: What each act takes beside its own.
_ALWAYS: Final = ("at: str | None = None", "key: str | None = None")


def _camel(name: str) -> str:
    """A name as that of a class."""
    words = [word for word in re.split(r"\W+|_", str(name)) if word]
    text = "".join(word[:1].upper() + word[1:] for word in words)
    return text if text.isidentifier() else f"Kind{text}"


def _identifier(trigger: str) -> str:
    """A trigger as the name of a method."""
    name = re.sub(r"\W", "_", trigger)
    name = name if name.isidentifier() else f"do_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _quoted(constant: object) -> str:
    """A constant, in the quotes that formatters prefer."""
    written = repr(constant)
    return written if '"' in written or not written.startswith("'") else f'"{written[1:-1]}"'


def _either(constants: Iterable[Any]) -> str:
    """The type of one of some constants; no type says which number with a fraction it is."""
    several = list(constants)
    if any(isinstance(one, float) for one in several):
        return " | ".join(dict.fromkeys(type(one).__name__ for one in several))
    return f"Literal[{', '.join(map(_quoted, several))}]"


def _literal(name: str, constants: Iterable[Any]) -> str:
    """The name of that type, on a line, or with a line for each constant."""
    several = list(constants)
    line = f"{name} = {_either(several)}"
    if len(line) <= _WIDTH:
        return line + "\n"
    return f"{name} = Literal[\n" + "".join(f"    {_quoted(one)},\n" for one in several) + "]\n"


def _filled(template: str, facts: Mapping[str, str]) -> str:
    for name, text in facts.items():
        template = template.replace(name, text)
    return template


def _annotated(name: str, kind: str) -> list[str]:
    """A field and its type; a long list of constants has a line for each."""
    line = f"{name}: {kind}"
    return [line] if len(line) <= _WIDTH else [f"{line}  # noqa: E501  # as it is"]


def _sentence(label: str) -> str:
    return label[:1].upper() + label[1:]


def _docstring(text: str, indent: str) -> str:
    """A docstring of one line: the first sentence, cut short where it is longer."""
    import textwrap  # nothing else needs it

    sentence = re.split(r"(?<=[.。]) ", text.replace("\\", "/").replace('"', "'"), maxsplit=1)[0].rstrip()
    whole = sentence if sentence.endswith((".", "。", "?", "!")) else f"{sentence}."
    return f'{indent}"""{textwrap.shorten(whole, _WIDTH - len(indent) - 6, placeholder=" ….")}"""'
