"""The visibility rule of a query, honoured by `Store.find` and `Store.count` alike."""

from __future__ import annotations

from typing import Any

from reportflow.model.actor import ANY, OWN, UNIT, Actor, Secrecy
from reportflow.model.query import Grant, Happened, Query, Visibility
from reportflow.office.report import Author, Revision
from reportflow.testing.acts import acted, created, report, sample
from reportflow.testing.conformance.suite import Suite

ME = Actor(id="me", unit="here")


def _grant(*scopes: Any, kind: str = "report", states: set[str] | None = None) -> Grant:
    return Grant(kind=kind, scopes=frozenset(scopes), states=None if states is None else frozenset(states))


class VisibilitySuite(Suite, bounded=True):
    """Who sees what."""

    def _seen(self, *grants: Grant, clearance: Secrecy = Secrecy.TOP_SECRET, **asked: Any) -> list[str]:
        """What is found under a rule; a count under the rule must come to the same number."""
        rule = Visibility(actor="me", unit="here", clearance=clearance, grants=grants)
        found = self.found(visible=rule, **asked)
        assert self.counted(visible=rule, **asked) == {(): len(found)}
        entries = self.counted("trigger", visible=rule, happened=Happened(trigger="create"), **asked)
        assert entries == ({("create",): len(found)} if found else {})
        assert self.counted(visible=rule, of="entries", **asked) == {(): len(self.store.history(found))}
        return found

    def _keep_four(self) -> None:
        there = Author(name="我", id="me")
        self.keep(
            created(report("mine", unit="there"), by=ME),
            created(report("other", unit="there")),
            created(report("unit", unit="here")),
            created(report("wrote", unit="there", authors=[Author(name="x", id="x"), there])),
        )

    def test_the_scopes(self) -> None:
        """OWN shows what one created or wrote, UNIT one's unit's, ANY everything; several show any of theirs."""
        self._keep_four()
        assert self._seen(_grant(OWN)) == ["mine", "wrote"]
        assert self._seen(_grant(UNIT)) == ["unit"]
        assert self._seen(_grant(ANY)) == ["mine", "other", "unit", "wrote"]
        assert self._seen(_grant(OWN, UNIT)) == ["mine", "unit", "wrote"]

    def test_no_grant(self) -> None:
        """Without a grant, or with one of no scope or no state, nothing is seen."""
        self._keep_four()
        assert self._seen() == self._seen(_grant()) == self._seen(_grant(ANY, states=set())) == []

    def test_the_states_of_a_grant(self) -> None:
        """A grant for some states shows records in these only; any of several grants will do."""
        self._keep_four()
        mine, unit = self.store.get(["mine", "unit"])
        self.keep(acted(mine, "edit", Revision(text="x")), acted(unit, "edit", Revision(text="x")))
        assert self._seen(_grant(ANY, states={"edited"})) == ["mine", "unit"]
        assert self._seen(_grant(OWN, states={"draft", "kept"}), _grant(UNIT, states={"edited"})) == ["unit", "wrote"]

    def test_the_kind_of_a_grant(self) -> None:
        """A grant is for one kind."""
        self.keep(created(report("r1")), created(sample("s1", authors=["me"])))
        assert self._seen(_grant(ANY)) == ["r1"]
        assert self._seen(_grant(OWN, kind="conformance")) == ["s1"]
        assert self._seen(_grant(ANY), _grant(ANY, kind="conformance")) == ["r1", "s1"]

    def test_the_clearance(self) -> None:
        """Nobody sees above their clearance, their own neither."""
        self.keep(*(created(report(f"r{level.rank}", secrecy=level), by=ME) for level in Secrecy))
        for level in Secrecy:
            expected = [f"r{one.rank}" for one in Secrecy if one <= level]
            assert self._seen(_grant(ANY), clearance=level) == self._seen(_grant(OWN), clearance=level) == expected

    def test_who_one_is_letter_for_letter(self) -> None:
        """Actors and units that merely look alike are others: their records are not one's own."""
        me, unit = "me", "here"
        self.keep(
            created(report("created", unit="x"), by=Actor(id="ME")),
            created(report("wrote", unit="x", authors=[Author(name="x", id="mé"), Author(name="x", id="me ")])),
            created(report("unit", unit="Here")),
        )
        assert self._seen(_grant(OWN, UNIT)) == []
        self.keep(created(report("mine", unit="x"), by=Actor(id=me)), created(report("ours", unit=unit)))
        assert self._seen(_grant(OWN, UNIT)) == ["mine", "ours"]

    def test_a_rule_narrows_what_is_asked(self) -> None:
        """The rule holds together with all else that is asked for, on every page."""
        self._keep_four()
        assert self._seen(_grant(OWN, UNIT), unit="there") == ["mine", "wrote"]
        rule = Visibility(actor="me", unit="here", clearance=Secrecy.INTERNAL, grants=(_grant(OWN, UNIT),))
        assert self.pages(Query(visible=rule, limit=1)) == [["mine"], ["unit"], ["wrote"]]
