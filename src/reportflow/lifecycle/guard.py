"""Guards, and the refusals by which they and the table say no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from reportflow import messages
from reportflow.model.entry import Command
from reportflow.model.record import Record
from reportflow.model.values import Value

#: What a guard's function answers: True to let pass, False to refuse, a mapping to refuse with these facts.
Answer = bool | Mapping[str, object]


@attrs.frozen(kw_only=True)
class Refusal(Value):
    """One reason why an act is not allowed.

    Attributes:
        code: Stable: ``state``, ``role``, ``details``, ``reason``, or a guard's own.
        params: The facts of the case.
        texts: language -> template, where the guard brings its own; else the table `messages` is asked.
    """

    code: str
    params: Mapping[str, object] = attrs.field(factory=dict)
    texts: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def message(self) -> str:
        """The English text."""
        return self.text()

    def text(self, language: str = messages.ENGLISH) -> str:
        """The text in a language."""
        own = self.texts.get(language) or self.texts.get(messages.ENGLISH)
        if own is not None:
            return messages.fill(own, language, self.params)
        return messages.text(f"refusal.{self.code}", language, **self.params)


@attrs.frozen(kw_only=True)
class Guard:
    """A condition on a row, beyond state and role: pure, and able to say why not.

    Attributes:
        code: The stable code of its refusal.
        test: Takes the record (for a creation the draft) and the command; answers True, False, or a mapping of
            facts with which it refuses.
        texts: language -> template of the refusal, filled with ``id``, ``actor``, ``trigger`` and the facts.
        reads_details: Whether it looks at the details: then an offer cannot judge it, and it only runs on
            details of the right class.
    """

    code: str
    test: Callable[[Any, Command], Answer]
    texts: Mapping[str, str] = attrs.field(factory=dict)
    reads_details: bool = False

    def refusal(self, record: Record, command: Command) -> Refusal | None:
        """Why not, or None.

        Raises:
            TypeError: the test answered something else than True, False or a mapping.
            Exception: whatever the test raises.
        """
        answer = self.test(record, command)
        if answer is True:
            return None
        if answer is not False and not isinstance(answer, Mapping):
            raise TypeError(f"the guard '{self.code}' answered {answer!r}; it must answer True, False or a mapping")
        known = {"lifecycle": record.kind, "id": record.id, "actor": command.actor.id, "trigger": command.trigger}
        facts = {**known, **(answer or {})}
        return Refusal(code=self.code, params=facts, texts=self.texts)


def guard(
    code: str, texts: Mapping[str, str] | None = None, *, reads_details: bool = False
) -> Callable[[Callable[[Any, Command], Answer]], Guard]:
    """Make a guard of a function ``(record, command) -> True | False | facts``; a decorator.

    ``@guard("too_long", {"en": "At most 30 days, not {days}.", "zh": "最多30天，而不是{days}天。"})``
    """

    def made(test: Callable[[Any, Command], Answer]) -> Guard:
        return Guard(code=code, test=test, texts=texts or {}, reads_details=reads_details)

    return made


def nobody_from(field: str) -> Guard:
    """Separation of duties: not the person whose id stands in this field of the record. Code ``same_person``."""

    def test(record: Record, command: Command) -> Answer:
        return getattr(record, field) != command.actor.id or {"field": field}

    return Guard(code="same_person", test=test)


def has(field: str) -> Guard:
    """The record's field must be filled. Code ``missing``."""

    def test(record: Record, command: Command) -> Answer:
        return bool(getattr(record, field)) or {"field": field}

    return Guard(code="missing", test=test)


def _assigned_to_actor(record: Record, command: Command) -> Answer:
    return record.assignee in (None, command.actor.id) or {"assignee": record.assignee}


#: Not the one who created the record. Code ``same_person``.
not_the_creator: Final = nobody_from("created_by")
#: Not while the record is assigned to somebody else. Code ``not_assignee``.
only_the_assignee: Final = Guard(code="not_assignee", test=_assigned_to_actor)
