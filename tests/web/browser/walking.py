"""What people do in the portal's pages, by the names of the fields and the labels of the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

from reportflow import Lifecycle
from tests.web.browser.axe import findings
from tests.web.browser.conftest import Someone

#: The value of a field that is ticked or chosen, rather than typed.
TICKED = "\x00ticked"


class Walk:
    """The way of one record through its pages, in one language.

    Args:
        lifecycle: Of the record.
        language: Of the readers: ``zh`` or ``en``.
        shots: The folder for pictures.
    """

    def __init__(self, lifecycle: Lifecycle, language: str, shots: Path) -> None:
        self.lifecycle = lifecycle
        self.language = language
        self.shots = shots
        self.id = ""
        self._pictures = 0

    def label(self, room: str, name: str) -> str:
        """What people call a name of the table."""
        return self.lifecycle.label_of(room, name, self.language)

    def judged(self, page: Page, name: str) -> None:
        """A page as it should be: axe finds nothing, nothing is wider than the screen; and a picture of it."""
        found = findings(page)
        assert not found, f"{name}: {found}"
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"
        self._pictures += 1
        page.screenshot(path=self.shots / f"{self.language}-{self._pictures:02}-{name}.png", full_page=True)

    def fill(self, page: Page, fields: Mapping[str, str]) -> None:
        """Type into a form."""
        for name, value in fields.items():
            field = page.locator(f'form.act [name="{name}"]')
            kind = field.first.evaluate("one => one.tagName === 'SELECT' ? 'select' : one.type")
            if kind == "select":
                field.select_option(value)
            elif kind == "radio":
                page.locator(f'form.act [name="{name}"][value="{value}"]').check()
            elif kind == "checkbox":
                field.set_checked(value == TICKED)
            else:
                field.fill(value)

    def create(self, person: Someone, trigger: str, fields: Mapping[str, str]) -> Page:
        """Write a new record, from the first page on."""
        page = person.go(f"/new/{self.lifecycle.name}/{trigger}")
        self.fill(page, fields)
        self.judged(page, f"new-{trigger}")
        page.locator("form.act button.primary").click()
        expect(page).to_have_url(re.compile("/receipt/"))
        self.id = page.url.rpartition("/receipt/")[2].partition("/")[0]
        self.judged(page, "receipt")
        return page

    def act(self, person: Someone, trigger: str, fields: Mapping[str, str] | None = None) -> Page:
        """Do something with the record: from its page by the button of the act, up to the receipt."""
        page = person.go(f"/r/{self.id}")
        page.locator(".options").get_by_role("link", name=self.label("trigger", trigger), exact=True).click()
        self.fill(page, fields or {})
        self.judged(page, f"form-{trigger}")
        page.locator("form.act button.primary").click()
        expect(page).to_have_url(re.compile("/receipt/"))
        return page
