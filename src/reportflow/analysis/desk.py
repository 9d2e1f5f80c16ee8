"""A flow without a store: records and their histories in plain mappings, moved by `decide` and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import attrs

from reportflow.errors import RecordNotFound
from reportflow.flow.definitions import Definitions
from reportflow.lifecycle.decision import check_step_cycle, command_for_step, creation, decide
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.erasure import erase
from reportflow.lifecycle.refusing import refused
from reportflow.lifecycle.retraction import retraction_refusals
from reportflow.lifecycle.table import Step
from reportflow.model.entry import Command, Entry
from reportflow.model.record import Record


@attrs.frozen
class Desk:
    """What is there after some acts; an act gives another desk, and leaves this one as it is.

    Attributes:
        definitions: The lifecycles by which it judges.
        histories: record id -> its entries, oldest first.
        records: record id -> the record as it is.
        numbered: How many ids were given; they are ``r1``, ``r2`` and so on.
    """

    definitions: Definitions
    histories: Mapping[str, tuple[Entry, ...]] = attrs.field(factory=dict)
    records: Mapping[str, Record] = attrs.field(factory=dict)
    numbered: int = 0

    @classmethod
    def of(cls, lifecycles: Iterable[Lifecycle]) -> Self:
        """An empty desk for some lifecycles."""
        return cls(Definitions(lifecycles))

    def created(self, draft: Record, command: Command) -> Self:
        """The desk after a creation; of several creations the first that takes the actor is meant, as in the flow.

        Raises:
            Whatever `ReportFlow.create` raises.
        """
        lifecycle = self.definitions.of(draft)
        desk, id = self._numbered(draft)
        command = attrs.evolve(command, id=id)
        return desk._acted(draft, attrs.evolve(command, trigger=creation(lifecycle, draft, command)), ())

    def fired(self, id: str, command: Command) -> Self:
        """The desk after a command on a record, and all steps that it asks for.

        Raises:
            Whatever `ReportFlow.fire` raises.
        """
        record = self._found(id)
        self.definitions.check_visible(record, command.actor)
        return self._acted(record, command, ())

    def _numbered(self, draft: Record) -> tuple[Self, str]:
        """The id of what a draft becomes, after which the desk gives another one."""
        if draft.id:
            return self, draft.id
        return attrs.evolve(self, numbered=self.numbered + 1), self.next_id

    @property
    def next_id(self) -> str:
        """The id that the next record without one will have."""
        return f"r{self.numbered + 1}"

    def _found(self, id: str) -> Record:
        if id not in self.records:
            raise RecordNotFound([id])
        return self.records[id]

    def _acted(self, record: Record, command: Command, path: Sequence[str]) -> Self:
        id = record.id or command.id
        path = check_step_cycle(path, id, command.trigger)
        lifecycle = self.definitions.of(record)
        decision, history = decide(lifecycle, record, command), list(self.histories.get(id, ()))
        found = lifecycle.row(decision.entry.source, command.trigger)
        if found and found[0].erases is not None:
            decision, history = erase(decision, lifecycle, record, command, history, self.definitions)
        refusals = tuple(retraction_refusals(decision.entry, history, lifecycle.labels))
        if refusals:
            raise refused(lifecycle, record, command.trigger, refusals)
        desk = attrs.evolve(
            self,
            records={**self.records, id: decision.record},
            histories={**self.histories, id: (*history, decision.entry)},
        )
        for step in decision.steps:
            desk = desk._stepped(step, command, decision.entry, path)
        return desk

    def _stepped(self, step: Step, command: Command, cause: Entry, path: Sequence[str]) -> Self:
        desk, target, id = self, step.target, ""
        if isinstance(target, Record) and not target.version:
            desk, id = self._numbered(target)
        else:
            target = self._found(target if isinstance(target, str) else target.id)
            if not step.system:
                self.definitions.check_visible(target, command.actor)
        return desk._acted(target, command_for_step(command, step, cause, target, id=id), path)
