"""The visibility rule of a query, honoured by `Store.find` and `Store.count` alike."""

from __future__ import annotations

from typing import Any

from reportflow.model.actor import ANY, OWN, UNIT, Actor, Secrecy
from reportflow.model.query import Grant, Happened, Query, Visibility
from reportflow.office.report import Author, Revision
from reportflow.storage.base import Store
from reportflow.testing.acts import acted, created, report, sample
from reportflow.testing.conformance.suite import StoreFixtures, bounded, counted, found, keep, pages

ME = Actor(id="me", unit="here")


def _grant(*scopes: Any, kind: str = "report", states: set[str] | None = None) -> Grant:
    return Grant(kind=kind, scopes=frozenset(scopes), states=None if states is None else frozenset(states))


def _seen(store: Store, *grants: Grant, clearance: Secrecy = Secrecy.TOP_SECRET, **asked: Any) -> list[str]:
    """The ids found under a rule; a count under the rule must give the same number."""
    rule = Visibility(actor="me", unit="here", clearance=clearance, grants=grants)
    ids = found(store, visible=rule, **asked)
    assert counted(store, visible=rule, **asked) == {(): len(ids)}
    entries = counted(store, "trigger", visible=rule, happened=Happened(trigger="create"), **asked)
    assert entries == ({("create",): len(ids)} if ids else {})
    assert counted(store, visible=rule, of="entries", **asked) == {(): len(store.history(ids))}
    return ids


def _keep_four(store: Store) -> None:
    there = Author(name="我", id="me")
    keep(
        store,
        created(report("mine", unit="there"), by=ME),
        created(report("other", unit="there")),
        created(report("unit", unit="here")),
        created(report("wrote", unit="there", authors=[Author(name="x", id="x"), there])),
    )


@bounded
class VisibilityTests(StoreFixtures):
    """Who sees what."""

    def test_the_scopes(self, store: Store) -> None:
        """OWN shows what one created or wrote, UNIT one's unit's, ANY everything; several show any of theirs."""
        _keep_four(store)
        assert _seen(store, _grant(OWN)) == ["mine", "wrote"]
        assert _seen(store, _grant(UNIT)) == ["unit"]
        assert _seen(store, _grant(ANY)) == ["mine", "other", "unit", "wrote"]
        assert _seen(store, _grant(OWN, UNIT)) == ["mine", "unit", "wrote"]

    def test_no_grant(self, store: Store) -> None:
        """Without a grant, or with one of no scope or no state, nothing is seen."""
        _keep_four(store)
        assert _seen(store) == _seen(store, _grant()) == _seen(store, _grant(ANY, states=set())) == []

    def test_the_states_of_a_grant(self, store: Store) -> None:
        """A grant for some states shows records in these only; any of several grants will do."""
        _keep_four(store)
        mine, unit = store.get(["mine", "unit"])
        keep(store, acted(mine, "edit", Revision(text="x")), acted(unit, "edit", Revision(text="x")))
        assert _seen(store, _grant(ANY, states={"edited"})) == ["mine", "unit"]
        assert _seen(store, _grant(OWN, states={"draft", "kept"}), _grant(UNIT, states={"edited"})) == ["unit", "wrote"]

    def test_the_kind_of_a_grant(self, store: Store) -> None:
        """A grant is for one kind."""
        keep(store, created(report("r1")), created(sample("s1", authors=["me"])))
        assert _seen(store, _grant(ANY)) == ["r1"]
        assert _seen(store, _grant(OWN, kind="conformance")) == ["s1"]
        assert _seen(store, _grant(ANY), _grant(ANY, kind="conformance")) == ["r1", "s1"]

    def test_the_clearance(self, store: Store) -> None:
        """Nobody sees above their clearance, their own neither."""
        keep(store, *(created(report(f"r{level.rank}", secrecy=level), by=ME) for level in Secrecy))
        for level in Secrecy:
            expected = [f"r{one.rank}" for one in Secrecy if one <= level]
            assert _seen(store, _grant(ANY), clearance=level) == _seen(store, _grant(OWN), clearance=level) == expected

    def test_who_one_is_letter_for_letter(self, store: Store) -> None:
        """Actors and units that merely look alike are others: their records are not one's own."""
        me, unit = "me", "here"
        keep(
            store,
            created(report("created", unit="x"), by=Actor(id="ME")),
            created(report("wrote", unit="x", authors=[Author(name="x", id="mé"), Author(name="x", id="me ")])),
            created(report("unit", unit="Here")),
        )
        assert _seen(store, _grant(OWN, UNIT)) == []
        keep(store, created(report("mine", unit="x"), by=Actor(id=me)), created(report("ours", unit=unit)))
        assert _seen(store, _grant(OWN, UNIT)) == ["mine", "ours"]

    def test_a_rule_narrows_what_is_asked(self, store: Store) -> None:
        """The rule holds together with all else that is asked for, on every page."""
        _keep_four(store)
        assert _seen(store, _grant(OWN, UNIT), unit="there") == ["mine", "wrote"]
        rule = Visibility(actor="me", unit="here", clearance=Secrecy.INTERNAL, grants=(_grant(OWN, UNIT),))
        assert pages(store, Query(visible=rule, limit=1)) == [["mine"], ["unit"], ["wrote"]]
