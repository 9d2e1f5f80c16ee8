"""The texts in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Room -> name -> text. A name that ends in "@developer" is the text for programmers, where the clerk's is another.
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "refusal": {
        "state": "'{trigger}' cannot be done in state '{state}'; it can in: {states}.",
        "role": "'{trigger}' takes one of these roles here: {roles}; {actor} holds: {held}.",
        "details": "'{trigger}' must be told {expected}; it was told {given}.",
        "step": "'{trigger}' also acts on record {ids}, which is not there or not for you to see; ask somebody who may.",
        "reason": "'{trigger}' needs a reason: pass reason=.",
        "same_person": "{actor} is already this record's {field}; ask somebody else to do '{trigger}'.",
        "not_assignee": "The record is assigned to {assignee}; {actor} cannot do '{trigger}'.",
        "missing": "Fill in '{field}' before '{trigger}'.",
        "itself": "A record cannot be its own target; name another one.",
    },
    "value": {
        "type": "must be {expected}, not {given}",
        "blank": "must not be blank; write something",
        "refused": "refuses what this would make of it: {given}",
        "empty": "needs at least one; add one",
        "nul": "contains the character NUL, which databases cannot keep; take it out",
        "surrogate": "contains a lone surrogate at {index}, which is not text; decode the input as UTF-8",
        "too_long": "is {bytes} bytes of UTF-8; at most {limit} are kept: shorten it or attach it as a file",
        "too_many": "has {characters} characters; this database keeps at most {limit} there: shorten it",
        "naive": "{given} has no time zone; give an aware datetime, such as datetime.now(UTC)",
        "time_range": "{given} lies outside what UTC can say; give a time within years 1 to 9999",
        "choice": "{given} is not known; take one of: {choices}",
        "not_finite": "{given} is not a finite number; give a finite one",
        "before_creation": "{given} lies before the record's creation at {created}; give a later time",
        "in_future": "{given} lies in the future (now is {now}); give the time at which it happened",
        "set_by_flow": "is set by the flow itself; leave it out of the draft",
        "unknown_field": "is no field of {owner}; it has: {choices}",
        "missing_field": "is missing; {owner} needs it",
        "not_a_draft": "is a record of version {version}; pass a draft, made by {owner}.draft(…)",
        "not_stored": "is a draft that was never created; call create first",
        "other_version": "is {given}, but the record in hand is version {version}; pass one or the other",
        "ambiguous": "is the record of several lifecycles ({choices}); give the draft its kind=",
        "cursor": "is not a cursor of this query; pass Page.next of the same query, or none",
        "range": "{given} lies outside {least} to {most}; give one within",
        "negative": "{given} is negative; give 0 or more",
        "digest": "{given} is no SHA-256 digest; give its 64 hexadecimal digits, in lower case",
        "interval": "ends ({end}) before it starts ({start}); swap them",
        "plain": "is not plain data of {expected}: {given}; give what was written for such a value",
        "change": "does not fit: version {version}, expected {expected}, {entries} entries; build it by decide()",
        "twice": "names {given} twice; name it once",
        "history": "is not the whole of one record's: {given}; give all its entries, from its creation on",
        "no_such_time": "{given}: the record did not exist then; ask for a time from {created} on",
        "version_or_time": "needs version= or time=, one of the two",
    },
    "fault": {
        "duplicate_state": "state '{name}' is written twice",
        "unknown_state": "'{trigger}' names the unknown state '{name}'",
        "unknown_role": "'{trigger}' names the unknown role '{name}'",
        "unknown_awaited_role": "state '{state}' awaits the unknown role '{name}'",
        "reserved_role": "the role name '{name}' is reserved; take another",
        "reserved_state": "the state name '{name}' is reserved; take another",
        "reserved_trigger": "the trigger name '{name}' is reserved; take another",
        "nobody_and": "'{trigger}' takes NOBODY and {roles}; NOBODY stands alone",
        "no_creation": "no row creates a record; add one with source=None",
        "no_source": "'{trigger}' starts from no state; name one, or None for a creation",
        "creation_told": "'{trigger}' creates a record, which is told by its draft; take away details and reason_required",
        "creation_same": "'{trigger}' creates a record and must name its state, not SAME",
        "unreachable": "state '{name}' cannot be reached from a creation",
        "no_way_out": "no final state can be reached from '{name}'",
        "two_rows": "two rows for '{trigger}' in state '{state}'; at most one may apply",
        "two_details": "'{trigger}' is told {choices}; a trigger has one details class",
        "details_class": "'{trigger}' is told {given}, which is no attrs class",
        "sets_unknown_field": "'{trigger}' sets '{name}', which {owner} does not have",
        "sets_own_field": "'{trigger}' sets '{name}', which the fold sets itself",
        "sets_unknown_detail": (
            "'{trigger}' sets '{field}' from '{name}', which {owner} does not have; for a fixed text write "
            "Constant('{name}')"
        ),
        "record_class": "{given} is no attrs class derived from Record",
        "field_type": "{owner}.{name} is annotated {given}, which cannot be kept: {why}",
        "blank_name": "a {name} has a blank name; give it one",
        "registered_twice": "the name '{name}' belongs to {other} already; give {given} another with name=",
        "lifecycle_twice": "lifecycle '{name}' version {version} was given twice; give each version once",
    },
    "finding": {
        "unbuildable": (
            "No instance of {name} could be made ({given}), so that these were not tried: {triggers}. Give some: "
            "check(…, samples={{{name}: […]}}), or reportflow.testing.strategies.register({name}, a strategy)."
        ),
        "step_unknown": (
            "A step of '{trigger}' acts on {name}, whose lifecycle was not given, so that it was not tried: give "
            "that lifecycle too."
        ),
        "rule_raises": "{part} of '{trigger}' fails: {given}. Nobody can do this then; mend the function.",
        "rule_effect": (
            "{part} of '{trigger}' {effect}. A rule is judged again and again, for each offer too: let it only "
            "answer by the values that it is given."
        ),
        "rule_differs": (
            "{part} of '{trigger}' answers differently when it is asked the same again. Let it go only by the "
            "values that it is given."
        ),
        "guard_undeclared": (
            "The guard '{guard}' of '{trigger}' looks at the details and does not say so, so that what is offered "
            "is wrong or fails: write reads_details=True."
        ),
        "state_unreachable": (
            "No record comes to be '{state}': in {number} cases that were tried, {triggers} never led there. Look "
            "at the guards, roles and steps on the way, or take the state out."
        ),
        "state_trap": (
            "A record that is '{state}' never comes to an end: of {number} cases that were tried, none led on to a "
            "final state. Look at the guards and roles of what leaves it, or make it final."
        ),
        "row_never": (
            "'{trigger}' (in: {states}) was refused in all of {number} cases that were tried, the simplest with: "
            "{codes}. Look at its roles, guards and steps, or take the row out."
        ),
        "row_untried": (
            "'{trigger}' (in: {states}) was not tried, the bound was reached before. Give a few samples= that lead "
            "there."
        ),
        "row_shadowed": (
            "'{trigger}' never creates anything: whoever may, for them an earlier row creates. Put it before that "
            "row, or give it roles of its own."
        ),
        "row_unasked": (
            "'{trigger}' (in: {states}) takes nobody, and no step that was seen asks for it. Give it roles, let a "
            "`then` ask for it, or give the lifecycle whose steps do."
        ),
        "guard_never": (
            "The guard '{guard}' of '{trigger}' refused in all of {number} cases that were tried. Look whether it "
            "can ever pass."
        ),
        "guard_always": (
            "The guard '{guard}' of '{trigger}' passed in all of {number} cases that were tried. Look whether it "
            "guards against anything, or take it out."
        ),
        "detour_fired": (
            "The guard '{guard}' keeps '{trigger}' from {actor}, but {actor} alone can get past it: after the acts "
            "shown it passes. Guard these too, or by what the history cannot lose."
        ),
        "detour_reached": (
            "The guard '{guard}' keeps '{trigger}' from {actor}, but {actor} alone can bring the record to "
            "'{state}' in another way. Guard that way too."
        ),
        "steps_endless": "The steps of '{trigger}' do not end: {path}. Nobody can do this; mend its `then`.",
        "steps_may_circle": (
            "The steps of '{trigger}' may come back to it: {path}. Where they meet the same record again, or go "
            "deeper than eight, nobody can do this: see that they end."
        ),
        "role_unused": "No transition takes the role '{role}': who has no other may only read (these records: {scope}).",
        "role_idle": (
            "No transition names the role '{role}': who has no other may read, and do what everybody may (with "
            "these records: {scope})."
        ),
        "details_unread": "Nothing goes by these fields of {name}: {fields}. They are kept in the history, and no more.",
        "bounded": "{number} cases were tried, and there are more: what was found is certain, what was not found is not.",
        "purity_unchecked": (
            "Whether guards and functions have side effects was not checked: no child process could be started with "
            "this definition. Give it a name in a module that can be imported."
        ),
        "fault": "The table is wrong: {given}.",
    },
    "effect": {
        "writes": "prints",
        "changes": "changes what it is given, or what it refers to",
        "outside": "reaches outside of the process: files, network or programs",
        "clock": "reads the clock, or chance",
    },
    "scope": {
        "own": "their own",
        "unit": "of their unit",
        "any": "all",
    },
    "severity": {
        "error": "error",
        "warning": "warning",
        "note": "note",
    },
    "may": {
        "yes": "yes",
        "guarded": "with guards",
        "steps": "as a step only",
        "no": "no",
        "nothing yet": "(not there yet)",
        "state": "state",
        "trigger": "act",
        "title": "Who may do what: {name}",
        "caption": "In state '{state}'",
        "legend": (
            "A cell says what follows; guards may still refuse, and are named. Acts that a state does not have are "
            "left out."
        ),
    },
    "error": {
        "error": "Something went wrong.",
        "invalid_value": "{field} {problem}.",
        "invalid_definition": "Lifecycle '{name}' has {number} fault(s): {faults}. Mend its table.",
        "unknown_trigger": "Lifecycle '{lifecycle}' has no trigger '{given}'; take one of: {choices}.",
        "unknown_lifecycle": "This flow has no lifecycle '{name}' ({version}); it has: {choices}. Give it that one, with lifecycles=.",
        "rule_failed": (
            "{part} of '{trigger}' in lifecycle '{lifecycle}' failed on record {id}: {given}. Mend the definition; "
            "nothing was written."
        ),
        "unbuildable": (
            "No instance of {name} could be made from its annotations ({given}). Say how: "
            "reportflow.testing.strategies.register({name}, a Hypothesis strategy of its instances)."
        ),
        "transition_refused": "'{trigger}' on record {id} (version {version}) is refused: {refusals}",
        "steps_unbounded": (
            "The steps after '{trigger}' on record {id} do not end: {path}. Mend the lifecycle's `then`; nothing "
            "was written."
        ),
        "stale_record": "Record {id} was seen at version {seen}, and is now at version {stored}; read it again and decide anew.",
        "storage_error": "The store failed, and nothing was written: {given}. Look at the database, then try again.",
        "record_not_found": "No record {ids} that you may see; check the id, or ask with another role.",
        "already_exists": "Record {ids} exists already; create under another id, or leave the id to the flow.",
        "conflict": "Record {ids} was changed by somebody else meanwhile; nothing was written: try again.",
        "duplicate_key": "The key {keys} was used before, for another command on record {ids}; take a new key for a new command.",
        "storage_unavailable": "The store {url} cannot be used: {given}. {advice}",
        "storage_busy": "The store {url} is locked by another writer: {given}. Nothing was written; try again.",
        "schema_mismatch": "The tables in {url} are of schema version {found}; this reportflow reads version {expected}. {advice}",
        "invalid_url": "The database URL '{url}' will not do: {advice}",
        "broker_unavailable": "The broker {url} cannot be reached: {given}. See that it runs; a relay tries again by itself.",
        "missing_extra": "{name} is not installed; {advice}",
    },
    "advice": {
        "url": "write memory: or sqlite:///office.db (three slashes, then the path).",
        "driver": "name the driver, for example postgresql+psycopg:// instead of postgresql://.",
        "engine": "reportflow keeps records in memory:, sqlite:///file, postgresql+psycopg:// or mysql+pymysql:// (MariaDB).",
        "awaited": "this driver is awaited: call open_async_flow, or name a driver that blocks, such as mysql+pymysql.",
        "not_awaited": (
            "this driver blocks: call open_flow, or name one that is awaited: sqlite+aiosqlite, "
            "postgresql+psycopg, mysql+asyncmy."
        ),
        "server": "Check that the server runs at this address, has this database and lets this user in; nothing was written.",
        "unknown": (
            "The connection was lost while it was being kept, so it is not known whether it was: look at the "
            "record's history, or do the same again under the same key."
        ),
        "rights": "Check the user, the password and the rights that the server gives them; nothing was written.",
        "database": "There is no such database on the server: create it, or name another one.",
        "connections": "All connections are in use: try again, or allow more of them; nothing was written.",
        "synchronous": "synchronous takes one of: OFF, NORMAL, FULL, EXTRA.",
        "folder": "Check that its folder exists and may be written to, and that it is no folder itself.",
        "disk": "Make room on the disk and look that it is sound; nothing was written.",
        "option": "after the ? it takes synchronous=NORMAL or FULL; for SQLite's own options add uri=true.",
        "not_a_database": "Name another file, or move this one away; nothing was changed.",
        "read_only": "Give this user the right to write to the file and its folder; nothing was written.",
        "create": "There are no tables yet: open it with create=True.",
        "foreign": "It holds tables of these names that are not reportflow's: take another prefix=.",
        "incomplete": "Some of its tables are gone: restore them from a backup.",
        "newer": "Install a newer reportflow.",
        "older": "Stop what writes to it and make a backup, then type: {command}",
        "retry": "Try again; if it stays so, look at the server.",
        "install": "type: pip install {package}",
    },
    "state": {
        "draft": "draft",
        "edited": "edited",
        "reviewed": "reviewed",
        "returned": "returned",
        "adopted": "adopted",
        "forwarded": "forwarded",
        "instructed": "instructed",
        "kept": "kept on file",
        "rejected": "rejected",
        "withdrawn": "withdrawn",
        "merged": "merged",
    },
    "trigger": {
        "create": "create",
        "revise": "revise",
        "edit": "edit",
        "classify": "classify",
        "assign": "assign",
        "return": "return",
        "review": "review",
        "adopt": "adopt",
        "forward": "forward",
        "instruct": "instruct",
        "absorb": "absorb",
        "keep": "keep on file",
        "reject": "reject",
        "merge": "merge",
        "unmerge": "unmerge",
        "credit": "credit",
        "discredit": "discredit",
        "withdraw": "withdraw",
        "reopen": "reopen",
        "comment": "comment",
    },
    "role": {
        "contributor": "contributor",
        "editor": "editor",
        "reviewer": "reviewer",
        "registrar": "registrar",
        "auditor": "auditor",
        "everybody": "everybody who may see it",
        "nobody": "nobody (only as a step)",
    },
    "field": {
        "id": "id",
        "title": "title",
        "text": "text",
        "authors": "authors",
        "topics": "topics",
        "unit": "unit",
        "body": "body",
        "level": "level",
        "secrecy": "secrecy",
        "clearance": "clearance",
        "reason": "reason",
        "at": "at",
        "due_at": "due_at",
        "created_by": "creator",
        "edited_by": "last editor",
        "assignee": "assignee",
        "version": "version",
        "cursor": "cursor",
        "as_of": "as_of",
        "by": "by",
        "category": "category",
        "draft": "draft",
        "group": "group",
        "history": "history",
        "interval": "interval",
        "key": "key",
        "kind": "kind",
        "limit": "limit",
        "name": "name",
        "number": "number",
        "of": "of",
        "order": "order",
        "parent": "parent",
        "query": "query",
        "roles": "roles",
        "sha256": "sha256",
        "size": "size",
        "source": "source",
        "state": "state",
        "target": "target",
        "time": "time",
        "trigger": "trigger",
        "url": "url",
        "usage": "usage",
        "attachments": "attachments",
    },
    "word": {
        "semicolon": "; ",
        "space": " ",
        "none": "none",
        "record": "'{title}'",
        "record_numbered": "'{title}' ({number})",
        "record_untitled": "This report",
        "nothing": "nothing",
        "unknown": "unknown",
        "no tables": "no tables",
        "version": "version {number}",
        "any_version": "any version",
        "no entries": "no entries",
        "the first entry creates nothing": "the first entry creates nothing",
        "entries of several records": "entries of several records",
    },
    "level": {
        "county": "county",
        "city": "city",
        "province": "province",
        "national": "national",
        "central": "central",
    },
    "secrecy": {
        "internal": "internal",
        "confidential": "confidential",
        "secret": "secret",
        "top_secret": "top secret",
    },
    "source": {
        "member": "member",
        "contact_point": "contact point",
        "direct_report_point": "direct-report point",
        "member_studio": "member studio",
        "special_contributor": "special contributor",
        "special_committee": "special committee",
        "sector_group": "sector group",
        "party": "democratic party or federation",
        "county_committee": "county committee",
        "public": "public call",
        "other": "other",
    },
    "usage": {
        "single": "single",
        "combined": "combined",
        "forwarded": "original forwarded",
    },
    "lifecycle": {
        "report": "report",
    },
    "figure": {
        "collected": "collected",
        "issued": "issued in the office's own serial",
        "submitted": "submitted upward",
        "adopted": "adopted above",
        "instructed": "instructed on by leaders",
        "livelihood": "on livelihood topics",
        "edited": "edited",
        "reviewed": "reviewed",
        "returned": "returned for changes",
        "revised": "revised by the contributor",
        "kept": "kept on file",
        "rejected": "rejected",
        "merged": "merged into another",
        "withdrawn": "withdrawn",
        "forwarded": "forwarded for handling",
        "absorbed": "absorbed by a department",
    },
    "topic": {
        "agriculture": "agriculture",
        "business": "business environment",
        "city_management": "city management",
        "culture_tourism": "culture and tourism",
        "environment": "environment",
        "industry": "industry",
        "rule_of_law": "rule of law",
        "childcare": "childcare",
        "education": "education",
        "elderly_care": "care of the elderly",
        "employment": "employment",
        "food_safety": "food safety",
        "healthcare": "healthcare",
        "housing": "housing",
        "social_security": "social security",
        "transport": "transport",
    },
}
