"""Texts that are put together once are the same as those that are put together each time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor
from reportflow.errors import Refusal
from reportflow.i18n.catalog import STANDARD, Catalog
from reportflow.lifecycle.decision import options
from reportflow.office import REPORT
from reportflow.testing.acts import created, report
from reportflow.web.sayings import Sayings
from reportflow.web.words import Words

NOW = datetime(2026, 11, 28, tzinfo=UTC)
KINDS = {REPORT.name: REPORT}
LANGUAGES = ("en", "zh")
SHARED = {language: Sayings(STANDARD, language, UTC, KINDS) for language in LANGUAGES}

facts = st.dictionaries(
    st.sampled_from(["state", "states", "role", "roles", "name", "given", "lifecycle", "actor"]),
    st.sampled_from(["draft", "edited", "editor", "王", "report", ""])
    | st.tuples(st.sampled_from(["draft", "editor"]), st.sampled_from(["kept", "reviewer"]))
    | st.sampled_from([1, True, 1.0, 0, False, ["draft"], NOW]),
)
refusals = st.builds(
    Refusal,
    code=st.sampled_from(["state", "role", "clearance", "reason", "own", "?"]),
    params=facts,
    people=st.dictionaries(st.sampled_from(["actor", "name"]), st.sampled_from(["王", "李"])),
    texts=st.sampled_from([{}, {"en": "Not {given}.", "zh": "不{given}。"}, {"en": "No {role}."}]),
    labels=st.sampled_from([REPORT.labels, {}, {"state.draft": {"en": "outline", "zh": "草"}}]),
)


@given(several=st.lists(refusals, min_size=2), language=st.sampled_from(LANGUAGES))
def test_a_refusal_says_its_own_facts(several: list[Refusal], language: str) -> None:
    """Whatever was said before: the text of a refusal is that of its own code, facts, people and labels."""
    for one in [*several, *several]:
        assert SHARED[language].refusal(one) == one.text(language, catalog=STANDARD)


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_people_are_refused_for_their_own_roles(language: str) -> None:
    """What one person was refused is not what the next one reads, who asks for the same of the same record."""
    record = created(report("r", unit="office")).record
    said: dict[str, list[str]] = {}
    for role in ("reviewer", "registrar", "reviewer"):
        actor = Actor(id=role, name="Wang", roles={role}, unit="office")
        why = [one for option in options(REPORT, record, actor, now=NOW) for one in option.refusals]
        texts = [SHARED[language].refusal(one) for one in why]
        assert texts == [one.text(language, catalog=STANDARD) for one in why]
        assert said.setdefault(role, texts) == texts
    others = {role: REPORT.label_of("role", role, language) for role in said}
    first = {role: next(one for one in texts if others[role] in one) for role, texts in said.items()}
    assert first["reviewer"] not in said["registrar"]
    assert first["registrar"] not in said["reviewer"]


@given(
    room=st.sampled_from(["state", "trigger", "role", "secrecy", "field", "topic"]),
    name=st.sampled_from(["draft", "edit", "editor", "secret", "title", "1", "x" * 50]) | st.integers(0, 2),
    kind=st.sampled_from(["", "report", "another"]),
    language=st.sampled_from(LANGUAGES),
)
def test_a_label_is_that_of_the_catalog(room: str, name: Any, kind: str, language: str) -> None:
    """Shared or not, in a kind that is known or not, a name is called what the table and the catalog call it."""
    labels = KINDS[kind].labels if kind in KINDS else {}
    expected = STANDARD.label(room, name, language, lifecycle=kind or None, labels=labels)
    shared = Words(STANDARD, language, UTC, KINDS, NOW, SHARED[language])
    assert (
        shared.label(room, name, kind) == Words(STANDARD, language, UTC, KINDS, NOW).label(room, name, kind) == expected
    )


def test_texts_of_two_portals_do_not_meet() -> None:
    """The words of a host that has texts of its own are kept beside those of another one."""
    catalog: Catalog = STANDARD.with_texts({"portal.work.title": {"en": "Desk"}, "report.state.draft": {"en": "Idea"}})
    own = attrs.evolve(REPORT, labels={})
    theirs = Words(catalog, "en", UTC, {own.name: own}, NOW, Sayings(catalog, "en", UTC, {own.name: own}))
    ours = Words(STANDARD, "en", UTC, KINDS, NOW, SHARED["en"])
    assert [theirs("work.title"), ours("work.title")] == ["Desk", STANDARD.text("portal.work.title")]
    assert theirs("work.title") == "Desk"
