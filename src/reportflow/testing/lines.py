"""A run of a lifecycle's machine as Python lines, which repeat it where they are pasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import attrs

from reportflow.flow.requests import Create, Request
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.entry import Entry
from reportflow.model.record import Record
from reportflow.serialization.source import Names, imports, named, python
from reportflow.testing.broken import Raised
from reportflow.testing.differences import without_digests
from reportflow.testing.factory import Factory

#: An expression with a ``{}`` for each value in it, and the values.
Expression = tuple[str, tuple[Any, ...]]

#: What every run begins with; the names of the rest are found as they are needed.
_OWN: Names = {
    "count": "itertools",
    "TestCase": "unittest",
    "ReportFlow": "reportflow",
    "replay": "reportflow",
    "InterceptedStore": "reportflow.testing.doubles",
}


@attrs.frozen
class Literally:
    """Text that stands in an expression as it is."""

    text: str


def call(request: Request, hand: str = "") -> Expression:
    """The call of the flow for a request; a snapshot is read from the store, or is the variable `hand`."""
    chosen: dict[str, Any] = {"by": request.by}
    optional: tuple[str, ...]
    if isinstance(request, Create):
        words: list[Any] = [request.draft]
        name, optional = "create", ("at", "key")
    else:
        name, optional = "fire", ("reason", "at", "key", "version")
        target: Any = request.target
        if isinstance(target, Record):
            target = Literally(hand or f"store.get([{target.id!r}])[0]")
        words = [target, request.trigger]
        if request.details is not None:
            words.append(request.details)
    chosen.update((key, value) for key in optional if (value := getattr(request, key)) not in (None, ""))
    places = ["{}"] * len(words) + [f"{key}={{}}" for key in chosen]
    return f"flow.{name}({', '.join(places)})", (*words, *chosen.values())


def plain_text(expression: Expression) -> str:
    """An expression as text, whatever it would have to import."""
    return _text(expression, {})


class Lines:
    """The lines of a run, put together when they are asked for: a run that holds asks for none."""

    def __init__(self, lifecycles: Sequence[Lifecycle], factory: Factory, start: datetime) -> None:
        self._lifecycles = lifecycles
        self._factory = factory
        self._start = start
        self._done: list[Callable[[Names], list[str]]] = []
        self._last: Callable[[Names], list[str]] | None = None
        self._now = start

    def clock(self, now: datetime) -> None:
        """The clock was set, if it was."""
        if now != self._now:
            self._now = now
            self._done.append(lambda names: [f"now = {python(now, names)}"])

    def reads(self, name: str, value: str) -> None:
        """A variable was set, by an expression."""
        self._done.append(lambda names: [f"{name} = {value}"])

    def did(self, expression: Expression, due: Any = None) -> None:
        """A call was made, and its result was the due one."""
        self._last = None
        self._done.append(lambda names: _expecting(_text(expression, names), due, names))

    def trying(self, expression: Expression) -> None:
        """A call is about to be made, whose due result is not known yet."""
        self._last = lambda names: [_text(expression, names)]

    def failed(self, expression: Expression, due: Any) -> None:
        """The result of a call was not the due one."""
        self._last = lambda names: _asserting(_text(expression, names), due, names)

    def checking(self, function: Callable[..., object], id: str) -> None:
        """A function of the user's is about to be held for a record."""

        def line(names: Names) -> list[str]:
            name = named(function, names) or f"...  # {getattr(function, '__qualname__', function)}, which was given\n"
            return [f"{name}(store.get([{id!r}])[0], store.history([{id!r}]))"]

        self._last = line

    def checked(self) -> None:
        """What was checked held."""
        self._last = None

    def reopened(self) -> None:
        """The store was closed and opened again."""
        self._done.append(lambda names: [f"store.reopen({named(self._factory.reopen, names) or 'reopen'})"])

    def __str__(self) -> str:
        names: Names = dict(_OWN)
        head = []
        for one in self._lifecycles:
            if named(one, names) is None:
                head.append(f"{_lifecycle(one, names)} = ...  # the Lifecycle '{one.name}' that was given")
        factory = named(self._factory.make, names)
        if factory is None:
            factory = "make_store"
            head.append("make_store = ...  # the factory that was given")
        if self._factory.reopen is not None and named(self._factory.reopen, names) is None:
            head.append("reopen = ...  # the function that was given")
        given = ", ".join(_lifecycle(one, names) for one in self._lifecycles)
        body = [line for step in self._done for line in step(names)]
        if self._last is not None:
            body += self._last(names)
        start = python(self._start, names)
        return "\n".join(
            [
                *imports(names),
                *head,
                "",
                f"store = InterceptedStore({factory}())",
                f"now = {start}",
                "numbers = count(1)",
                f'flow = ReportFlow(store, [{given}], clock=lambda: now, new_id=lambda: f"r{{next(numbers)}}")',
                "refused = TestCase().assertRaises",
                *body,
            ]
        )

    # Hypothesis asks for this when it prints a note, and only then.
    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"# -- these lines repeat it:\n{self}\n# --")


def _text(expression: Expression, names: Names) -> str:
    template, values = expression
    return template.format(*(_value(one, names) for one in values))


def _value(value: Any, names: Names) -> str:
    if isinstance(value, Literally):
        return value.text
    return _lifecycle(value, names) if isinstance(value, Lifecycle) else python(value, names)


def _lifecycle(one: Lifecycle, names: Names) -> str:
    return named(one, names) or f"lifecycle_{one.version}_of_{one.name}"


def _expecting(text: str, due: Any, names: Names) -> list[str]:
    if not isinstance(due, Raised):
        return [text]
    names[due.kind.__name__] = due.kind.__module__
    return [f"with refused({due.kind.__name__}) as caught:", f"    {text}"]


def _asserting(text: str, due: Any, names: Names) -> list[str]:
    if not isinstance(due, Raised):
        if isinstance(due, Record | Entry | list | tuple):
            names["without_digests"] = without_digests.__module__
            text = f"without_digests({text})"
        return [f"assert {text} == {python(due, names)}"]
    return [*_expecting(text, due, names), f"assert str(caught.exception) == {str(due.error)!r}"]
