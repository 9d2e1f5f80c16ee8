"""A state machine made from a lifecycle: Hypothesis makes up what people do, and every promise is held after each step.

::

    LeaveMachine = LifecycleMachine.of(LEAVE)

    @LeaveMachine.invariant
    def who_granted_did_not_ask(record: Leave, history: list[Entry]) -> None:
        granted = [entry.actor.id for entry in history if entry.trigger == "grant"]
        assert record.created_by not in granted

    TestLeave = LeaveMachine.TestCase

Needs the extra ``reportflow[testing]``.
"""

from __future__ import annotations

import contextlib
import keyword
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final, TypeVar

from reportflow.analysis.search import Search
from reportflow.analysis.ways import FoundAct
from reportflow.errors import MissingExtra, RuleFailed
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import NOBODY, Transition
from reportflow.storage.memory import MemoryStore
from reportflow.testing import lifecycle_calls as calls
from reportflow.testing.broken import BrokenPromise, NeverFired
from reportflow.testing.coverage import Coverage, CoverageTally, coverage, row_names
from reportflow.testing.factory import Factory
from reportflow.testing.lifecycle_rules import Rules
from reportflow.testing.lifecycle_run import Held
from reportflow.testing.strategies.found import completed
from reportflow.testing.strategies.values import HEALTH_CHECKS, details
from reportflow.testing.strategies.walks import drafts
from reportflow.testing.tour import tours

try:
    from hypothesis import Phase, event, given, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import precondition, rule
except ImportError as _error:
    raise MissingExtra("hypothesis", "reportflow[testing]") from _error

H = TypeVar("H", bound=Held)

#: Loaded where pytest runs: the machine is for unittest too.
_PLUGIN: Final = "reportflow.testing.plugin"


