"""``recompute.py office.db`` computes every digest again, prints the first that does not fit, and then ends with 1."""

import json
import sqlite3
import sys
from hashlib import sha256

HEADER = (
    "kind", "lifecycle_version", "record_id", "sequence", "trigger", "source", "dest", "actor_id", "at", "recorded_at",
    "precision", "cause", "cause_digest", "key", "secrecy", "audience", "level", "code", "retracts", "irregular",
)  # fmt: skip


def encoded(text: str) -> bytes:
    """The bytes of a stored text."""
    return text.encode("utf-8", "surrogateescape")


def commitment(entry: sqlite3.Row) -> str:
    """What commits to the content of an entry."""
    parts = [b"reportflow/content/1\0", bytes.fromhex(entry["salt"])]
    for text in (entry["actor"], entry["reason"], entry["details"], entry["party"]):
        parts += [b"\xff" * 8] if text is None else [len(encoded(text)).to_bytes(8, "big"), encoded(text)]
    return sha256(b"".join(parts)).hexdigest()


def digest(previous: str, entry: sqlite3.Row) -> str:
    """The digest of an entry behind the one with the digest `previous`."""
    header = ["reportflow/entry/1", previous, *(entry[name] for name in HEADER), entry["commitment"]]
    return sha256(encoded(json.dumps(header, ensure_ascii=False, separators=(",", ":")))).hexdigest()


def main(path: str) -> str | None:
    """What is wrong first."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    database.text_factory = lambda some: some.decode("utf-8", "surrogateescape")
    heads = dict(
        database.execute("SELECT record_id, '' FROM reportflow_entry UNION SELECT id, '' FROM reportflow_record")
    )
    heads.update(database.execute("SELECT id, head FROM reportflow_record"))
    for id, head in heads.items():
        entries = list(database.execute("SELECT * FROM reportflow_entry WHERE record_id = ? ORDER BY sequence", [id]))
        said = [json.loads(one["details"]) for one in entries if '"$erased"' in (one["details"] or "")]
        left = {sequence: new for details in said for sequence, _, new in details.get("$erased", ())}  # the newest
        previous = ""
        for place, entry in enumerate(entries, 1):
            fits = entry["sequence"] == place and digest(previous, entry) == entry["digest"]
            if not fits or commitment(entry) != left.get(place, entry["commitment"]):
                return f"{id}, entry {place}: it does not give its digest, or its content not its commitment"
            previous = entry["digest"]
        if previous != head:
            return f"{id}: its head is not the digest of its last entry"
    return print(f"{len(heads)} records: all digests and heads fit")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
