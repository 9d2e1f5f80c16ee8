"""The chain byte by byte: what is hashed, said a second time, and the committed vectors that hold both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import Actor, Entry, MemoryStore, Secrecy
from reportflow.office import REPORT, Comment
from reportflow.serialization.digest import Sealed, commitment_of, digest_of, seal
from reportflow.serialization.unsealing import unseal
from tests.tampering import office, play

PAGE: Final = Path(__file__).parents[1] / "vectors" / "chain.json"
VECTORS: Final[list[dict[str, Any]]] = json.loads(PAGE.read_text("utf-8"))

#: The order of the header, from the text of the form, not from the code.
HEADER: Final = (
    "kind", "lifecycle_version", "record_id", "sequence", "trigger", "source", "dest", "actor_id", "at", "recorded_at",
    "precision", "cause", "cause_digest", "key", "secrecy", "audience", "level", "code", "retracts", "irregular",
)  # fmt: skip
CONTENT: Final = ("actor", "reason", "details", "party")


# -- the form, said a second time ---------------------------------------------------------------------------------


def written(value: str | int | None) -> str:
    """A text, an integer or null as RFC 8785 writes it."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return '"' + "".join(short.get(one) or (f"\\u{ord(one):04x}" if one < " " else one) for one in value) + '"'


def committed(entry: Mapping[str, Any]) -> str:
    """The commitment to the content of an entry."""
    hashed = sha256()
    hashed.update(b"reportflow/content/1" + bytes([0]))
    hashed.update(bytes.fromhex(entry["salt"]))
    for name in CONTENT:
        if entry[name] is None:
            hashed.update(bytes([255] * 8))
        else:
            content = entry[name].encode()
            hashed.update(len(content).to_bytes(8, "big"))
            hashed.update(content)
    return hashed.hexdigest()


def digested(previous: str, entry: Mapping[str, Any], commitment: str) -> str:
    """The digest of an entry."""
    several = ["reportflow/entry/1", previous, *(entry[name] for name in HEADER), commitment]
    return sha256(f"[{','.join(map(written, several))}]".encode()).hexdigest()


# -- the vectors --------------------------------------------------------------------------------------------------


def sealed(entry: Mapping[str, Any], **more: str) -> Sealed:
    """An entry of the vectors as what is stored of it."""
    return Sealed(**{"commitment": "", "digest": "", **entry, **more})


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["what"])
def test_vectors(vector: dict[str, Any]) -> None:
    """Commitment and digest of each vector are the committed ones, by the code and by the form said a second time."""
    entry, previous = vector["entry"], vector["previous"]
    assert committed(entry) == vector["commitment"]
    assert digested(previous, entry, vector["committed"]) == vector["digest"]
    whole = sealed(entry, commitment=vector["committed"])
    assert commitment_of(whole.salt, whole.actor, whole.reason, whole.details, whole.party) == vector["commitment"]
    assert digest_of(previous, whole) == vector["digest"]


def test_vectors_are_a_chain() -> None:
    """Each vector of the record stands behind the one before, and one of them was erased since."""
    assert len(VECTORS) >= 6
    by_record: dict[str, str] = {}
    for vector in VECTORS:
        id = vector["entry"]["record_id"]
        assert vector["previous"] == by_record.get(id, "")
        by_record[id] = vector["digest"]
    assert [one["what"] for one in VECTORS if one["commitment"] != one["committed"]] == ["erased content"]


_texts = st.text(st.characters(codec="utf-8"), max_size=20)
_entries = st.fixed_dictionaries(
    {
        **{name: st.none() | _texts for name in (*HEADER, *CONTENT)},
        **{name: st.integers(0, 2**31) for name in ("lifecycle_version", "sequence")},
        "retracts": st.none() | st.integers(0, 2**31),
        "salt": st.binary(min_size=16, max_size=16).map(bytes.hex),
    }
)


@given(_entries, st.sampled_from(["", "0f" * 32]))
def test_any_entry_is_hashed_as_the_form_says(entry: dict[str, Any], previous: str) -> None:
    """For any texts, numbers and null, the code hashes what the form says."""
    commitment = committed(entry)
    whole = sealed(entry, commitment=commitment)
    assert commitment_of(whole.salt, *(entry[name] for name in CONTENT)) == commitment
    assert digest_of(previous, whole) == digested(previous, entry, commitment)


@given(_entries, _entries)
def test_two_entries_have_two_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Entries that differ anywhere never share a digest, nor contents a commitment: no field flows into the next."""
    both = [(committed(entry), digested("", entry, committed(entry))) for entry in (one, other)]
    assert (both[0][1] == both[1][1]) == (one == other)


# -- an entry and what is stored of it ----------------------------------------------------------------------------


def test_what_is_sealed_is_read_again() -> None:
    """Every entry is read from what is stored of it, with its digest."""
    flow = office(MemoryStore())
    play(flow)
    entries = flow.store.history(["r1", "r2", "r3", "r4"])
    assert [unseal(one, REPORT.classes) for one in flow.store.sealed()] == entries


def test_a_step_holds_the_digest_of_its_cause() -> None:
    """A step's entry names the entry that it followed from, and holds its digest."""
    flow = office(MemoryStore())
    play(flow)
    by_ref = {f"{one.record_id}@{one.sequence}": one for one in flow.store.sealed()}
    steps = [one for one in by_ref.values() if one.cause]
    assert steps
    assert all(by_ref[str(one.cause)].digest == one.cause_digest for one in steps)


def test_audience_is_sorted() -> None:
    """The audience of an entry is stored as its roles, sorted and joined by commas."""
    time = datetime(2026, 3, 1, tzinfo=UTC)
    entry = Entry(
        record_id="r", sequence=1, trigger="comment", source="draft", dest="draft", actor=Actor(id="li"), at=time,
        recorded_at=time, details=Comment(text="?"), kind="report", lifecycle_version=1, secrecy=Secrecy.SECRET,
        audience={"reviewer", "editor"},
    )  # fmt: skip
    found = seal(entry, previous="", salt="00" * 16)
    assert (found.audience, found.secrecy) == ("editor,reviewer", "secret")
    assert unseal(found, REPORT.classes) == attrs.evolve(entry, digest=found.digest)