class LifecycleMachine(Rules):
    """The rules for every lifecycle; `of` adds one for each row of a table.

    A subclass may have rules and invariants of its own, by Hypothesis's decorators: there are `flow`, `records` and
    ``history(id)``.
    """

    @classmethod
    def of(
        cls,
        lifecycle: Lifecycle,
        *others: Lifecycle,
        store: Callable[[], Any] = MemoryStore,
        reopen: Callable[[Any], Any] | None = None,
    ) -> type[LifecycleMachine]:
        """A machine for a definition. Its ``TestCase`` is for pytest and unittest.

        Args:
            lifecycle: The definition.
            others: Further ones, whose records its steps create or move.
            store: Makes a fresh, empty store at each call.
            reopen: Takes a store that was closed, and opens the same data again. Without it nothing is restarted.

        Raises:
            Unbuildable: the details of a transition, or a draft, cannot be made; `register` a strategy.
        """
        lifecycles = (lifecycle, *others)
        rows = {id(row): name for row, name in row_names(lifecycles).items()}
        members: dict[str, Any] = {
            "__doc__": f"What holds for the lifecycle '{lifecycle.name}'.",
            "lifecycles": lifecycles,
            "fired": Counter(),
            "unfit": Counter(),
            "covered": CoverageTally(),
            "_factory": Factory(store, reopen),
            "_rows": rows,
            "_held": [],
        }
        for one in lifecycles:
            drafts(one)
            for number, row in enumerate(one.transitions):
                details(row)
                name = rows[id(row)]
                said = name.removeprefix(f"{lifecycle.name}.") if one is lifecycle else name
                for made in _rules(one, row, _identifier(said), name):
                    members[f"rule_{one.name}_{one.version}_{number}_{made.__name__}"] = made
        title = "".join(part.capitalize() for part in lifecycle.name.split("_"))
        return type(f"{title}Machine", (cls,), members)

    @classmethod
    def invariant(cls, function: H) -> H:
        """Hold a function of ``(record, history)`` after every step, for every record; a decorator."""
        if "_held" not in vars(cls):
            cls._held = [*cls._held]
        cls._held.append(function)
        return function

    @classmethod
    def never_fired(cls) -> tuple[str, ...]:
        """The rows that no run of this class fired so far: nothing is proven of them."""
        return tuple(name for name in cls._rows.values() if not cls.fired[name])

    @classmethod
    def warn_of_never_fired(cls) -> None:
        """Say which rows were never fired, as a warning; `TestCase` does so at its end."""
        names = [f"{name} (no command fits)" if cls.unfit[name] else name for name in cls.never_fired()]
        if names:
            warnings.warn(str(BrokenPromise("never_fired", names=names)), NeverFired, stacklevel=2)

    @classmethod
    def coverage(cls) -> Coverage:
        """What all runs of this class covered so far, of what a search finds that there is."""
        search: Search | None = None
        with contextlib.suppress(RuleFailed):  # the runs say so
            search = completed(cls.lifecycles)
        return coverage(cls.lifecycles, cls.covered, search)

    @classmethod
    def tour(cls) -> None:
        """Go the ways that a search found, until each row, pair of rows and refusal was met; each promise is held.

        Raises:
            BrokenPromise: one was not kept; its notes are the Python lines that repeat it.
        """
        for acts in tours(cls.lifecycles, cls.covered):
            cls._go(acts)

    @classmethod
    def _go(cls, acts: Sequence[FoundAct]) -> None:
        # Hypothesis takes notes and counts events inside of its own tests only
        @settings(
            max_examples=1, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=HEALTH_CHECKS
        )
        @given(st.none())
        def go(_: None) -> None:
            run = cls()
            try:
                for act in calls.acts_of(run, acts):
                    run._one(act.requests[0], act.now)
                    run.everything_holds()
            finally:
                run.teardown()

        go()

    @classmethod
    def _to_test_case(cls) -> Any:  # type: ignore[override]  # Hypothesis caches its own, and so it is made once
        made: Any = super()._to_test_case()
        if "tearDown" in vars(made):
            return made
        # one failure at a time, and without Hypothesis's own explanation: the lines say it, and a run takes long
        phases = [phase for phase in made.settings.phases if phase is not Phase.explain]
        made.settings = settings(made.settings, report_multiple_bugs=False, phases=phases)

        made.machine = cls
        made.setUp = lambda self: cls.tour()
        made.tearDown = lambda self: cls.warn_of_never_fired()
        if "pytest" in sys.modules:
            made.summed_up = import_module(_PLUGIN).registering()
        return made

    def fire_row(self, name: str, act: calls.DrawnRequests | None) -> None:
        """Do what a row's rule has drawn."""
        if act is None:
            # the records that are there may lack what the row wants: three members, a sum
            if not self.led_to(name):
                type(self).unfit[name] += 1
                event(f"no command fits: {name}")
            return
        self._one(act.requests[0], act.now)


def lines_of_test(test: Any) -> list[str]:
    """What the machine of a ``TestCase`` covered, for a summary; nothing where it is none."""
    machine = getattr(test, "machine", None)
    if not isinstance(machine, type) or not issubclass(machine, LifecycleMachine):
        return []
    return machine.coverage().lines()


def _rules(lifecycle: Lifecycle, row: Transition, said: str, name: str) -> Iterator[Any]:
    """The rules of a row, called after its trigger so that the printed steps read well. Steps are nobody's to fire."""
    if NOBODY in row.roles:
        return

    def fire(self: LifecycleMachine, act: calls.DrawnRequests | None) -> None:
        self.fire_row(name, act)

    fire.__name__ = fire.__qualname__ = said
    if None in row.sources:
        yield rule(act=calls.creating(lifecycle, row))(fire)
    if row.sources - {None}:
        applies = precondition(lambda self: bool(calls.standing(self, lifecycle, row)))
        yield applies(rule(act=calls.firing(lifecycle, row))(fire))


def _identifier(said: str) -> str:
    """A name that Python takes: ``return`` is ``return_``."""
    made = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in said)
    return f"{made}_" if keyword.iskeyword(made) else made if made.isidentifier() else f"_{made}"
