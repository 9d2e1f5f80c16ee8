"""What is stored of an entry, byte by byte, and the chain of digests over it.

Theory of operation. Each entry has a *commitment* to its content (actor, reason, details and party, as the texts that
are stored) under a random salt, and a *digest* of its header: ids, times, codes, the commitment, and the digest of the
entry before it in the record. So the digest of the last entry, the record's `head`, stands for the whole history. The
content can be removed later without touching a digest: the commitment stays, and without its salt it shows nothing.

The header is a JSON array of texts, integers and null; for these, what `json` writes without blanks is the canonical
form of RFC 8785. The content is hashed as stored, so the bytes are never written anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from json.encoder import encode_basestring as quoted
from struct import Struct
from typing import Any, Final, NamedTuple

from reportflow.model.actor import Actor
from reportflow.model.entry import Entry, Erased
from reportflow.model.values import Latest, time_text
from reportflow.serialization.jsontext import json_text

#: The tags that keep the two domains of hashing apart; a later form has another number.
ENTRY_TAG: Final = "reportflow/entry/1"
CONTENT_TAG: Final = b"reportflow/content/1\0"
#: Where the stored details of an entry say what it erased: ``[[sequence, [field, …], commitment], …]``.
ERASED: Final = "$erased"
#: The length of a content that is not there.
_NULL: Final = b"\xff" * 8
_EMPTY: Final = bytes(8)
_length: Final = Struct(">Q").pack


class Sealed(NamedTuple):
    """One entry as it is stored: its header, its content as texts, the salt, and its place in the feed.

    The first twenty fields are the header, in its order. It is for verifying, for moving a store to another engine and
    for backups, never for readers: with the salt a guess at erased content can be checked. Bytes that are no UTF-8
    stand as surrogates (``surrogateescape``), so that altered rows can be read too.

    Attributes:
        kind, lifecycle_version, record_id, sequence, trigger, source, dest, key, cause, retracts: As in `Entry`.
        actor_id: The id of the actor.
        at, recorded_at: Times in UTC as text, to the microsecond.
        precision: How exactly `at` is known; None until used.
        cause_digest: The digest of the entry that `cause` names.
        secrecy: The value of the level.
        audience: The names of the roles, sorted, joined by commas.
        level, code: The marked values of the details.
        irregular: Of an act outside the table; None until used.
        actor: The actor as JSON.
        reason: The reason.
        details: The details as JSON; None for none.
        party: The marked value of the details.
        salt: 16 bytes as hexadecimal digits.
        commitment: The commitment to the content as it was committed, hexadecimal.
        digest: The digest, hexadecimal.
        position: Its place in the feed, where it has one.
    """

    kind: str
    lifecycle_version: int
    record_id: str
    sequence: int
    trigger: str
    source: str | None
    dest: str
    actor_id: str
    at: str
    recorded_at: str
    precision: str | None
    cause: str | None
    cause_digest: str | None
    key: str | None
    secrecy: str
    audience: str | None
    level: str | None
    code: str | None
    retracts: int | None
    irregular: str | None
    actor: str | None
    reason: str | None
    details: str | None
    party: str | None
    salt: str
    commitment: str
    digest: str
    position: int | None = None


#: How many of the fields of `Sealed` are the header, in the order in which it has them.
_HEADER: Final = 20


def commitment_of(salt: str, *contents: str | None) -> str:
    """The commitment to the contents of an entry (actor, reason, details, party) under a salt, hexadecimal.

    Raises:
        ValueError: the salt is not hexadecimal.
    """
    parts = [CONTENT_TAG, bytes.fromhex(salt)]
    for content in contents:
        if content is None:
            parts.append(_NULL)
        elif not content:
            parts.append(_EMPTY)
        else:
            data = content.encode("utf-8", "surrogateescape")
            parts += (_length(len(data)), data)
    commitment: str = _writers().sha256(b"".join(parts)).hexdigest()
    return commitment


def digest_of(previous: str, sealed: Sealed) -> str:
    """The digest of an entry behind the one with the digest `previous` ("" for the first), hexadecimal."""
    header = (ENTRY_TAG, previous, *sealed[:_HEADER], sealed.commitment)
    digest: str = _writers().sha256(json_text(header).encode("utf-8", "surrogateescape")).hexdigest()
    return digest


def contents_of(entry: Entry) -> tuple[str, str, str | None, str | None]:
    """The content of an entry as it is stored: actor, reason, details and party.

    What it erased stands beside its details, so that its own commitment covers the new commitments in it.
    """
    return *_unmarked_contents(entry), entry.mark("party")


def _unmarked_contents(entry: Entry) -> tuple[str, str, str | None]:
    details = None if entry.details is None else details_text(entry.details)
    if entry.erased:
        details = _with_erased(entry)
    return actor_text(entry.actor), entry.reason, details


def _with_erased(entry: Entry) -> str:
    plain: dict[str, Any] = {} if entry.details is None else _writers().to_plain(entry.details)
    plain[ERASED] = [[one.sequence, list(one.fields), one.commitment] for one in entry.erased]
    return json_text(plain)


def take_erased(plain: dict[str, Any]) -> tuple[Erased, ...]:
    """What an entry erased, taken out of the plain data of its stored details; nothing else is left where it has none.

    Raises:
        Exception: the data were altered; of any class.
    """
    return tuple(
        Erased(sequence=sequence, fields=tuple(fields), commitment=commitment)
        for sequence, fields, commitment in plain.pop(ERASED, ())
    )


def seal(entry: Entry, *, previous: str, salt: str, cause_digest: str | None = None) -> Sealed:
    """What is stored of an entry; its digest is for the `Entry` and the record's head.

    Args:
        entry: The entry; its own digest does not matter.
        previous: The head of the record before it.
        salt: 16 random bytes as hexadecimal digits, of this entry alone.
        cause_digest: The digest of the entry that its `cause` names.
    """
    party, level, code = entry.marks
    contents = (*_unmarked_contents(entry), party)
    recorded_at = time_text(entry.recorded_at)
    audience = None if entry.audience is None else ",".join(sorted(entry.audience))
    commitment = commitment_of(salt, *contents)
    header = (
        entry.kind, entry.lifecycle_version, entry.record_id, entry.sequence, entry.trigger, entry.source, entry.dest,
        entry.actor.id, recorded_at if entry.at is entry.recorded_at else time_text(entry.at), recorded_at, None,
        entry.cause, cause_digest, entry.key,
        entry.secrecy.value, audience, level, code, entry.retracts, None,
    )  # fmt: skip
    digest = _writers().sha256(_written_header(previous, header, commitment).encode()).hexdigest()
    return tuple.__new__(Sealed, (*header, *contents, salt, commitment, digest, None))  # past a function for each act


def _written_header(previous: str, header: tuple[Any, ...], commitment: str) -> str:
    """What `json_text` gives for a header that was just made, in half the time: its types are known."""
    (kind, version, id, number, trigger, source, dest, actor, at, recorded_at, _, cause, cause_digest, key, secrecy,
     audience, level, code, retracts, _) = header  # fmt: skip
    return (
        f'["{ENTRY_TAG}","{previous}",{quoted(kind)},{version},{quoted(id)},{number},{quoted(trigger)},'
        f'{"null" if source is None else quoted(source)},{quoted(dest)},{quoted(actor)},"{at}","{recorded_at}",null,'
        f"{'null' if cause is None else quoted(cause)},{'null' if cause_digest is None else quoted(cause_digest)},"
        f'{"null" if key is None else quoted(key)},"{secrecy}",{"null" if audience is None else quoted(audience)},'
        f"{'null' if level is None else quoted(level)},{'null' if code is None else quoted(code)},"
        f'{"null" if retracts is None else retracts},null,"{commitment}"]'
    )


class _Writers(NamedTuple):
    to_plain: Callable[[object], Any]
    to_json: Callable[[object], str]
    sha256: Callable[[bytes], Any]
    type: str


@cache
def _writers() -> _Writers:
    """What writes and hashes values, imported with the first entry: not every program needs what it needs."""
    from hashlib import sha256

    from reportflow.serialization.evolution import TYPE
    from reportflow.serialization.plain import to_json, to_plain

    return _Writers(to_plain, to_json, sha256, TYPE)


@lru_cache(maxsize=1024)  # the same few people act again and again
def _write_actor(actor: Actor) -> str:
    plain: dict[str, Any] = _writers().to_plain(actor)
    del plain[_writers().type]
    return json_text(plain)


def _write_details(details: object) -> str:
    return _writers().to_json(details)


#: An actor as JSON, as it is stored.
actor_text: Final = Latest(_write_actor)
#: The details of an entry as JSON, as they are stored.
details_text: Final = Latest(_write_details)
