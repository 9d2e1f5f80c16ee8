"""An office at its portal: several people, each with a browser of their own, at one flow."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from reportflow import (
    Actor,
    AsyncReportFlow,
    DirectoryFiles,
    Person,
    Record,
    ReportFlow,
    Secrecy,
)
from reportflow.office import REPORT, Author, Report
from reportflow.storage.memory import AsyncMemoryStore
from reportflow.web import Portal, portal
from reportflow.web.portal_store import PortalStore
from tests.web.client import Client
from tests.web.odd import CASE

if TYPE_CHECKING:
    from collections.abc import Iterator

LI = Actor(id="li", name="李娜", post="编辑", roles={"contributor", "editor", "clerk"}, unit="u")
WANG = Actor(id="wang", name="王强", roles={"editor", "reviewer", "registrar"}, unit="u")
QIAN = Actor(id="qian", name="钱伟", roles={"contributor", "guest"}, unit="u")
CHIEF = Actor(id="chief", name="赵敏", roles={"editor", "registrar", "clerk"}, unit="u", clearance=Secrecy.TOP_SECRET)
PEOPLE: Mapping[str, Person] = {
    "li": Person("李娜", "编辑", "榆林"),
    "wang": Person("王强", "审核", "榆林"),
    "wang2": Person("王强", "编辑", "府谷"),
    "twin1": Person("孙涛"),
    "twin2": Person("孙涛"),
}
BY_ID: dict[str, Actor] = {one.id: one for one in (LI, WANG, QIAN, CHIEF)}


class Office:
    """A portal and its people.

    Attributes:
        flow: What the tests look at; it is the portal's, or one on the same store.
        app: The portal.
    """

    def __init__(self, files: Path | None = None, people: Any = PEOPLE, *, awaits: bool = False, **settings: Any):
        held = AsyncMemoryStore()
        store = held._store  # one store for both: the tests look at it without a loop
        kept = None if files is None else DirectoryFiles(files)
        more: dict[str, Any] = {"people": people, "files": kept, "zone": "Asia/Shanghai"}
        self.flow = ReportFlow(store, [REPORT, CASE], **more)
        served: Any = self.flow
        if awaits:
            served = AsyncReportFlow(held, [REPORT, CASE], **more)
        self.kept = PortalStore()
        self.app: Portal = portal(
            served,
            authenticate=lambda request: BY_ID.get(request.headers.get("x-actor", "")),
            portal_store=self.kept,
            **settings,
        )

    def report(self, title: str = "路灯", text: str = "第一句。第二句。第三句。", **more: Any) -> Report:
        """A report that was submitted."""
        draft = Report.draft(title=title, text=text, authors=[Author(name="钱伟", id="qian")], **more)
        return self.flow.create(draft, by=CHIEF)

    def case(self, title: str = "A case", **more: Any) -> Record:
        """A case that was begun."""
        return self.flow.create(CASE.record.draft(title=title, kind="case", **more), by=LI)

    @contextmanager
    def browser(self, actor: Actor, language: str = "en") -> Iterator[Client]:
        """A browser of a person."""
        with Client(self.app, language=language, headers={"x-actor": actor.id}) as client:
            yield client


def summary_of(page: httpx.Response) -> str:
    """The summary of what is wrong."""
    _, _, rest = page.text.partition('id="summary"')
    return rest.partition("</div>")[0]
