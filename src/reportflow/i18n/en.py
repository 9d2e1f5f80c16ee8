"""The texts in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: What a clerk reads of each failure of the database.
_LATER: Final = "Nothing was saved; try again later, and ask the administrator if it fails again."

#: Room -> name -> text. A name that ends in "@developer" is the text for programmers, where the clerk's is another.
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "refusal": {
        "state": "{this} is '{state}' now; '{trigger}' is only for: {states}.",
        "state@developer": "'{trigger}' cannot be done in state '{state}'; it can in: {states}.",
        "role": "'{trigger}' is done by {roles}; your role here: {held}.",
        "role@developer": "'{trigger}' takes one of these roles here: {roles}; {name} holds: {held}.",
        "role.elsewhere": "You are {elsewhere} elsewhere, but not for this.",
        "role.elsewhere@developer": "These do not reach it: {elsewhere}; compare its unit and creator with the actor's.",
        "role.unknown": "The system does not know your role {unknown}; tell the administrator.",
        "role.unknown@developer": "Unknown to this lifecycle: {unknown}; correct the name.",
        "clearance": "{this} is or would be {secrecy}; you may read up to {clearance}.",
        "clearance@developer": (
            "Its secrecy is, or would be, {secrecy}, above the clearance of {name} ({clearance}); leave it to a person "
            "who may read it."
        ),
        "out_of_sight": "You would not see this any more afterwards; leave '{trigger}' to a person who still would.",
        "out_of_sight@developer": (
            "{name}, who sees the record, would not see it after '{trigger}': no role of theirs would reach it. Where "
            "that is meant, its row says hands_over=True."
        ),
        "details": "Fill in what '{trigger}' needs.",
        "details@developer": "'{trigger}' takes these details: {expected}; given: {given}.",
        "step": "This also changes a report that is not yours to change; leave it to a colleague who may.",
        "step@developer": "'{trigger}' also acts on record {ids}, which does not exist or is not visible to the actor.",
        "hidden_step": "This also changes a report that is not open to you and cannot be changed so; ask a colleague.",
        "hidden_step@developer": "'{trigger}' also acts on a record that the actor does not see, and that refuses it.",
        "reason": "Please give a reason for '{trigger}'.",
        "reason@developer": "'{trigger}' needs a reason: pass reason=.",
        "same_person": "{name} is its {field}; another person must do '{trigger}'.",
        "same_person@developer": "{name} is already this record's {field}; '{trigger}' needs another person.",
        "unknown_person": "There is nobody with the number '{person}'; correct '{field}'.",
        "unknown_person@developer": "{field}: nobody has the id '{person}'; give that of a person whom people= knows.",
        "person_out_of_sight": "{person} may not see this; choose another person as '{field}'.",
        "person_out_of_sight@developer": (
            "{field}: {person} would not see the record; compare roles, unit and clearance that people= gives of them."
        ),
        "not_assignee": "{this} is assigned to another person; change that first to do '{trigger}' yourself.",
        "not_assignee.assignee_name": "It is with {assignee_name}.",
        "not_assignee@developer": "The record is assigned to {assignee}; {name} cannot do '{trigger}'.",
        "missing": "Fill in '{field}' first, then do '{trigger}'.",
        "missing@developer": "Fill in '{field}' before '{trigger}'.",
        "itself": "Choose another report: this one cannot be merged into itself.",
        "itself@developer": "A record cannot be its own target; name another one.",
        "unchanged": "Nothing is changed by this; change something, or leave it as it is.",
        "unchanged@developer": "The details change nothing; '{trigger}' needs a change.",
        "not_a_fact": "Choose an adoption, a forwarding or an instruction that still stands.",
        "not_a_fact@developer": "Entry {sequence} is no adoption, forwarding or instruction that stands; these do: {facts}.",
        "not_retractable": "Choose what is to be taken back from the history; the submission itself is not.",
        "not_retractable@developer": "Entry {sequence} cannot be taken back: name one from 2 to {last}, the creation aside.",
        "already_retracted": "This was taken back before; nothing more is needed.",
        "already_retracted@developer": "Entry {sequence} was taken back before; '{trigger}' needs one that stands.",
        "retraction": "This takes something back itself; enter the fact anew instead.",
        "retraction@developer": "Entry {sequence} is a retraction, which cannot be taken back: do the act of then anew.",
    },
    "value": {
        "type": "is not filled in as it should be; check it",
        "type@developer": "must be {expected}, not {given}",
        "blank": "must not be blank; fill it in",
        "refused": "is not filled in as it should be; check it",
        "refused@developer": "refuses the resulting value: {given}",
        "empty": "needs at least one; add one",
        "nul": "contains a character that cannot be stored; delete it",
        "nul@developer": "contains the character NUL, which databases cannot store; remove it",
        "surrogate": "contains a character that cannot be read; type it again",
        "surrogate@developer": "contains a lone surrogate at {index}, which is not text; decode the input as UTF-8",
        "too_long": "is too long; shorten it or attach it as a file",
        "too_long@developer": "is {bytes} bytes of UTF-8; at most {limit} are stored: shorten it or attach it as a file",
        "too_many": "is too long (at most {limit} characters); shorten it",
        "too_many@developer": "has {characters} characters; this database stores at most {limit} there: shorten it",
        "unknown_zone": "is {given}, which is no time zone of this machine; give a name such as Asia/Shanghai, or a tzinfo",
        "naive": "is not a whole date and time; enter it again",
        "naive@developer": "{given} has no time zone; give an aware datetime, such as datetime.now(UTC)",
        "time_range": "is not a possible date; check it",
        "time_range@developer": "{given} lies outside the range of UTC; give a time within years 1 to 9999",
        "choice": "must be one of: {choices}",
        "choice@developer": "{given} is not known; take one of: {choices}",
        "not_finite": "must be a number",
        "not_finite@developer": "{given} is not a finite number; give a finite one",
        "digits": "is too large a number; check it",
        "digits@developer": "has more than the {limit} digits that can be stored; give a smaller number, or a text",
        "too_deep": "is not filled in as it should be; check it",
        "too_deep@developer": "is nested more than {limit} deep; give flatter data",
        "too_many_texts": "looks for too many texts at once (at most {limit}); look for fewer",
        "too_many_texts@developer": "has {given} values; a query looks for at most {limit} texts: make several queries",
        "too_many_parts": "has too much in it; split it up, or attach it as a file",
        "too_many_parts@developer": "has more than {limit} parts; give less data, or attach it as a file",
        "before_creation": "lies before the day of submission; check it",
        "before_creation@developer": "{given} lies before the record's creation at {created}; give a later time",
        "in_future": "lies in the future; enter the date on which it happened",
        "in_future@developer": "{given} lies in the future (now is {now}); give the time at which it happened",
        "set_by_flow": "is filled in by the system; leave it blank",
        "set_by_flow@developer": "is set by the flow itself; leave it out of the draft",
        "not_accepted": "cannot be filled in by '{trigger}'; leave blank: {brought}",
        "not_accepted@developer": (
            "is not accepted by '{trigger}', which accepts: {accepted}; leave out of the draft: {brought}, or name them "
            "in the row's accepts="
        ),
        "other_kind": "does not fit what was filled in; reload the page and try again",
        "other_kind@developer": (
            "is '{kind}' and the draft a {cls}, but the lifecycle '{name}' creates records of {owner}; give the draft "
            "the kind of a lifecycle of its class, or none"
        ),
        "unknown_field": "is no field of {owner}; it has: {choices}",
        "not_a_time": "is not a whole date and time; enter it again",
        "not_a_time@developer": "{given} is no time of RFC 3339; write one such as 2022-03-04T05:06:07+08:00",
        "not_a_date": "is not a possible date; enter it again",
        "not_a_date@developer": "{given} is no date; write one such as 2022-03-04",
        "not_a_number": "must be a number",
        "not_a_number@developer": '{given} is no decimal number; write one such as "12.50"',
        "not_an_id": "is not filled in as it should be; check it",
        "not_an_id@developer": "{given} is no UUID; write its 36 characters, with hyphens",
        "missing_field": "must not be blank; fill it in",
        "missing_field@developer": "is missing; {owner} needs it",
        "not_a_draft": "is a record of version {version}; pass a draft, made by {owner}.draft(…)",
        "not_stored": "is a draft that was never created; call create first",
        "other_version": "is {given}, but the record passed is version {version}; pass one or the other",
        "ambiguous": "is the record of several lifecycles ({choices}); give the draft its kind=",
        "heads_unreadable": "{path}: the file cannot be read ({given}); check the path",
        "heads_form": "{path}, line 1: this is no file of heads ({form}); name one that 'reportflow heads' wrote",
        "heads_line": "{path}, line {line}: this is not an id, a version and a head; take an unaltered copy of the file",
        "heads_order": "{path}, line {line}: its id does not come behind the one before it; take an unaltered copy of the file",
        "heads_cut": "{path}, line {line}: the file ends here, without its root; take a whole copy of it",
        "heads_behind": "{path}, line {line}: there is text behind the root; take an unaltered copy of the file",
        "heads_root": "{path}, line {line}: the root does not fit the lines before it; take an unaltered copy of the file",
        "heads_elsewhere": "{path}: none of its {number} record(s) is in this database; name the file that was written of it",
        "cursor": "is not a cursor of this query; pass Page.next of the same query, or none",
        "range": "must lie within {least} to {most}; check it",
        "range@developer": "{given} lies outside {least} to {most}; give one within",
        "negative": "must not be below 0; check it",
        "negative@developer": "{given} is negative; give 0 or more",
        "digest": "{given} is no SHA-256 digest; give its 64 hexadecimal digits, in lower case",
        "interval": "ends before it starts; check it",
        "interval@developer": "ends ({end}) before it starts ({start}); swap them",
        "plain": "is not plain data of {expected}: {given}; give what was written for such a value",
        "schema_version": "is of schema version {given}, which is no number from 1; give what was written for such a value",
        "other_class": "is of another class than {owner}; give what was written for such a value",
        "upgrade": "cannot be upgraded from schema version {version} of {owner}: {given}; correct the upgrader",
        "leftover": "is no longer in {owner}, and its upgraders left it; have one of them remove it",
        "change": "does not fit: version {version}, expected {expected}, {entries} entries; build it by decide()",
        "taken": "makes a name that something else has already; choose another one",
        "taken@developer": "makes the name {given}, which a table or view that is not ours has; choose another prefix",
        "twice": "is given twice; give it once",
        "twice@developer": "names {given} twice; name it once",
        "history": "is not the whole of one record's: {given}; give all its entries, from its creation on",
        "no_such_time": "lies before the day of submission; choose a later one",
        "no_such_time@developer": "{given}: the record did not exist then; ask for a time from {created} on",
        "version_or_time": "needs version=, or time= and happened= or one of them",
        "not_empty": "holds records already; restore into an empty one",
        "not_whole": "does not hold the whole history of {given}; give all entries of each record with the record that they lead to",
        "not_in_order": "gives {given} behind {other}; give whole records, in the order of their ids",
        "same": "is the source itself; name another database",
        "unknown_kinds": "holds records of kinds or versions that were not given: {given}; give their lifecycles too",
        "damaged": "was altered or is damaged at {given}; run `reportflow verify` on it, and restore what is wrong",
        "written": "is being written to: {given} has changed meanwhile; stop that, and copy again",
        "differs": "differs from the source at {given}; stop what writes to the two, empty the target and copy again",
        "erases_reference": "must stay, since other entries refer to it; leave it out",
        "erases_reference@developer": "{given} is a reference by which others act, and stays; leave it out",
        "not_erasable": "cannot be erased; leave it out",
        "not_erasable@developer": "{given} is no text, no optional field and no collection, or figures count by it; leave it out",
        "not_to_erase": "names nothing that can be erased; choose what to erase",
        "not_to_erase@developer": "{given} names nothing that can be erased; take of: {choices}",
        "erases_other": "cannot be erased alone: {other} depends on it; choose both, or neither",
        "erases_other@developer": (
            "{given} cannot be erased alone: that would change '{other}' at version {sequence} of record {id}; name "
            "both, or neither"
        ),
        "erases_derived": "would not be gone: it is made of something else, too; choose that as well",
        "erases_derived@developer": (
            "{given}: '{other}' would not be gone, since a function of the row makes it of something else at version "
            "{sequence} of record {id}; name the details that it reads as well"
        ),
        "erases_breaks": "cannot be erased: the history could not be read without it; leave it out",
        "erases_breaks@developer": (
            "without {given} the rules of version {sequence} of record {id} fail; leave it out, or let them bear that"
        ),
        "person_nowhere": "is found nowhere in what was chosen; check who is meant",
        "person_nowhere@developer": "{given} is in none of these records; give the id of an actor, member or party",
        "salt_missing": "is missing; nothing was erased: tell the administrator",
        "salt_missing@developer": (
            "is missing from entry {sequence} of record {id}, so its content cannot be compared with what was "
            "committed, and nothing was erased; restore the row from a backup"
        ),
        "altered": "is no longer what was saved; nothing was erased: tell the administrator",
        "altered@developer": (
            "is not what was committed, at entry {sequence} of record {id}; erasing would hide that, and nothing was "
            "erased: restore the row from a backup"
        ),
        "nothing_erases": "cannot be erased from this record; ask the administrator",
        "nothing_erases@developer": "is in state '{state}', from which no row of '{given}' erases; add one with erases=",
        "file_name": "is '{file}', which is no name of a file; rename it, without / and \\ and unseen characters",
        "file_name@developer": (
            "is {file}, which is no file's own name: give it without folders, control characters, marks that turn text "
            "round, and blanks or dots at its ends"
        ),
        "file_name_long": "of the file is too long; shorten it",
        "file_name_long@developer": "is {file}, which has more than {limit} bytes of UTF-8; shorten it",
        "file_type": "is '{file}': files of this type are not taken; take one of: {choices}",
        "file_type@developer": "is {file}, whose ending file_rules= do not take; they take: {choices}",
        "file_empty": "of '{file}' is empty; choose the right file",
        "file_large": "of '{file}' is too large; at most {limit} are taken",
        "file_large@developer": "of {file} is larger than the limit of {limit}; shrink it, or give other file_rules=",
        "file_sent": "does not fit '{file}'; choose the file anew",
        "file_sent@developer": "is {given}, which does not fit the ending of {file}; it is one of: {choices}",
        "file_other": "of '{file}' is that of a file of type {found}; rename it, or choose the right file",
        "file_other@developer": "of {file} is not what its name says, but that of a type {found}; rename it",
        "file_damaged": "of '{file}' is damaged or not whole; open it to check, save it anew, and choose it again",
        "file_damaged@developer": (
            "of {file} begins as its name says, but is cut off, damaged, of a kindred type, or unpacks to more than "
            "file_rules= take; give the whole file under its right name"
        ),
        "file_content": "of '{file}' is not what its name says; choose the right file",
        "file_content@developer": "of {file} is not what its name says; give the file under its right name",
        "file_cut": "of '{file}' did not come whole; choose it again",
        "file_cut@developer": "of {file} has {given} bytes and not {expected}, as said; send it again",
        "file_broke_off": "of '{file}' did not come whole; choose it again",
        "file_broke_off@developer": "of {file} could not be read to its end: {given}; send it again",
        "file_digest": "did not come whole; choose the file again",
        "file_digest@developer": "has the digest {given} and not {expected}; give the bytes of that digest",
        "file_missing": "names '{file}', which is not here; choose the file again",
        "file_missing@developer": "names {file}, which the actor did not upload, or not since a sweep; upload it, then name it",
        "file_altered": "names '{file}', whose content is another one; choose the file again",
        "file_altered@developer": "names {file} with another size or digest than its content has; upload it anew",
        "no_files": "cannot be kept here; ask the administrator",
        "no_files@developer": "are none of this flow; give it files=, such as DirectoryFiles('files')",
        "not_searchable": "cannot be searched here; ask the administrator",
        "not_searchable@developer": (
            "cannot be searched: give the flow people= that is a mapping, or an object with a method `search` beside "
            "its call by ids"
        ),
        "names_fixed": "is fixed for '{trigger}'; leave it out",
        "names_fixed@developer": "is said by the row '{trigger}' itself; leave it out",
        "django_copy": "is a copy of Django's connection '{given}'; give django.db.connections['{given}'] itself",
        "django_engine": (
            "is a Django connection of {given}; take one of SQLite, of PostgreSQL by psycopg 3, or of MariaDB by "
            "mysqlclient or PyMySQL"
        ),
        "other_engine": "is of {given}, and the store of {expected}; give a connection on the database of the store",
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
        "unknown_audience": "'{trigger}' has '{name}' in its audience, which is no role; define it or correct the name",
        "no_audience": "'{trigger}' has an audience without roles, so that nobody could read it; name one, or remove audience",
        "unknown_auditor": "audits names '{name}', which is no role; define it or correct the name",
        "role_comma": "the role name '{name}' has a comma, by which stored audiences are separated; take another",
        "no_creation": "no row creates a record; add one with source=None",
        "no_source": "'{trigger}' starts from no state; name one, or None for a creation",
        "creation_told": "'{trigger}' creates a record, whose content is its draft; remove details and reason_required",
        "creation_same": "'{trigger}' creates a record and must name its state, not SAME",
        "unreachable": "state '{name}' cannot be reached from a creation",
        "no_way_out": "no final state can be reached from '{name}'",
        "two_rows": "two rows for '{trigger}' in state '{state}'; at most one may apply",
        "two_details": "'{trigger}' takes {choices}; a trigger has one details class",
        "details_class": "'{trigger}' takes {given}, which is no attrs class",
        "sets_unknown_field": "'{trigger}' sets '{name}', which {owner} does not have",
        "sets_own_field": "'{trigger}' sets '{name}', which the fold sets itself",
        "erases_nothing": "'{trigger}' creates a record, of which nothing can be erased yet; remove erases",
        "erases_unknown_detail": (
            "'{trigger}' erases what '{name}' names, which is no field of its details; they have: {choices}; fixed "
            "names are a tuple"
        ),
        "erases_unknown_name": "'{trigger}' erases '{name}', which is unknown or a reference, or has no blank value",
        "sets_unknown_detail": (
            "'{trigger}' sets '{field}' from '{name}', which {owner} does not have; for a fixed text write "
            "Constant('{name}')"
        ),
        "accepts_elsewhere": "'{trigger}' creates nothing, so it has no draft to accept; remove accepts",
        "accepts_unknown_field": "'{trigger}' accepts '{name}', which {owner} does not have",
        "accepts_own_field": "'{trigger}' accepts '{name}', which the fold sets itself",
        "accepts_too_little": (
            "'{trigger}' does not accept '{name}', without which no {owner} can be made; name it in accepts, or give it "
            "a default"
        ),
        "record_class": "{given} is no attrs class derived from Record",
        "schema": "{owner}.__schema__ is {given}; write Schema(version=…, upgraders={{1: …}})",
        "schema_version": "{owner}.__schema__ has version {given}; count versions from 1",
        "upgraders": "{owner} is of schema version {version}, and its upgraders are {given}; give one function from each of {choices}",
        "field_type": "{owner}.{name} is annotated {given}, which cannot be stored: {why}",
        "field_json": "{owner}.{name} is annotated {given}, which JSON cannot say: {why}",
        "not_frozen": "{name} is a class whose values can be changed; decorate it with @attrs.frozen",
        "name_type": "the name of a {name} is {given}, which is no text; write a text, or a member of a StrEnum",
        "blank_name": "a {name} has a blank name; give it one",
        "classes_differ": "'{name}' is read by {other} already, and not by {given}: give one of the definitions another version",
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
        "rule_raises": "{part} of '{trigger}' fails: {given}. It cannot be done then; fix the function.",
        "rule_effect": (
            "{part} of '{trigger}' {effect}. A rule is judged again and again, for each offer too: let it only "
            "answer by the values that it is given."
        ),
        "rule_differs": (
            "{part} of '{trigger}' answers differently when it is asked the same again. Let it depend only on the "
            "values that it is given."
        ),
        "guard_undeclared": (
            "The guard '{guard}' of '{trigger}' reads the details and does not declare it, so that what is offered "
            "is wrong or fails: write reads_details=True."
        ),
        "state_unreachable": (
            "No record reaches '{state}': in {number} cases that were tried, {triggers} never led there. Look "
            "at the guards, roles and steps on the way, or remove the state."
        ),
        "state_trap": (
            "A record that is '{state}' never reaches an end: of {number} cases that were tried, none led on to a "
            "final state. Check the guards and roles of what leaves it, or make it final."
        ),
        "record_trap": (
            "The record of the example never leaves '{state}', though others do: whatever was tried with it, it stays "
            "there. Look at what the guards want of it, and let an act bring that about."
        ),
        "row_never": (
            "'{trigger}' (in: {states}) was refused in all of {number} cases that were tried, the simplest with: "
            "{codes}. Check its roles, guards and steps, or remove the row."
        ),
        "row_untried": (
            "'{trigger}' (in: {states}) was not tried, the bound was reached before. Give a few samples= that lead "
            "there."
        ),
        "row_shadowed": (
            "'{trigger}' never creates anything: an earlier row creates for all who are permitted. Put it before that "
            "row, or give it roles of its own."
        ),
        "row_unasked": (
            "'{trigger}' (in: {states}) is open to no role, and no step that was seen asks for it. Give it roles, let a "
            "`then` ask for it, or give the lifecycle whose steps do."
        ),
        "guard_never": (
            "The guard '{guard}' of '{trigger}' refused in all of {number} cases that were tried. Check whether it "
            "can ever pass."
        ),
        "guard_always": (
            "The guard '{guard}' of '{trigger}' passed in all of {number} cases that were tried. Check whether it "
            "guards against anything, or remove it."
        ),
        "detour_fired": (
            "The guard '{guard}' does not let {actor} do '{trigger}', but {actor} alone can get past it: after the acts "
            "shown it passes. Guard these too, or by what the history cannot lose."
        ),
        "detour_reached": (
            "The guard '{guard}' does not let {actor} do '{trigger}', but {actor} alone can bring the record to "
            "'{state}' in another way. Guard that way too."
        ),
        "not_commuting": (
            "'{trigger}' is declared to commute, and does not: before or after '{other}', the field '{field}' of the record "
            'comes out differently. Take on_conflict="retry", or let `sets` depend on the order no more.'
        ),
        "steps_endless": "The steps of '{trigger}' do not end: {path}. It cannot be done; fix its `then`.",
        "steps_may_circle": (
            "The steps of '{trigger}' may come back to it: {path}. Where they meet the same record again, or go "
            "deeper than eight, it cannot be done: make sure that they end."
        ),
        "role_unused": "No transition takes the role '{role}': an actor with no other role may only read (these records: {scope}).",
        "role_idle": (
            "No transition names the role '{role}': an actor with no other role may read, and do what everybody may (with "
            "these records: {scope})."
        ),
        "details_unread": "Nothing depends on these fields of {name}: {fields}. They are only stored in the history.",
        "bounded": "{number} cases were tried, and there are more: what was found is certain, what was not found is not.",
        "purity_unchecked": (
            "Whether guards and functions have side effects was not checked: no child process could be started with "
            "this definition. Give it a name in a module that can be imported."
        ),
        "accepted": "{given} (Accepted: {reason})",
        "acceptance_unused": "Findings with the code {codes} are accepted, and there is none. Accept it no longer.",
        "fault": "The table is wrong: {given}.",
    },
    "effect": {
        "writes": "prints",
        "changes": "changes what it is given, or what it refers to",
        "outside": "reaches outside of the process: files, network or programs",
        "clock": "reads the clock, or random numbers",
    },
    "scope": {
        "own": "their own",
        "unit": "of their unit",
        "any": "all",
    },
    "flaw": {
        "altered": "The entry was altered: its digest is not that of what stands there. Restore it from a backup.",
        "missing": "The entry is missing. Restore it from a backup.",
        "reordered": "The entry stands at another place than it was made for. Restore the order from a backup.",
        "inserted": "The entry was put in: the chain has none there. Find out who did, and remove it.",
        "no_record": "Entries stand here without their record. Restore the record from a backup.",
        "no_entries": "The record has no entries. Restore them from a backup.",
        "content_altered": "What was entered was altered: it does not give its commitment. Restore it from a backup.",
        "content_missing": "What was entered is gone, and no erasure names it. Restore it from a backup.",
        "content_back": "What was erased stands here again. Erase it again.",
        "cause": "The entry from which this one followed is another one now. Compare both with a backup.",
        "unreadable_entry": "The entry cannot be read by its class today. Give the class what reads it.",
        "no_fold": "The definition that the entry names does not know such an entry. Give the flow the definition of then.",
        "record_differs": "The record is not what its entries lead to: {fields}. Restore the record from its entries.",
        "unreadable_record": "The record cannot be read. Restore it from its entries, or from a backup.",
        "removed": "The record was there when the heads were written down, and is gone. Restore it from a backup.",
        "truncated": "The record had this version when the heads were written down, and is shorter now. Restore it from a backup.",
        "rewritten": "The history up to this version is not the one whose head was written down. Restore it from a backup.",
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
        "nothing yet": "(not submitted yet)",
        "state": "state",
        "trigger": "act",
        "title": "Who may do what: {name}",
        "caption": "In state '{state}'",
        "legend": (
            "A cell says what follows; the guards in brackets may still refuse. Acts that a state does not have are "
            "left out."
        ),
    },
    "error": {
        "error": "Something went wrong; ask the administrator.",
        "error@developer": "Something went wrong.",
        "invalid_value": "'{field}' {problem}.",
        "invalid_value@developer": "{field} {problem}.",
        "invalid_definition": "The definition '{name}' has {number} fault(s): {faults}. Fix it.",
        "unknown_trigger": "There is no such act; reload the page and try again.",
        "unknown_trigger@developer": "Lifecycle '{lifecycle}' has no trigger '{given}'; take one of: {choices}.",
        "unknown_lifecycle": "There is a fault in the system's setup, and nothing was saved; ask the administrator.",
        "unknown_lifecycle@developer": (
            "This flow has no lifecycle '{name}' ({version}); it has: {choices}. Give it that one, with lifecycles=."
        ),
        "rule_failed": "There is a fault in the system's setup, and nothing was saved; ask the administrator.",
        "rule_failed@developer": (
            "{part} of '{trigger}' in lifecycle '{lifecycle}' failed on record {id}: {given}. Fix the definition; "
            "nothing was written."
        ),
        "unbuildable": (
            "No instance of {name} could be made from its annotations ({given}). Say how: "
            "reportflow.testing.strategies.register({name}, a Hypothesis strategy of its instances)."
        ),
        "transition_refused": "{record}: '{trigger}' was not done. {refusals}",
        "transition_refused@developer": "'{trigger}' {where} is refused: {refusals}",
        "steps_unbounded": "There is a fault in the system's setup, and nothing was saved; ask the administrator.",
        "steps_unbounded@developer": (
            "The steps after '{trigger}' on record {id} do not end: {path}. Fix the lifecycle's `then`; nothing "
            "was written."
        ),
        "stale_record": (
            "Another user changed this after you opened it. Yours is not submitted yet: compare it with the new "
            "text first."
        ),
        "stale_record@developer": ("Record {id} was seen {seen}, and {change}; read it again, then retry."),
        "storage_error": "Something went wrong, and nothing was saved; try again later.",
        "storage_error@developer": "The store failed, and nothing was written: {given}. Check the database, then try again.",
        "record_not_found": "Not found, or not open to you. Check the number.",
        "record_not_found@developer": "No record {ids} is visible to the actor; check the id, or read as another actor.",
        "unreadable_record": "This cannot be shown now; tell the administrator.",
        "unreadable_record@developer": (
            "Record {ids}{entry} cannot be read: in {where}, {problem}. The row was left as it is, and no other record is "
            "affected: correct the row, or give its class an upgrader."
        ),
        "already_exists": "This number is taken; take another one.",
        "already_exists@developer": "Record {ids} exists already; create under another id, or leave the id to the flow.",
        "conflict": "Another user changed this first. Yours is not submitted yet: compare it with the new text first.",
        "conflict@developer": "Record {ids} was changed by another writer meanwhile; nothing was written: try again.",
        "duplicate_key": "Already submitted; there is no need to submit it again.",
        "duplicate_key@developer": (
            "The key {keys} was used before, for another command on record {ids}; take a new key for a new command."
        ),
        "content_erased": ("Already submitted, and erased since on request; there is no need to submit it again."),
        "content_erased@developer": (
            "The key was used before, for entry {sequence} of record {id}, whose content was erased: whether this is "
            "the same request can no longer be seen, and nothing was written; take a new key for a new request."
        ),
        "storage_unavailable": "The system cannot be used now. {advice}",
        "storage_unavailable@developer": "The store {url} cannot be used: {given}. {advice}",
        "storage_busy": "The system is busy, and nothing was saved; try again later.",
        "storage_busy@developer": "The store {url} is locked by another writer: {given}. Nothing was written; try again.",
        "storage_closed": "The system cannot be used now. " + _LATER,
        "storage_closed@developer": "The store {store}, or the connection that it was bound to, is closed: open it anew; nothing was read or written.",
        "transaction_rolled_back": "The system was busy, and nothing was saved; try again.",
        "transaction_rolled_back@developer": (
            "Your transaction on {url} was rolled back, or can only be rolled back: {given}. "
            "Roll it back, begin again, and do everything again that was in it."
        ),
        "schema_mismatch": "The tables in {url} are of schema version {found}; this reportflow reads version {expected}. {advice}",
        "invalid_url": "The database URL '{url}' is not valid: {advice}",
        "broker_unavailable": "The broker {url} cannot be reached: {given}. Check that it runs; a relay tries again by itself.",
        "missing_extra": "{name} is not installed; {advice}",
        "attachment_not_found": "This file is not there, or not open to you.",
        "attachment_not_found@developer": (
            "Neither record {ids} nor an entry of it that the actor may read names a file {sha256}; take a digest of "
            "Report.attachments."
        ),
        "unreadable_file": "This file cannot be shown now; tell the administrator.",
        "unreadable_file@developer": "The content {sha256} of a file of record {id} {problem}.",
    },
    "problem": {
        "error": "Something went wrong",
        "invalid_value": "Some of it cannot be accepted",
        "invalid_definition": "The lifecycle is not valid",
        "unknown_trigger": "No such act",
        "unknown_lifecycle": "No such kind",
        "rule_failed": "A rule of the lifecycle failed",
        "unbuildable": "No instance can be made",
        "transition_refused": "Not allowed now",
        "steps_unbounded": "The steps of an act do not end",
        "stale_record": "It was changed meanwhile",
        "content_erased": "What was sent before was erased",
        "missing_extra": "A part of the system is not installed",
        "broker_unavailable": "The message broker cannot be reached",
        "storage_error": "Nothing was saved",
        "record_not_found": "Not found",
        "attachment_not_found": "No such file",
        "already_exists": "It exists already",
        "conflict": "It is being changed by others",
        "duplicate_key": "This was sent before with other content",
        "unreadable_record": "A stored record cannot be read",
        "unreadable_file": "A file cannot be read",
        "invalid_url": "The address of the database is wrong",
        "schema_mismatch": "The tables are of another version",
        "storage_closed": "The system is closing",
        "storage_unavailable": "The database cannot be used now",
        "transaction_rolled_back": "Nothing was saved, begin again",
        "storage_busy": "The database is busy",
    },
    "unreadable": {
        "json": "there is no JSON",
        "gone": "the row is no longer there",
        "encoding": "there is no text in UTF-8",
        "column": "there is a value of another type than the column's",
        "kind": "the row names a kind, a version or a trigger that this program was not given",
        "other_class": "the name of the class is another one than{owner}",
        "schema_version": "the schema version is no number from 1",
        "upgrade": "an upgrader failed{owner}",
        "leftover": "the upgraders left something that is no field{owner}",
        "value": "there is something that does not fit the class{owner}",
        "file_missing": "is not held any more; restore the files from a backup",
        "file_altered": "is not what was kept: its digest or size is another; restore it from a backup",
    },
    "advice": {
        "url": "write memory: or sqlite:///office.db (three slashes, then the path).",
        "read_timeout": _LATER,
        "read_timeout@developer": "after the ? read_timeout takes a number of seconds above 0.",
        "driver_option": _LATER,
        "driver_option@developer": "its driver does not take one of the options after the ?, or a character of the password.",
        "encode": _LATER,
        "encode@developer": "in a user's name or a password write @ as %40, : as %3A, / as %2F and % as %25.",
        "driver": "name the driver, for example postgresql+psycopg:// instead of postgresql://.",
        "engine": "reportflow keeps records in memory:, sqlite:///file, postgresql+psycopg:// or mysql+pymysql:// (MariaDB).",
        "awaited": "this driver is asynchronous: call open_async_flow, or name a driver that blocks, such as mysql+pymysql.",
        "not_awaited": (
            "this driver blocks: call open_flow, or name an asynchronous one: sqlite+aiosqlite, "
            "postgresql+psycopg, mysql+asyncmy."
        ),
        "server": _LATER,
        "server@developer": (
            "Check that the server runs at this address, has this database and lets this user in; nothing was written."
        ),
        "unknown": "It is not certain whether this was saved: look at the history first, and repeat only what is missing.",
        "unknown@developer": (
            "The commit failed in a way that leaves it open, so it is not known whether it was written: look at the "
            "record's history, or do the same again under the same key."
        ),
        "rights": _LATER,
        "rights@developer": "Check the user, the password and the rights that the server gives them; nothing was written.",
        "database": _LATER,
        "database@developer": "There is no such database on the server: create it, or name another one.",
        "connections": _LATER,
        "connections@developer": "All connections are in use: try again, or allow more of them; nothing was written.",
        "synchronous": "synchronous takes one of: OFF, NORMAL, FULL, EXTRA.",
        "folder": _LATER,
        "folder@developer": "Check that its folder exists and may be written to, and that it is no folder itself.",
        "disk": _LATER,
        "disk@developer": "Make room on the disk and check that it is sound; nothing was written.",
        "option": "after the ? it takes synchronous=NORMAL or FULL; for SQLite's own options add uri=true.",
        "not_a_database": _LATER,
        "not_a_database@developer": "Name another file, or move this one away; nothing was changed.",
        "standby": _LATER,
        "standby@developer": (
            "The server is read-only: it is a standby, or was set so. Give the address of the one that takes writes, or "
            "wait until it does; nothing was written."
        ),
        "no_quorum": _LATER,
        "no_quorum@developer": (
            "This node of the cluster has no quorum, or has not joined yet, and serves nobody: wait until it is back, or "
            "give the address of another node; nothing was written."
        ),
        "read_only": _LATER,
        "read_only@developer": "Give this user the right to write to the file and its folder; nothing was written.",
        "create": _LATER,
        "create@developer": "There are no tables yet: open it with create=True.",
        "django_migrate": _LATER,
        "django_migrate@developer": "Put 'reportflow.hosts.django' into INSTALLED_APPS, and type: manage.py migrate reportflow",
        "restoring": _LATER,
        "restoring@developer": "Run the same copy again, which goes on where it ended; or drop the tables.",
        "foreign": "It holds tables of these names that are not reportflow's: take another prefix=.",
        "incomplete": "Some of its tables are gone: restore them from a backup.",
        "newer": "Install a newer reportflow.",
        "older": "Stop what writes to it and make a backup, then type: {command}",
        "retry": _LATER,
        "retry@developer": "Try again; if it fails again, check the server.",
        "install": "type: pip install {package}",
        "files": _LATER,
        "files@developer": "check that the place of the files is mounted, writable and not full; nothing was written.",
    },
    "report.word": {
        "this": "This report",
    },
    "report.state": {
        "draft": "submitted",
        "edited": "awaiting review",
        "reviewed": "awaiting sign-off",
        "returned": "returned",
        "adopted": "adopted",
        "forwarded": "sent on",
        "instructed": "instructed on",
        "kept": "kept on file",
        "rejected": "not used",
        "withdrawn": "withdrawn",
        "merged": "merged",
    },
    "report.state_long": {
        "draft": "submitted, awaiting editing",
        "edited": "edited, awaiting review",
        "reviewed": "reviewed, awaiting sign-off",
        "returned": "returned, awaiting changes",
        "adopted": "issued, or adopted above",
        "forwarded": "sent up, or referred to a department",
        "instructed": "instructed on by a leader",
        "kept": "kept on file for later use",
        "rejected": "not used",
        "withdrawn": "withdrawn",
        "merged": "merged into another report",
    },
    "report.trigger": {
        "create": "create",
        "revise": "revise",
        "edit": "edit",
        "supplement": "supplement",
        "classify": "classify",
        "assign": "assign",
        "return": "return",
        "review": "review",
        "adopt": "record an adoption",
        "forward": "forward",
        "instruct": "record an instruction",
        "reply": "record a reply",
        "absorb": "record an uptake",
        "retract": "take back an entry",
        "keep": "keep on file",
        "reject": "reject",
        "merge": "merge",
        "unmerge": "unmerge",
        "credit": "credit",
        "discredit": "discredit",
        "withdraw": "withdraw",
        "reopen": "reopen",
        "comment": "comment",
        "erase": "erase personal information",
    },
    "report.history": {
        "adopt.own": "issue",
        "forward": "forward",
        "forward.upward": "send up",
        "forward.for_reply": "refer",
    },
    "report.role": {
        "contributor": "contributor",
        "editor": "editor",
        "reviewer": "reviewer",
        "registrar": "records clerk",
        "auditor": "auditor",
    },
    "report.guard": {
        "same_person": "not its last editor",
        "itself": "not into itself",
        "unchanged": "a text that is changed",
        "not_a_fact": "a fact that stands",
    },
    "report.field": {
        "assignee": "editor in charge",
        "unit": "committee",
    },
    "role": {
        "everybody": "everybody who may see it",
        "nobody": "nobody (only as a step)",
    },
    "field": {
        "origin": "found elsewhere",
        "commission": "commissioned call",
        "credits": "reports merged into it",
        "id": "id",
        "title": "title",
        "text": "text",
        "authors": "authors",
        "topics": "topics",
        "unit": "unit",
        "body": "body",
        "carrier": "serial",
        "issue": "issue",
        "level": "level",
        "leader": "leader",
        "post": "post",
        "principal": "principal leader",
        "department": "department",
        "result": "result",
        "measure": "measure",
        "evidence": "evidence",
        "note": "note",
        "to": "to",
        "upward": "upward",
        "code": "ground",
        "secrecy": "secrecy",
        "clearance": "clearance",
        "reason": "reason",
        "at": "date",
        "recorded_at": "recorded",
        "due_at": "due date",
        "created_by": "creator",
        "created_for": "person on whose behalf it was created",
        "edited_by": "last editor",
        "edited_for": "person on whose behalf it was edited last",
        "assignee": "assignee",
        "version": "version",
        "revision": "version of the text",
        "cursor": "cursor",
        "as_of": "as of",
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
        "content": "content",
        "media_type": "type",
        "files": "files",
        "size": "size",
        "source": "source",
        "sequence": "number in the history",
        "passed_on": "merged before",
        "facts": "facts that stand",
        "state": "state",
        "target": "into",
        "merged_into": "merged into",
        "time": "time",
        "trigger": "act",
        "url": "url",
        "usage": "usage",
        "year": "year",
        "attachments": "attachments",
        "fields": "what to erase",
        "person": "person",
        "salt": "salt",
        "commitment": "content",
        "record": "record",
    },
    "word": {
        "whole": "what was filled in",
        "at_place": "At place {place} of the stream of requests, counted from 0; what was done before it stays.",
        "semicolon": "; ",
        "space": " ",
        "none": "none",
        "its_entry": ", entry {number},",
        "of_schema": " {owner} (stored in schema version {number})",
        "this": "This",
        "record": "'{title}'",
        "record_numbered": "'{title}' ({number})",
        "record_untitled": "This report",
        "on_record": "on record {id} (version {version})",
        "of_draft": "of a new record",
        "nothing": "nothing",
        "unknown": "unknown",
        "no tables": "no tables",
        "version": "version {number}",
        "seen_version": "at version {number}",
        "seen_head": "with another head",
        "moved_on": "is now at version {number}",
        "other_content": "has other content there now",
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
        "mass_organisation": "mass organisation",
        "non_party": "person without party",
        "county_committee": "county committee",
        "public": "public call",
        "converted": "converted from a speech, survey or proposal",
        "other": "other",
    },
    "usage": {
        "single": "single",
        "combined": "combined",
        "forwarded": "forwarded by the adopter",
    },
    "code": {
        "routine_news": "routine news",
        "already_published": "published before",
        "personal_matter": "a personal matter",
        "no_suggestion": "no suggestion",
        "in_litigation": "a case in court",
    },
    "result": {
        "solved": "solved",
        "in_progress": "being solved",
        "planned": "planned",
        "noted": "noted for reference",
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
        "absorbed": "taken up by a department",
        "forwarded": "forwarded to a department",
        "livelihood": "on livelihood topics",
        "edited": "edited",
        "reviewed": "passed review",
        "returned": "returned for changes",
        "revised": "revised by the contributor",
        "kept": "kept on file",
        "rejected": "not used",
        "merged": "merged into another",
        "withdrawn": "withdrawn",
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
    # -- the terminal
    "view": {
        "records": "all records, one a line",
        "records_of": "all records of the kind '{kind}', one a line",
        "events": "all that happened, one event a line",
        "events_of": "all that happened to records of the kind '{kind}', one event a line",
        "columns": "what the columns of these views are",
        "label": "{label}, as people call it",
        "utc": "{label} (UTC)",
        "id": "id of the record",
        "record_id": "id of the record",
        "kind": "kind of the record",
        "state": "state",
        "version": "how many events the record has",
        "lifecycle_version": "version of the lifecycle",
        "unit": "unit of the record",
        "parent": "id of the record that it belongs to",
        "title": "title",
        "text": "text",
        "category": "category",
        "assignee": "to whom it is assigned",
        "due_at": "when it is due",
        "secrecy": "secrecy",
        "created_by": "who created it",
        "created_for": "on whose behalf it was created",
        "created_at": "when it was created",
        "updated_at": "when something last happened to it",
        "sequence": "number of the event in the history of its record",
        "position": "position in the feed; none until it was read there",
        "trigger": "act",
        "source": "state before it",
        "dest": "state after it",
        "at": "when it happened",
        "recorded_at": "when it was recorded",
        "actor_id": "who did it",
        "actor_name": "name of who did it",
        "actor_post": "post of who did it",
        "actor_unit": "unit of who did it",
        "actor_on_behalf_of": "on whose behalf it was done",
        "reason": "reason",
        "party": "the party that it is about",
        "level": "level",
        "code": "ground",
        "retracts": "number of the event that it takes back",
        "taken_back": "whether a later event takes it back",
        "audience": "roles that may read it; none: everybody who may see the record",
        "view_name": "name of the view",
        "column_name": "name of the column",
        "comment": "what it is",
    },
    "django": {
        "unknown_key": "REPORTFLOW has no {given}; its keys are: {choices}.",
        "not_a_text": "REPORTFLOW['{key}'] must be a text, not {given}.",
        "no_object": "REPORTFLOW['{key}'] names nothing that can be imported ({given}); correct the path.",
        "no_function": "REPORTFLOW['{key}'] must be a function or its path, not {given}.",
        "no_lifecycles": "REPORTFLOW['LIFECYCLES'] must be lifecycles or their paths, not {given}.",
        "no_actor": "REPORTFLOW['ACTOR'] must give an Actor, not {given}.",
        "no_publisher": "There is nothing to publish to: set REPORTFLOW['PUBLISH'], or give --publish.",
        "read_only": "{model} is to look at only, so that record and history agree: write by a flow.",
        "relay": "Publish what was committed, at least once and in order for each record.",
        "using": "the alias of the database; REPORTFLOW['USING'] unless given",
        "publish": "the path of a function that takes a Message; REPORTFLOW['PUBLISH'] unless given",
        "name": "the name that relays share which do the same work",
        "poll": "how long to wait for new entries, in seconds",
        "once": "end when there is nothing left to publish",
        "published": "{number} message(s) published.",
        "record": "record",
        "records": "records",
        "entry": "entry",
        "entries": "entries",
        "label": "label",
        "labels": "labels",
        "title": "title",
        "kind": "kind",
        "state": "state",
        "due": "due",
        "created": "created",
        "changed": "changed",
        "history": "History",
        "when": "when",
        "act": "act",
        "who": "by",
        "what": "what",
        "reason": "reason",
    },
    "cli.help": {
        "reportflow": "The reports of an office, in a database.",
        "demo": "Play the year 2022 of a city's office. Started again, it continues where it ended.",
        "figures": "The figures of a year, counted from the histories.",
        "history": "What happened to one report, by its number.",
        "inbox": "What waits for a role, due first.",
        "diagram": "Draw the report's lifecycle, or one of your own.",
        "client": "Write a typed Python client of an HTTP API for a lifecycle.",
        "current": "Write nothing; fail where this file is not what would be written.",
        "check": "Check a lifecycle, the report's or one of your own, and show what is wrong with it.",
        "verify": "Verify the chains of all records, and each record against its entries.",
        "heads": "Write the head of each record, to be kept elsewhere and given to verify --against.",
        "after": "Begin behind the record of this id.",
        "against": "A file that 'reportflow heads' wrote: show what was removed, cut or rewritten since.",
        "flaws": "How many findings to show before it stops.",
        "matrix": "Show who may do what instead, in this form.",
        "accept": "Let the findings of a code be, with the reason: row_never='waits for the next year'. As often as needed.",
        "with": "A further module, with other lifecycles for steps or registered strategies. As often as needed.",
        "db": "The tables of a database, and their version.",
        "db.upgrade": "Upgrade the tables to this version; create them where there are none. Make a backup first.",
        "db.current": "Show the version of the tables.",
        "db.sql": "Print the SQL of an upgrade, without a connection. Only the engine of the URL counts: postgresql:// is enough.",
        "db.views": "Make views for SQL and BI tools: native times, JSON fields as columns, labels and comments. They show everything, secret records too.",
        "views_of": "A lifecycle whose kind gets views of its own; the report's unless given. May be repeated.",
        "drop_views": "Drop the views.",
        "db.copy": "Copy a database into an empty one, on any engine, and compare the two. Interrupted, type the same again.",
        "lifecycles": "A lifecycle of its records; as often as needed. The report's unless given.",
        "prefix": "What the tables' names begin with; reportflow_ unless given.",
        "schema": "The schema that the tables are in.",
        "since": "The version of the existing tables; leave it out where there are none.",
        "conform": "Hold a store of your own against the whole contract.",
        "cover": "Go every row, pair of rows and refusal of a lifecycle in memory, and show what was covered.",
        "reopen": "The function that opens a durable or shared store once more.",
        "profile": "default, brief for a quick look, or thorough, which takes long.",
        "random_seed": "Makes the random part repeat the same calls.",
        "help": "Show this and exit.",
        "language": "The language of the output.",
        "database": "The database; sqlite:///office.db unless given.",
        "seed": "Another seed, another year with the same figures.",
        "year": "The year.",
        "json": "One JSON object.",
        "utc_offset": "The office's offset from UTC; +08:00 unless given.",
        "body": "The office's own body: only its adoptions are issues.",
        "unit": "Only this unit; all of them unless given.",
        "as": "The role whose inbox it is.",
        "id": "The id of the person; a contributor sees their own only.",
        "limit": "How many to show.",
        "format": "mermaid or dot.",
        "loops": "Whether to draw the acts that leave the state as it is.",
    },
    # the words of click, and its usage errors
    "cli.click": {
        "Usage: ": "Usage: ",
        "Options": "Options",
        "Commands": "Commands",
        "[OPTIONS]": "[OPTIONS]",
        "COMMAND [ARGS]...": "COMMAND [ARGS]...",
        "NUMBER": "NUMBER",
        ":": ":",
        "[required]": "[required]",
        "[default: ": "[default: ",
    },
    "cli.usage": {
        "help": "Try '{command} --help' for help.",
        "error": "Error: {given}",
        "no_command": "No such command '{name}'.",
        "no_option": "No such option '{name}'.",
        "missing": "Missing: {name}.",
        "choice": "'{name}' takes one of: {choices}.",
        "value": "'{name}' takes a number.",
        "option": "'{name}' is not used rightly.",
        "other": "There are too few or too many arguments.",
    },
    "cli.demo": {
        "playing": "The year 2022",
        "next": "Type next:",
        "forgotten": "The year was played in memory only and is not saved. To save it, type: {command}",
        "other_seed": "{url} holds the year of another seed; give that seed, or name another --database.",
        "not_empty": "{url} holds {number} report(s) that are not of the demonstration; name another --database.",
        "interrupted": "Interrupted. What was written is not lost; type the same again to continue.",
    },
    "cli.figures": {
        "title": "The year {year}, {given}",
        "figure": "figure",
        "number": "number",
        "share": "share",
        "of": "of {given}",
        "process": "the office's own work",
        "sources": "where they came from",
        "instructed": "Instructions: {events} on {number} report(s), {principal} of them by principal leaders.",
        "note": "A report counts once in each figure, by the date on which it happened.",
        "empty": "No data for {year}; check the year and the unit.",
    },
    "cli.history": {
        "number": "No. {number}",
        "when": "date",
        "act": "act",
        "who": "by",
        "what": "what",
    },
    # one detail of an act that has no phrase of its own
    "phrase": {
        "fact": "{name}: {given}",
    },
    # a phrase for the details of an act; a part between bars is left out where its fact is blank
    "cli.phrase": {
        "adopt": "{body}| {carrier}| {issue}|, {usage}",
        "adopt.own": "{carrier} {issue}, {usage}",
        "edit": "'{title}' |{text}",
        "revise": "'{title}' |{text}",
        "forward": "{to}|, reply due {due_at}|, {note}",
        "instruct": "{post} |{leader}|: '{text}'",
        "absorb": "{department}|: {measure}| ({evidence})",
        "reply": "{department}|: {text}| ({result})",
        "retract": "no. {sequence}",
        "supplement": "{authors}|, {source}|, {origin}|, {attachments}",
        "comment": "{text}",
        "erase": "{fields}|, {person}",
        "merge": "into {target}",
        "credit": "{source}",
        "discredit": "{source}",
        "reject": "{code}",
    },
    "cli.check": {
        "title": "What was found about: {name}",
        "level": "level",
        "finding": "finding",
        "example": "Example of {number}:",
        "sound": "Nothing is wrong with: {name}.",
        "unsound": "{number} finding(s) ask for a change.",
        "drawn": "Checked by enumeration, with instances that Hypothesis drew.",
        "enumerated": 'Checked by enumeration only; with Hypothesis more is checked: pip install "reportflow[testing]"',
    },
    "cli.verify": {
        "sound": "{records} record(s) with {entries} entries: nothing is wrong.",
        "unsound": "{number} finding(s) in {records} record(s) with {entries} entries.",
        "place": "{id}, entry {number}: {given}",
        "record": "{id}: {given}",
        "unknown": "Of {name} {number} there is no definition here: {records} record(s), whose chains alone were verified.",
        "more": "Verified up to here; to go on, add: --after {given}",
        "running": "Verifying",
        "so_far": "{records} record(s), {entries} entries, {number} finding(s)",
    },
    "cli.inbox": {
        "title": "Waiting for: {given}",
        "due": "due date",
        "since": "received",
        "unit": "unit",
        "state": "state",
        "number": "number",
        "title_of": "title",
        "empty": "Nothing waits for {given}.",
        "left_out": "{number} records were left out: what is stored of them cannot be read ({ids}).",
        "more": "There are more; show them with --limit {number}.",
        "own": "A {given} sees their own reports only: name the person with --id.",
    },
    "cli.db": {
        "upgraded": "The tables were upgraded from version {before} to version {number}.",
        "made": "The tables were created, in version {number}.",
        "already": "The tables are of version {number} already: there was nothing to do.",
        "current": "The tables are of version {before}; this reportflow reads version {number}.",
        "none": "There are no tables of these names; this reportflow creates version {number}.",
        "views_made": "These views were made:",
        "views_secret": "They show everything, secret records too. Grant them only to those who may read it all: GRANT SELECT ON {name} TO …",
        "views_dropped": "{number} view(s) were dropped.",
        "views_gone": "The views were dropped for the upgrade. Make them again: reportflow db views",
        "so_far.verifying": "Verifying the source: {records} records, {entries} entries",
        "so_far.copying": "Copying: {records} records, {entries} entries",
        "so_far.comparing": "Comparing the two: {records} records, {entries} entries",
        "so_far.finished": "Finished: {records} records, {entries} entries",
        "no_copy": "{url} {why}.",
        "copied": "Copied and compared: {records} record(s) with {entries} entries.",
    },
    "cli.conform": {
        "running": "The contract",
        "call": "call",
        "sentence": "promise",
        "outcome": "outcome",
    },
    "cli.cover": {
        "time": "CPU time: {seconds} s",
    },
    "cli.wrong": {
        "client_unreadable": "{given} cannot be read ({why}); check the path.",
        "client_differs": "{given} is not current; type: {command}",
        "technical": "{given} Technical: {why}",
        "no_office": "There are no reports in {url}: check the path, or create some by typing: {command}",
        "role": "There is no role '{given}'; take one of: {choices}.",
        "choice": "{name} ({label})",
        "number": "Several reports have the number {given}; type one of: {choices}.",
        "utc_offset": "'{given}' is no offset from UTC; write it as +08:00.",
        "lifecycle": "'{given}' names no lifecycle: {why}. Write package.module:NAME.",
        "factory": "'{given}' names no function: {why}. Write package.module:function.",
        "not_callable": "it is a {kind}, which cannot be called",
        "module": "'{given}' cannot be imported: {why}. Write the name of a module, package.module.",
        "no_attribute": "the module has no '{name}'",
        "not_a_lifecycle": "it is a {kind}",
        "no_colon": "the colon is missing",
    },
    # the test kit
    "testing": {
        "rows_none": "There is no row for {path} that can be read. Record a store that has records.",
        "rows_unreadable": (
            "{number} recorded rows of {path} are not read as they were stored: {names}. Give their classes an upgrader, "
            "or give back what was taken from them."
        ),
        "factory_raised": "The factory raised {kind}: {given} Give a function without arguments that returns a fresh, empty store.",
        "factory_lacks": (
            "The factory gives a {kind}, which lacks calls of the contract: {names}. Give a store with all calls "
            "of reportflow.storage.base.Store."
        ),
        "factory_not_empty": "The factory gives a store that is not empty. Give a fresh one each time: a new object on new data.",
        "factory_same": "The factory gives the same store twice. Make a new one at each call, inside the function.",
        "factory_same_data": (
            "The factory gives a new object on the same data: what was committed to one store is in the next. Give "
            "each its own file, folder, schema or prefix."
        ),
        "reopen_missing": (
            "The store declares durable or shared, and there is no function that opens it again. Give reopen: it "
            "takes a store and returns one more on the same data."
        ),
        "reopen_raised": "reopen raised {kind}: {given} It takes a store, which may be closed, and returns one more on the same data.",
        "reopen_lacks": "reopen gives a {kind}, which lacks calls of the contract: {names}. Return one more store on the same data.",
        "reopen_empty": (
            "reopen gives an empty store: what was committed is not in it. Open the same file, folder or database, "
            "or do not declare durable."
        ),
        "reason.failed": "This does not hold: {line}\n{given}",
        "axis": "On the axis '{axis}', {moment}: {call} gives another answer than is due. {place} is {given}, and should be {due}.",
        "due": "{kind} was due, not {given}.",
        "reason.due": "{kind} was due, not {given}. In: {line}",
        "reason.not_due": "{kind} was raised where it is not due: {given} In: {line}",
        "reason.foreign": (
            "{kind}: {given}\nA store raises errors of reportflow.errors only; translate this one where it enters "
            "the store, or remove its cause. In: {line}"
        ),
        "reason.misshapen": "{kind}: {given}\nThe result of the store cannot be used as the contract says. In: {line}",
        "reason.flaky": (
            "The same calls end in different ways: {given}\nA store may depend on its calls only: not on chance, "
            "the clock or the calls of another store."
        ),
        "reason.died": "The process of the tests ended with exit code {code} in this test. The last it wrote: {given}",
        "pages": "The pages have no end: after 100 of them there was still a cursor. Give a cursor only where more follows.",
        "hung": (
            "{number} call(s) did not come back in {seconds} s: the store waits for itself. Release every lock in "
            "a finally, and take several in one order."
        ),
        "skip.capability": "The store does not declare the capability {capability}.",
        "skip.blocking": "The store is not asynchronous: there is no task to cancel.",
        "skip.rolled_back": (
            "The store declares host_transaction, and there is no function that begins one. Give rolled_back: it "
            "takes a store and returns a context manager that rolls back at its end."
        ),
        "skip.extra": 'Hypothesis is not installed: type pip install "{package}", and this is tested too.',
        "skip.factory": "Not run: without a fresh store for each test none of them would prove anything.",
        "skip.hung": "Not run: {number} tests before it did not come back.",
        "skip.other": "{given}",
        "skip.died": "Not run: the process of the tests had ended before.",
        "refused.not_importable": (
            "{name} cannot be imported by the process of the tests. Give a function or class at the top of a "
            "module, or its name as 'package.module:name'."
        ),
        "refused.optimized": "Python runs without assert statements (-O or PYTHONOPTIMIZE), so no test could fail. Run it without.",
        "kept": "The contract is kept: {passed} passed, {skipped} skipped.",
        "not_kept": "The contract is not kept: {failed} failed, {passed} passed, {skipped} skipped.",
        "call.make_store": "factory",
        "call.every call": "every call",
        "outcome.passed": "passed",
        "outcome.failed": "FAILED",
        "outcome.skipped": "skipped",
        "foreign": (
            "The store's `{call}` raised {given}, which is no ReportflowError. Translate it in the store: the "
            "errors that a caller can expect are those of reportflow.errors."
        ),
        "rule": "{given} A rule must give an answer for every record and command that it may meet.",
        "fickle": (
            "Judged twice on the very same record and command, '{trigger}' resulted in {one} first and in {other} "
            "then. Make its guards, `sets` and `then` pure: what they answer may depend on their arguments only."
        ),
        "side_effect": (
            "Judging '{trigger}' changed {what}: it was {one} and is now {other}. Guards, `sets` and `then` may "
            "change nothing: an offer judges too, and what is refused was judged as well."
        ),
        "outcome": "The result of a call is not what `decide` says{place}: {other} was due, and it was {one}.",
        "stored": (
            "The store does not hold what was written, or holds what was refused{place}: {other} was due, and it "
            "was {one}."
        ),
        "replay": (
            "The replay of the history is not the record{place}: the record has {other}, the replay {one}. A "
            "`sets` that is not pure does this, or a store that loses a part of an entry."
        ),
        "gap": "The entries of a record do not follow one another{place}: {other} was due, and it was {one}.",
        "leak": "An actor does not see exactly what the definition lets them see{place}: {other} was due, and it was {one}.",
        "offer": "`options` and `fire` disagree about '{trigger}'{place}: `fire` says {other}, `options` {one}.",
        "as_of": "A past version of a record is not as it was{place}: {other} was due, and it was {one}.",
        "unreached": (
            "No history of '{lifecycle}' that is drawn has these acts, so nothing is proven of them: {names}. In "
            "brackets stands what refused them. Where people can do them, say how what they need is made "
            "(reportflow.testing.strategies.register)."
        ),
        "covered": "What was covered of the lifecycle '{lifecycle}':",
        "covered.rows": "rows",
        "covered.guards": "outcomes of guards",
        "covered.refusals": "refusals",
        "covered.pairs": "pairs of rows",
        "covered_part": "{kind}: {percent} % ({done} of {total})",
        "covered_missing": "; not covered: {names}",
        "covered_missing_more": "; not covered: {names} and {number} more",
        "covered_never": "; no way was found to {never} more of the tables",
        "never_fired": (
            "In this run these transitions were never fired, so nothing is proven of them: {names}. Give more "
            "examples or steps (settings), or, where no command fits, details that the guards let pass "
            "(reportflow.testing.strategies.register)."
        ),
    },
}
