"""Verifying what is stored, beside hashing the very same bytes: what it takes for one entry.

The chain alone is what a program needs that has no definitions: what is sealed is read and hashed. `verify` decodes and
folds the entries too, and compares each record with what they lead to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

from benchmarks.measure import Found, measure, timed
from benchmarks.setting import Setting
from benchmarks.work import Ticks, adopted

from reportflow import ReportFlow, open_flow
from reportflow.serialization.digest import Sealed, commitment_of, digest_of

#: How many records there are, with four entries each.
RECORDS = 500
_PAGE = 1000


def _stored(flow: ReportFlow) -> list[Sealed]:
    """All entries, page by page."""
    found: list[Sealed] = []
    while some := flow.store.sealed((found[-1].record_id, found[-1].sequence) if found else None, _PAGE):
        found += some
    return found


def _hashed(entries: Sequence[Sealed]) -> list[bytes]:
    """The bytes that are hashed of each entry: its content and its header."""
    found, previous = [], ""
    for one in entries:
        previous = "" if one.sequence == 1 else previous
        parts = [b"reportflow/content/1\0", bytes.fromhex(one.salt)]
        for text in (one.actor, one.reason, one.details, one.party):
            data = None if text is None else text.encode()
            parts += [b"\xff" * 8] if data is None else [len(data).to_bytes(8, "big"), data]
        header = ["reportflow/entry/1", previous, *islice(one, 20), one.commitment]
        found += [b"".join(parts), json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()]
        previous = one.digest
    if [sha256(one).hexdigest() for one in found[1::2]] != [one.digest for one in entries]:
        raise RuntimeError("by hand other bytes are hashed than reportflow hashes")
    return found


def chain(flow: ReportFlow) -> object:
    """Read and hash what is sealed."""
    previous = ""
    for one in _stored(flow):
        previous = digest_of("" if one.sequence == 1 else previous, one)
        commitment = commitment_of(one.salt, one.actor, one.reason, one.details, one.party)
        if previous != one.digest or commitment != one.commitment:
            raise RuntimeError("the chain is broken")
    return previous


def whole(flow: ReportFlow) -> object:
    """Verify it all."""
    found = flow.verify()
    if not found.ok or not found.finished:
        raise RuntimeError("it is not whole")
    return found


def verified(work: Callable[[ReportFlow], object]) -> Callable[[Setting], Found]:
    """What measures one entry of a verification beside hashing its bytes."""

    def found(setting: Setting) -> Found:
        with open_flow(f"sqlite:///{setting.path()}", clock=Ticks()) as flow:
            adopted(flow, [""] * RECORDS)  # the flow gives the ids
            entries = _stored(flow)
            several = _hashed(entries)
            number = len(entries)

            def by_hand(_: Any) -> None:
                for one in several:
                    sha256(one).hexdigest()

            samples = timed(lambda _: work(flow), 1), timed(by_hand, 1)
            ours, floor = ([one / number for one in times] for times in measure(*samples, rounds=setting.long_rounds))
        return Found(ours=ours, floor=floor, floor_name="hashing alone", as_text=lambda taken: f"{taken * 1e6:.1f} µs")

    return found
