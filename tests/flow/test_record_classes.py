"""A host's record and details classes: their converters and validators hold for every stored value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from reportflow import (
    ANY,
    SAME,
    Actor,
    InvalidValue,
    Lifecycle,
    MemoryStore,
    Query,
    Record,
    ReportFlow,
    SqlStore,
    State,
    Transition,
    replay,
)


def _sorted(value: Any) -> tuple[str, ...]:
    return tuple(sorted(value))


def _not_negative(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ValueError("must not be negative")


@attrs.frozen
class Inner:
    """A plain attrs class inside another one."""

    text: str
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class Notice:
    """A plain details class, with values of a class that checks nothing itself."""

    inner: Inner
    several: tuple[Inner, ...] = ()


@attrs.frozen(kw_only=True)
class Setting:
    """The fields to set."""

    number: int = 0
    words: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Ledger(Record):
    """A record whose class converts, validates and compares."""

    number: int = attrs.field(default=0, validator=_not_negative)
    words: tuple[str, ...] = attrs.field(default=(), converter=_sorted)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.number == len(self.words) == 2:
            raise ValueError("two and two do not go together")


LEDGER = Lifecycle(
    name="ledger",
    version=1,
    record=Ledger,
    roles={"clerk": ANY},
    states=[State("open", final=True)],
    transitions=[
        Transition("create", source=None, dest="open", roles={"clerk"}),
        Transition("notify", source="open", dest=SAME, roles={"clerk"}, details=Notice),
        Transition(
            "set",
            source="open",
            dest=SAME,
            roles={"clerk"},
            details=Setting,
            sets={"number": "number", "words": "words"},
        ),
    ],
)
CLERK = Actor(id="clerk", roles={"clerk"})


@pytest.fixture(params=["memory", "sqlite"])
def flow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReportFlow]:
    """A flow of ledgers on each store."""
    store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path / 'office.db'}")
    with ReportFlow(store, LEDGER) as opened:
        yield opened


@pytest.mark.parametrize("setting", [Setting(number=-1), Setting(number=2, words=("a", "b"))])
def test_a_value_that_the_record_class_refuses_is_not_stored(flow: ReportFlow, setting: Setting) -> None:
    """A value from `sets` that a validator, or the class as a whole, refuses is `InvalidValue`; all stays readable."""
    made = flow.create(Ledger.draft(), by=CLERK)
    with pytest.raises(InvalidValue, match="Ledger"):
        flow.fire(made, "set", setting, by=CLERK)
    assert flow.get(made.id, by=CLERK) == made
    assert list(flow.find(Query(), by=CLERK)) == [made]


def test_converters_of_the_record_class_hold_in_the_fold(flow: ReportFlow) -> None:
    """The value that a converter of the class returns is the one that is returned, stored and replayed."""
    made = flow.create(Ledger.draft(), by=CLERK)
    done = flow.fire(made, "set", Setting(words=("b", "a")), by=CLERK)
    assert done.words == ("a", "b")
    assert replay(flow.history(made.id, by=CLERK), LEDGER) == flow.get(made.id, by=CLERK) == done


@pytest.mark.parametrize("inner", [Inner("\0"), Inner("\ud800"), Inner("x", datetime(2026, 1, 1))])
def test_nested_values_are_checked(flow: ReportFlow, inner: Inner) -> None:
    """NUL, a lone surrogate and a naive time are refused in nested plain attrs classes too."""
    made = flow.create(Ledger.draft(), by=CLERK)
    for notice in (Notice(inner=inner), Notice(inner=Inner("x"), several=(inner,))):
        with pytest.raises(InvalidValue):
            flow.fire(made, "notify", notice, by=CLERK)
    valid = Notice(inner=Inner("x", datetime(2026, 1, 1, tzinfo=UTC)))
    flow.fire(made, "notify", valid, by=CLERK)
    assert flow.history(made.id, by=CLERK)[-1].details == valid
