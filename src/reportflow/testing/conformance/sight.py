"""The visibility rule, in `find` and in `count`: who sees which records, and which entries of them."""

from __future__ import annotations

from typing import Any

import attrs

from reportflow.model.actor import ANY, OWN, UNIT, Actor, Secrecy
from reportflow.model.query import Grant, Happened, Query, Visibility
from reportflow.office.report import Author, Classification, Revision
from reportflow.storage.base import Store
from reportflow.testing.acts import Aside, acted, created, joined, report, sample
from reportflow.testing.conformance.suite import StoreFixtures, bounded, counted, found, keep, pages

ME = Actor(id="me", unit="here")


def _grant(
    *scopes: Any,
    kind: str = "report",
    states: set[str] | None = None,
    versions: set[int] | None = None,
    roles: frozenset[str] | set[str] = frozenset(),
) -> Grant:
    return Grant(
        kind=kind,
        scopes=frozenset(scopes),
        states=None if states is None else frozenset(states),
        versions=None if versions is None else frozenset(versions),
        roles=frozenset(roles),
    )


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

    def test_the_versions_of_a_grant(self, store: Store) -> None:
        """A grant for some versions of a definition shows records in these only."""
        keep(store, created(report("r1")), created(sample("s1")))
        both = {one.id: one.lifecycle_version for one in store.get(["r1", "s1"])}
        for versions in ({1}, {2}, {1, 2}, {3}, set[int]()):
            expected = [id for id, version in both.items() if version in versions]
            grants = (_grant(ANY, versions=versions), _grant(ANY, kind="conformance", versions=versions))
            assert _seen(store, *grants) == expected

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

    def test_a_blank_unit_reaches_nothing(self, store: Store) -> None:
        """Who has no unit, or one of spaces alone, does not have the unit of records without one."""
        keep(store, created(report("none", unit="")), created(report("spaces", unit=" ")), created(report("here")))
        for unit in ("", " "):
            for grants in ([_grant(UNIT)], [_grant(OWN, UNIT)]):
                rule = Visibility(actor="me", unit=unit, clearance=Secrecy.TOP_SECRET, grants=tuple(grants))
                assert found(store, visible=rule) == []
                assert counted(store, visible=rule) == {(): 0}
            both = Visibility(actor="me", unit=unit, clearance=Secrecy.TOP_SECRET, grants=(_grant(UNIT, ANY),))
            assert found(store, visible=both) == ["here", "none", "spaces"]

    def test_a_rule_narrows_what_is_asked(self, store: Store) -> None:
        """The rule holds together with all else that is asked for, on every page."""
        _keep_four(store)
        assert _seen(store, _grant(OWN, UNIT), unit="there") == ["mine", "wrote"]
        rule = Visibility(actor="me", unit="here", clearance=Secrecy.INTERNAL, grants=(_grant(OWN, UNIT),))
        assert pages(store, Query(visible=rule, limit=1)) == [["mine"], ["unit"], ["wrote"]]

    def test_what_happened_above_the_clearance(self, store: Store) -> None:
        """An entry that is more secret than the clearance is in no count and no condition, though its record is."""
        first = created(report("r1", secrecy="secret"), by=Actor(id="wu"))
        opened = acted(first.record, "classify", Classification(secrecy="internal"), by=Actor(id="wu"))
        keep(store, joined(first, opened, acted(opened.record, "edit", Revision(text="x"))))
        for clearance, read in ((Secrecy.CONFIDENTIAL, ["edit"]), (Secrecy.SECRET, ["classify", "create", "edit"])):
            rule = Visibility(actor="me", unit="", clearance=clearance, grants=(_grant(ANY),))
            assert found(store, visible=rule) == ["r1"]
            _tells(store, rule, read, of=("create", "classify", "edit"))
            by_wu = len(read) > 1
            assert found(store, visible=rule, happened=Happened(actor="wu")) == ["r1"] * by_wu
            assert counted(store, "actor", visible=rule) == {("clerk",): 1, **({("wu",): 1} if by_wu else {})}

    def test_the_audience_of_an_entry(self, store: Store) -> None:
        """An entry for some roles is in the counts and conditions of those who have one that reaches its record."""
        both = {"one", "other"}
        change = created(sample("s1", unit="here"), by=Actor(id="wu"))
        for to in (None, {"one"}, {"other"}, both):
            change = joined(change, acted(change.record, "aside", Aside(to=to)))
        keep(store, change, created(sample("s2", unit="here")))
        kind = "conformance"
        for grants, number in (
            ([_grant(ANY, kind=kind)], 1),
            ([_grant(ANY, kind=kind, roles={"one"})], 3),
            ([_grant(ANY, kind=kind, roles={"on", "ne", "anybody"})], 1),
            ([_grant(ANY, kind=kind, roles=both)], 4),
            ([_grant(ANY, kind=kind), _grant(OWN, kind=kind, roles={"one"})], 1),
            ([_grant(ANY, kind=kind), _grant(ANY, states={"closed"}, kind=kind, roles=both)], 1),
            ([_grant(ANY, kind=kind), _grant(ANY, versions={1}, kind=kind, roles=both)], 1),
            ([_grant(ANY, kind=kind), _grant(ANY, kind="report", roles=both)], 1),
            ([_grant(UNIT, kind=kind, roles={"other"}), _grant(OWN, kind=kind, roles={"one"})], 3),
        ):
            rule = Visibility(actor="me", unit="here", clearance=Secrecy.INTERNAL, grants=tuple(grants))
            aside = Happened(trigger="aside")
            assert counted(store, of="entries", visible=rule, happened=aside) == {(): number}
            assert counted(store, "trigger", of="entries", visible=rule) == {("create",): 2, ("aside",): number}
            assert found(store, visible=rule, happened=aside) == ["s1"]
        none = Visibility(actor="me", unit="here", clearance=Secrecy.INTERNAL, grants=(_grant(ANY, kind=kind),))
        keep(store, acted(store.get(["s2"])[0], "aside", Aside(to={"one"})))
        _tells(store, none, ["create"], of=("create", "aside"), id="s2")
        _tells(store, attrs.evolve(none, grants=(_grant(ANY, kind=kind, roles=both),)), ["create", "aside"], id="s2")


def _tells(store: Store, rule: Visibility, read: list[str], *, of: tuple[str, ...] = (), **asked: Any) -> None:
    """Counts and conditions under a rule tell of these acts of the one record, and of no others."""
    assert counted(store, of="entries", visible=rule, **asked) == {(): len(read)}
    for kind in ("records", "entries"):
        assert counted(store, "trigger", of=kind, visible=rule, **asked) == {(one,): 1 for one in read}
    for trigger in of or read:
        shown = trigger in read
        assert len(found(store, visible=rule, happened=Happened(trigger=trigger), **asked)) == shown
        assert counted(store, visible=rule, happened=Happened(trigger=trigger), **asked) == {(): int(shown)}
