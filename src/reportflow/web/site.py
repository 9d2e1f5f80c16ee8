"""What a portal consists of, for all its requests: the flow, its own tables, the templates, the key of signatures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

from jinja2 import Environment

from reportflow.flow.aio import AsyncReportFlow
from reportflow.flow.base import now
from reportflow.flow.sync import ReportFlow
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Scope
from reportflow.web.calling import Caller
from reportflow.web.portal_store import PortalStore
from reportflow.web.rendering import environment
from reportflow.web.sayings import Sayings
from reportflow.web.settings import Authenticate, Settings
from reportflow.web.signing import Signer
from reportflow.web.words import Words

T = TypeVar("T")

LOG: Final = logging.getLogger("reportflow.web")


class Site:
    """The parts of one portal.

    Attributes:
        flow: What it shows.
        authenticate: Says who is asking.
        settings: What the host chose.
        kept: Drafts, saved views, open forms, readings.
        call: Calls the flow and the host.
        lifecycles: kind -> the newest definition.
        is_async: Whether the verbs of the flow are awaited.
    """

    def __init__(
        self,
        flow: ReportFlow | AsyncReportFlow,
        authenticate: Authenticate,
        settings: Settings,
        kept: PortalStore | None = None,
    ) -> None:
        self.flow: Any = flow  # each verb is called by `call`, which awaits where it must
        self.authenticate = authenticate
        self.settings = settings
        self.kept: PortalStore = kept or PortalStore.of(flow.store)
        # a store on a host's connections may have to look after those of a thread
        around = getattr(flow.store, "around_call", nullcontext)
        self.call: Caller = Caller(settings.threads, settings.timeout, around)
        newest: dict[str, Lifecycle] = {}
        for one in flow.lifecycles:
            if one.name not in newest or newest[one.name].version < one.version:
                newest[one.name] = one
        self.lifecycles: Mapping[str, Lifecycle] = MappingProxyType(newest)
        self.is_async: bool = isinstance(flow, AsyncReportFlow)
        self._sayings: dict[str, Sayings] = {}
        self._made: dict[Callable[[Site], Any], Any] = {}
        self._signer: Signer | None = None if settings.secret is None else Signer(settings.secret)

    @cached_property
    def templates(self) -> Environment:
        """The templates."""
        return environment(self.settings.templates)

    async def signer(self) -> Signer:
        """Signs forms and cursors."""
        if self._signer is None:
            self._signer = Signer(await self.kept.secret())
        return self._signer

    def words(self, language: str) -> Words:
        """The words of a language, in the zone of the flow."""
        flow = self.flow
        sayings = self._sayings.get(language)
        if sayings is None:
            sayings = self._sayings[language] = Sayings(flow.catalog, language, flow.zone, self.lifecycles)
        return Words(flow.catalog, language, flow.zone, self.lifecycles, now(), sayings)

    def once(self, make: Callable[[Site], T]) -> T:
        """What a function makes of this portal, made at the first call and kept with it."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages that there are texts in, the default first."""
        others = sorted(self.flow.catalog.languages() - {self.settings.language})
        return (self.settings.language, *others)

    def is_staff(self, actor: Actor) -> bool:
        """Whether a role of the actor reaches more than what is their own."""
        return any(
            one.roles.get(role, Scope.OWN) is not Scope.OWN for one in self.lifecycles.values() for role in actor.roles
        )

    def audits(self, actor: Actor) -> bool:
        """Whether the actor holds a role that audits some kind."""
        return any(one.audits & actor.roles for one in self.lifecycles.values())
