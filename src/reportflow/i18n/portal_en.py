"""The texts of the portal in English, by the part of it that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Room -> name -> text, as in `reportflow.i18n.en`.
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    # every page
    "portal.page": {
        "site": "Reports",
        "skip": "Go to the content",
        "navigation": "Main pages",
        "nav_work": "My work",
        "nav_find": "All reports",
        "nav_new": "Write",
        "nav_year": "The year",
        "nav_lifecycle": "The procedure",
        "nav_audit": "Inspection",
        "theme_auto": "Colours as the device",
        "theme_light": "Light",
        "theme_dark": "Dark",
        "sign_out": "Sign out",
        "not_secret": "This system is not for state secrets: do not enter or upload any.",
        "zone": "Times: {zone}",
        "nameless": "(name not known)",
        "late": "{days} day(s) late",
        "due_soon": "due {date}",
        "due": "due {date}",
        "pages": "Pages",
        "next": "Next page",
    },
    # what went wrong
    "portal.error": {
        "title_400": "This could not be read",
        "detail_400": "Go back, load the page anew and try again.",
        "title_401": "Please sign in",
        "detail_401": "You are not signed in, or were signed out. Sign in to go on.",
        "title_403": "This was not sent from a page of yours",
        "detail_403": "Nothing was changed. Go back, load the page anew and send it again.",
        "title_404": "There is no such page",
        "detail_404": "It may have moved, or is not open to you. Check the address.",
        "title_405": "This page cannot do that",
        "detail_405": "Go back and use the buttons of the page.",
        "title_412": "Another person was faster",
        "detail_412": "Load the page anew and compare.",
        "title_413": "This is too large",
        "detail_413": "Nothing was saved. Shorten the text or choose smaller files.",
        "title_415": "This form of data is not taken",
        "detail_415": "Send JSON.",
        "title_429": "Too many requests",
        "detail_429": "Wait a moment, then try again.",
        "title_500": "Something went wrong here",
        "detail_500": "Nothing was saved. Try again later, and tell the administrator if it happens again.",
        "title_503": "Not available at the moment",
        "detail_503": "Nothing was saved. Try again in a moment.",
        "sign_in": "Sign in",
        "sign_in_new": "Sign in (in a new tab)",
        "back": "Back to my work",
        "expired_title": "You were signed out: nothing is lost, nothing is submitted",
        "expired_detail": "Sign in again in a new tab; then come back to this page and send it once more.",
        "expired_files": "Choose these files again afterwards: {files}.",
        "expired_typed": "What you typed",
        "send_again": "Send again",
    },
    # my work
    "portal.work": {
        "empty": "Nothing waits for you.",
    },
    # lists, search, saved views
    "portal.find": {},
    # the page of a record
    "portal.record": {},
    # forms and receipts
    "portal.form": {},
    # drafts, conflicts, people who are at the same form
    "portal.together": {},
    # the year
    "portal.year": {},
    # the lifecycle
    "portal.lifecycle": {},
    # the auditor's view
    "portal.audit": {},
    # the log-in of the demonstration
    "portal.demo": {},
}
