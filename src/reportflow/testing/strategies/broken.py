"""Random definitions that are broken, each with the faults that it has."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from hypothesis import strategies as st

from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY, NOBODY, SAME, Constant, State, Transition
from reportflow.model.actor import ANY
from reportflow.testing.strategies.definitions import Casework, Remark, lifecycles


@attrs.frozen(kw_only=True, repr=False)
class Broken:
    """A definition that cannot be built.

    Attributes:
        codes: The codes of the faults that it has: these and no others.
        arguments: What `Lifecycle` is given.
    """

    codes: frozenset[str]
    arguments: Mapping[str, Any]

    def build(self) -> Lifecycle:
        """Never gives one.

        Raises:
            InvalidDefinition: with the faults.
        """
        return Lifecycle(**self.arguments)

    def __repr__(self) -> str:
        given = "".join(f"\n    {name}={value!r}," for name, value in self.arguments.items())
        return f"# faults: {', '.join(sorted(self.codes))}\nLifecycle({given}\n)"


class _Unattributed:
    """No attrs class, so no details can be of it."""


@attrs.frozen(kw_only=True)
class _Unkeepable:
    """An attrs class with a field that no store could keep."""

    work: bytearray = attrs.field(factory=bytearray)


@attrs.frozen(kw_only=True)
class _Stamped(Casework):
    """A record with a field that every draft brings."""

    stamp: str


@attrs.define(kw_only=True)
class _Changeable:
    """Its values could be changed after they were checked."""

    text: str = ""


@attrs.frozen(kw_only=True)
class _Outer:
    """A class that could not be changed, but for what is in it."""

    inner: tuple[_Changeable, ...] = ()


class _Odd(enum.Enum):
    """No str enum: its members are no texts."""

    NAME = "name"


#: What `Lifecycle` is given -> the same, with something wrong.
Break = Callable[[dict[str, Any]], None]


def _row(**changes: Any) -> Break:
    """A further row from the first state to itself, with something wrong."""

    def broken(given: dict[str, Any]) -> None:
        number = len(given["transitions"])
        first = given["states"][0].name
        plain = {"trigger": f"wrong{number}", "source": first, "dest": SAME, "roles": {"overseer"}}
        given["transitions"].append(Transition(**{**plain, **changes}))

    return broken


def _state(state: State, *, led: bool = False) -> Break:
    """A further state; a row leads there from the first one, where that is not what is wrong."""

    def broken(given: dict[str, Any]) -> None:
        if led:
            _row(dest=state.name)(given)
        given["states"].append(state)

    return broken


def _two_classes(given: dict[str, Any]) -> None:
    first = given["states"][0].name
    given["states"].append(State("beyond", final=True))
    given["transitions"] += [
        Transition("differs", source=first, dest="beyond", roles={"overseer"}, details=Remark),
        Transition("differs", source="beyond", dest=SAME, roles={"overseer"}),
    ]


def _role(name: str) -> Break:
    return lambda given: given["roles"].update({name: ANY})


def _in_parts(given: dict[str, Any]) -> None:
    _role("over,seer")(given)
    _row(audience={"overseer"})(given)


def _twice(name: str, place: int) -> Break:
    return lambda given: given[name].append(given[name][place])


def _uncreated(given: dict[str, Any]) -> None:
    given["transitions"] = [row for row in given["transitions"] if row.source is not None]


def _stamped(given: dict[str, Any]) -> None:
    given["record"] = _Stamped
    _row(source=None, dest="s0", accepts={"title"})(given)


def _put(name: str, value: object) -> Break:
    return lambda given: given.update({name: value})


#: A code -> the ways to have that fault and no other; whatever the rest of the table is, and with any of the others.
_BREAKS: Final[Mapping[str, tuple[Break, ...]]] = {
    "blank_name": (_put("name", " "), _row(trigger=" "), _role(""), _state(State(" ", final=True), led=True)),
    "reserved_role": (_role(EVERYBODY), _role(NOBODY)),
    "reserved_state": (_state(State("[*]", final=True), led=True), _state(State("*", final=True), led=True)),
    "reserved_trigger": (_row(trigger="state"),),
    "unknown_role": (_row(roles={"stranger"}), _row(roles={"overseer", "stranger"})),
    "unknown_audience": (_row(audience={"stranger"}), _row(audience={"overseer", "stranger"})),
    "no_audience": (_row(audience=()),),
    "role_comma": (_in_parts,),
    "unknown_auditor": (_put("audits", {"stranger"}),),
    "nobody_and": (_row(roles={NOBODY, "overseer"}), _row(roles={NOBODY, EVERYBODY})),
    "unknown_awaited_role": (_state(State("awaiting", final=True, awaits={"stranger"}), led=True),),
    "duplicate_state": (_twice("states", 0),),
    "unknown_state": (_row(source="nowhere"), _row(dest="nowhere")),
    "no_source": (_row(source=()),),
    "creation_same": (_row(source=None),),
    "creation_told": (
        _row(source=None, dest="s0", details=Remark),
        _row(source=None, dest="s0", reason_required=True),
    ),
    "accepts_elsewhere": (_row(accepts={"title"}),),
    "accepts_unknown_field": (_row(source=None, dest="s0", accepts={"title", "nothing"}),),
    "accepts_own_field": (_row(source=None, dest="s0", accepts={"kind"}),),
    "accepts_too_little": (_stamped,),
    "two_rows": (_twice("transitions", 1),),
    "unreachable": (_state(State("island", final=True)),),
    "no_way_out": (_state(State("trap"), led=True),),
    "not_frozen": (_row(details=_Changeable), _row(details=_Outer)),
    "field_type": (_row(details=_Unkeepable),),
    "details_class": (_row(details=_Unattributed), _row(details="Remark")),
    "two_details": (_two_classes,),
    "sets_unknown_field": (_row(sets={"nothing": 1}),),
    "sets_own_field": (_row(sets={"version": 7}), _row(sets={"id": Constant("x")})),
    "sets_unknown_detail": (_row(sets={"note": "text"}), _row(details=Remark, sets={"note": "test"})),
}
#: Faults that bring others with them, or hide them: each alone, with all the codes that there are then.
_ALONE: Final[tuple[tuple[frozenset[str], Break], ...]] = (
    (frozenset({"no_creation", "unreachable"}), _uncreated),
    (frozenset({"record_class"}), _put("record", Remark)),
    (frozenset({"name_type"}), _row(trigger=_Odd.NAME)),
    (frozenset({"name_type"}), _row(source=_Odd.NAME)),
    (frozenset({"name_type"}), _row(dest=_Odd.NAME)),
    (frozenset({"name_type"}), _row(roles={"overseer", _Odd.NAME})),
    (frozenset({"name_type"}), lambda given: given["states"].append(State(_Odd.NAME, awaits=_Odd.NAME))),
    (frozenset({"record_class"}), _put("record", "Casework")),
)

_ONE: Final = st.sampled_from(tuple(_BREAKS.items())).flatmap(
    lambda item: st.tuples(st.just(item[0]), st.sampled_from(item[1]))
)
_SEVERAL: Final = st.lists(_ONE, min_size=1, max_size=4, unique_by=lambda one: one[0])


_SMALLEST: Final = Lifecycle(
    name="casework",
    version=1,
    record=Casework,
    roles={"overseer": ANY},
    states=[State("s0", final=True)],
    transitions=[
        Transition("create", source=None, dest="s0", roles={"overseer"}),
        Transition("tick", source="s0", dest=SAME, roles=NOBODY),
    ],
)


def _given_to(whole: Lifecycle) -> dict[str, Any]:
    """What a lifecycle was given, to be broken."""
    plain = {"name": whole.name, "version": whole.version, "record": whole.record}
    return {**plain, "roles": {**whole.roles}, "states": [*whole.states], "transitions": [*whole.transitions]}


@st.composite
def broken_lifecycles(draw: st.DrawFn) -> Broken:
    """Definitions of which nothing can be built, with one fault or several, and the codes of exactly these."""
    alone = draw(st.sampled_from((*[None] * 9, *_ALONE)))
    several = () if alone else draw(_SEVERAL)
    given = _given_to(draw(lifecycles()) if draw(st.booleans()) else _SMALLEST)
    codes = frozenset(code for code, _ in several)
    if alone:
        codes, broken = alone
        broken(given)
    for _, broken in sorted(several, key=lambda one: one[0]):
        broken(given)
    return Broken(codes=codes, arguments=given)
