"""What holds on each engine; Django's own test runner makes the databases by `migrate`, and runs this."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from inspect import signature as inspect_signature
from typing import Any, Final
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, NotSupportedError, connection, connections, transaction
from django.db.models import Max, Min
from django.db.models.functions import ExtractYear
from django.http import HttpResponse
from django.test import RequestFactory, TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from sqlalchemy import MetaData, create_engine, inspect, make_url

from reportflow import (
    Actor,
    DuplicateKey,
    Fire,
    InvalidValue,
    Query,
    RecordNotFound,
    ReportFlow,
    ReportflowError,
    SchemaMismatch,
    SqlStore,
    StorageError,
    StorageUnavailable,
    TransactionRolledBack,
    TransitionRefused,
    problem,
    replay,
)
from reportflow.hosts.django import DjangoStore, actor_of, flow, session_actor, user_actor
from reportflow.hosts.django.configuration import OF_A_FLOW
from reportflow.hosts.django.management.commands.reportflow_relay import stopped_by_signals
from reportflow.hosts.django.middleware import ProblemMiddleware
from reportflow.hosts.django.models import EntryRow, LabelRow, RecordRow
from reportflow.hosts.django.tables import MakeTables
from reportflow.hosts.retry import retrying
from reportflow.office import REPORT, Assignment, Author, Comment, Report, Revision
from reportflow.storage.sql.schema import make_tables
from tests.hosts.django_project.letters.models import PUBLISHED, Letter

LI = Actor(id="li", roles={"contributor", "editor", "registrar"}, unit="yulin")
GAO = Actor(id="gao", roles={"editor"}, unit="yanan")


def draft(title: str = "Dark lamps", **fields: Any) -> Report:
    """A draft that is in order."""
    return Report.draft(**{"title": title, "text": "x", "authors": [Author(name="张三", id="zhang")], **fields})


#: Engine -> what gives the number of one's own connection, and what has the server close one.
KILL: Final = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%s)"),
    "mysql": ("SELECT CONNECTION_ID()", "KILL %s"),
}


#: Engine -> how a session gets its level of isolation for this test, and back.
LEVELS: Final[dict[str, tuple[str, str]]] = {
    "mysql": (
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )
}


#: Columns that say nothing to a person: for searching and for the chain, and two that are not used yet.
STORES_OWN: Final = {"folded", "salt", "commitment", "cause_digest", "precision", "irregular"}


#: The applications whose tables are emptied between tests; naming them spares making Django's permissions anew.
APPLICATIONS: Final = ["django.contrib.contenttypes", "reportflow.hosts.django", "tests.hosts.django_project.letters"]


def titles(by: Actor = LI, using: str | None = None) -> list[str]:
    """The titles of the records that somebody sees."""
    return [record.title for record in flow(using).find(Query(), by=by)]


class InsideATestCase(TestCase):
    databases: Any = frozenset({"default", "reports"})

    def test_a_rollback_of_an_atomic_block_removes_what_was_written_in_it(self) -> None:
        """What was written in a block goes with it, the host's own rows and the records, and nothing before."""
        kept = flow().create(draft("kept"), by=LI)
        with suppress(ZeroDivisionError), transaction.atomic():
            Letter.objects.create(about_id=kept.id, text="A")
            flow().fire(kept, "edit", Revision(text="y"), by=LI, key="k")
            with transaction.atomic():
                flow().create(draft("inner", topics=["road"]), by=LI)
            assert titles() == ["kept", "inner"]
            raise ZeroDivisionError
        assert titles() == ["kept"]
        assert flow().get(kept.id, by=LI) == kept
        assert flow().by_key("k", by=LI) is None
        assert not Letter.objects.exists()
        assert EntryRow.objects.count() == 1

    def test_a_rollback_to_a_savepoint_removes_what_was_written_after_it(self) -> None:
        """A block inside a block is a savepoint: what was written before and after it stays."""
        with transaction.atomic():
            record = flow().create(draft(), by=LI)
            with suppress(ZeroDivisionError), transaction.atomic():
                flow().fire(record, "edit", Revision(text="y"), by=LI)
                raise ZeroDivisionError
            own = transaction.savepoint()
            flow().create(draft("gone"), by=LI)
            transaction.savepoint_rollback(own)
            flow().fire(record, "comment", Comment(text="z"), by=LI)
        assert titles() == ["Dark lamps"]
        history = flow().history(record.id, by=LI)
        assert [entry.trigger for entry in history] == ["create", "comment"]
        assert replay(history, REPORT) == flow().get(record.id, by=LI)

    def test_an_error_leaves_the_transaction_usable_and_nothing_of_the_call_in_it(self) -> None:
        """Whatever a call raises, Django's transaction goes on, and nothing of the call is in it."""
        record = flow().create(draft(), by=LI, key="k")
        other = flow().create(draft("other"), by=LI)
        calls: Sequence[tuple[type[ReportflowError], Callable[[], object]]] = (
            (DuplicateKey, lambda: flow().create(draft("a"), by=LI, key="k")),
            (TransitionRefused, lambda: flow().fire(record, "review", by=LI)),
            (RecordNotFound, lambda: flow().get("none", by=LI)),
            (
                DuplicateKey,
                lambda: flow().batch([Fire(other, "edit", Revision(text="z"), by=LI, key=key) for key in ("n", "k")]),
            ),
            (InvalidValue, lambda: flow().create(draft(category="长" * 300), by=LI)),
        )
        for expected, call in calls:
            if expected is InvalidValue and connection.vendor == "sqlite":
                continue  # which limits no lengths
            with pytest.raises(expected):
                call()
            assert not connection.needs_rollback
            assert EntryRow.objects.count() == 2
        flow().fire(record, "edit", Revision(text="y"), by=LI)
        assert EntryRow.objects.count() == 3

    def test_a_transaction_that_must_be_rolled_back_is_an_error_of_the_library(self) -> None:
        """In a block that Django has marked for rollback a call raises an error of the library, read or write."""
        with transaction.atomic():
            transaction.set_rollback(True)
            for call in (lambda: flow().create(draft(), by=LI), lambda: flow().find(Query(), by=LI)):
                with pytest.raises(TransactionRolledBack):
                    call()
        assert titles() == []

    def test_an_error_of_the_hosts_own_is_not_swallowed(self) -> None:
        """What breaks in the host's own statements breaks its block; the records of the block go with it."""

        @transaction.atomic
        def break_it() -> None:
            flow().create(draft(), by=LI)
            Letter.objects.create(id=1, text="A")
            Letter.objects.create(id=1, text="B")

        with pytest.raises(IntegrityError):
            break_it()
        assert titles() == []

    def test_hooks_run_after_the_commit_of_the_block(self) -> None:
        """`on_commit` is Django's own: a hook of a block that is rolled back never runs."""
        with self.captureOnCommitCallbacks(execute=True) as hooks:
            with transaction.atomic():
                flow().create(draft(), by=LI)
                transaction.on_commit(lambda: None)
            with suppress(ZeroDivisionError), transaction.atomic():
                flow().create(draft(), by=LI)
                transaction.on_commit(lambda: None)
                raise ZeroDivisionError
        assert len(hooks) == 1

    def test_each_alias_has_records_of_its_own(self) -> None:
        """A flow, and a store that is bound, write to the database of their alias and to no other."""
        flow("reports").create(draft("there"), by=LI)
        with suppress(ZeroDivisionError), transaction.atomic("reports"):
            flow("reports").create(draft("gone"), by=LI)
            raise ZeroDivisionError
        assert (titles(), titles(using="reports")) == ([], ["there"])
        for host, expected in ((connections["reports"], "reports"), (connection, DEFAULT_DB_ALIAS)):
            flow().bound_to(host).create(draft(f"bound to {expected}"), by=LI)
        assert titles() == ["bound to default"]
        assert titles(using="reports") == ["there", "bound to reports"]
        assert flow("reports") is flow("reports")
        assert flow() is flow(DEFAULT_DB_ALIAS)

    def test_a_store_of_sqlalchemy_writes_in_the_transaction_too(self) -> None:
        """`flow.bound_to(django.db.connection)` of a flow on a URL writes in Django's transaction, and no other."""
        with ReportFlow(SqlStore(url_of(DEFAULT_DB_ALIAS), prefix="office_", create=False), REPORT) as own:
            bound = own.bound_to(connection)
            with suppress(ZeroDivisionError), transaction.atomic():
                record = bound.create(draft(), by=LI)
                assert bound.fire(record, "edit", Revision(text="y"), by=LI).state == "edited"
                assert own.find(Query(), by=LI).records == ()
                raise ZeroDivisionError
            assert bound.find(Query(), by=LI).records == ()
            assert own.bound_to(connections[DEFAULT_DB_ALIAS]).create(draft("b"), by=LI).version == 1
            assert titles() == ["b"]
            again = flow().bound_to(connection)
            with suppress(ZeroDivisionError), transaction.atomic():
                again.create(draft("c"), by=LI)
                raise ZeroDivisionError
            assert [record.title for record in again.find(Query(), by=LI)] == ["b"]

    def test_statements_are_counted_and_wrapped_as_those_of_the_models(self) -> None:
        """Django's own cursor runs the statements: `assertNumQueries`, logs and wrappers see them."""
        with CaptureQueriesContext(connection) as captured:
            record = flow().create(draft(topics=["50%", "road"]), by=LI)
        assert any("50%" in query["sql"] for query in captured)
        with self.assertNumQueries(1):
            flow().get(record.id, by=LI)
        seen: list[str] = []

        def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            seen.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(wrap):
            flow().history(record.id, by=LI)
        assert any("office_entry" in sql for sql in seen)

    def test_a_connection_that_is_a_copy_is_refused(self) -> None:
        """A copy of a connection is refused: Django does not give it under its alias."""
        copy = connection.copy()
        with pytest.raises(InvalidValue, match="connections"):
            flow().bound_to(copy)

    def test_models_show_what_the_flow_gives(self) -> None:
        """Rows have native times and JSON, and can be filtered by times, parts of times, due dates and JSON."""
        record = flow().create(draft(topics=["road", "lamp"]), by=LI)
        due = timezone.now() + timedelta(days=2)
        later = flow().fire(flow().create(draft("due"), by=LI), "assign", Assignment(assignee="li", due_at=due), by=LI)
        row, owed = RecordRow.objects.get(pk=record.id), RecordRow.objects.get(pk=later.id)
        assert (row.created_at, row.due_at, owed.due_at) == (record.created_at, None, later.due_at)
        assert row.data["authors"][0]["name"] == "张三"
        assert {label.value for label in row.labels.filter(name="topic")} == {"road", "lamp"}
        assert row.labels.get(name="topic", value="road").pk == (record.id, "topic", "road")
        year, rows = timezone.localtime(record.created_at).year, RecordRow.objects
        one = rows.filter(created_at__gte=record.created_at, created_at__lte=record.created_at)
        assert one.get().pk == record.id
        assert rows.filter(created_at__year=year).count() == 2
        assert rows.filter(created_at__year__lt=year).count() == 0
        if connection.features.has_zoneinfo_database:
            assert rows.annotate(year=ExtractYear("created_at__date")).filter(year=year).count() == 2
        assert rows.filter(due_at__isnull=True).get().pk == record.id
        assert rows.filter(due_at__isnull=False).get().pk == later.id
        assert [rows.filter(due_at__gt=due + timedelta(days=n)).count() for n in (-1, 1)] == [1, 0]
        assert rows.filter(due_at__lt=due + timedelta(days=1)).get().pk == later.id
        assert rows.exclude(due_at__isnull=True).get().pk == later.id
        assert rows.aggregate(least=Min("created_at"), most=Max("updated_at")) == {
            "least": record.created_at,
            "most": later.updated_at,
        }
        entries = EntryRow.objects.filter(record=later.id).order_by("sequence")
        assert [(one.trigger, one.actor["id"]) for one in entries] == [("create", "li"), ("assign", "li")]
        assert EntryRow.objects.filter(details__assignee="li").get().record_id == later.id
        assert str(entries[0]) == f"{later.id}@1"

    def test_the_models_write_nothing(self) -> None:
        """A model of a table can be neither saved nor deleted, nor written through a query."""
        record = RecordRow.objects.get(pk=flow().create(draft(), by=LI).id)
        for write in (
            record.save,
            record.delete,
            lambda: RecordRow.objects.update(state="adopted"),
            lambda: RecordRow.objects.all().delete(),
            lambda: RecordRow.objects.create(id="r"),
            lambda: LabelRow.objects.bulk_create([LabelRow(record_id=record.pk, name="a", value="b")]),
        ):
            with pytest.raises(NotSupportedError):
                write()
        assert titles() == ["Dark lamps"]

    def test_a_row_of_the_hosts_refers_to_a_record(self) -> None:
        """A foreign key to a record holds on each engine, and joins."""
        record = flow().create(draft(), by=LI)
        Letter.objects.create(about_id=record.id, text="A")
        assert Letter.objects.filter(about__state="draft").get().about.title == "Dark lamps"
        assert RecordRow.objects.get(letters__text="A").pk == record.id

    def test_a_list_shows_what_find_shows(self) -> None:
        """`visible_to` gives each person the records that `find` gives them, and the query narrows both."""
        for by in (LI, GAO):
            for secrecy in ("internal", "secret"):
                flow().create(draft(f"of {by.id}", secrecy=secrecy), by=Actor(**{**_fields(by), "clearance": "secret"}))
        people = (LI, GAO, Actor(id="zhang", roles={"contributor"}), Actor(id="wu"), Actor(**_cleared(LI)))
        for by in people:
            for query in (Query(), Query(text="of li")):
                found = {record.id for record in flow().find(query, by=by)}
                assert {row.pk for row in RecordRow.objects.visible_to(by, query)} == found
                entries = flow().count(query, by=by, of="entries")
                assert EntryRow.objects.visible_to(by, query).count() == entries[()]
        assert len({len(titles(by)) for by in people}) > 2

    def test_the_admin_shows_a_person_what_they_may_see(self) -> None:
        """List, page and history of the admin show what `find`, `get` and `history` show, and change nothing."""
        mine, other = flow().create(draft("mine"), by=LI), flow().create(draft("theirs"), by=GAO)
        flow().fire(mine, "edit", Revision(text="y"), by=LI, reason="clearer")
        user = User.objects.create_user("wang", password="w", is_staff=True, last_name="yulin", first_name="Wang")
        user.groups.add(Group.objects.create(name="editor"))
        self.client.force_login(user)
        path = "/admin/reportflow/recordrow/"
        assert self.client.get(path).status_code == 403
        user.user_permissions.add(Permission.objects.get(codename="view_recordrow"))
        listed = self.client.get(path).content.decode()
        assert "mine" in listed
        assert "theirs" not in listed
        since = timezone.localtime(mine.created_at).isoformat(" ")
        for search in ({"q": "mine"}, {"state": "edited"}, {"created_at__gte": since}, {"due_at__isnull": "True"}):
            found = self.client.get(path, search).content.decode()
            assert "mine" in found
            assert "theirs" not in found
        assert "mine" in self.client.get(f"{path}{mine.id}/change/").content.decode()
        assert self.client.get(f"{path}{other.id}/change/").status_code == 302
        history = self.client.get(f"{path}{mine.id}/history/", headers={"accept-language": "en"}).content.decode()
        assert "clearer" in history
        assert self.client.get(f"{path}{other.id}/history/").status_code == 302
        assert self.client.post(f"{path}{mine.id}/change/", {"title": "z"}).status_code == 403
        assert self.client.post(f"{path}{mine.id}/delete/", {"post": "yes"}).status_code == 403
        assert self.client.get(f"{path}add/").status_code == 403

    def test_a_user_is_an_actor_by_account_and_groups(self) -> None:
        """The id is that of the account, roles are the names of its groups; nobody is the actor of no account."""
        user = User.objects.create_user("wang", first_name="Wang", last_name="yulin")
        user.groups.add(*(Group.objects.create(name=name) for name in ("editor", "reviewer")))
        expected = Actor(id=str(user.pk), name="Wang yulin", roles={"editor", "reviewer"}, unit="yulin")
        assert actor_of(user) == expected
        assert user_actor(user, clearance="secret").clearance == "secret"
        user.is_active = False
        for nobody in (AnonymousUser(), user):
            with pytest.raises(PermissionDenied):
                actor_of(nobody)
        with override_settings(REPORTFLOW={"ACTOR": str}), pytest.raises(ImproperlyConfigured, match="Actor"):
            actor_of(User(username="x", is_active=True, pk=1))

    def test_a_browser_is_the_account_that_has_logged_in(self) -> None:
        """`session_actor` knows who has logged in, by the cookie of the session; nobody without one, or not active."""
        user = User.objects.create_user("wang", first_name="Wang", password="x")
        self.client.force_login(user)
        cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}
        assert session_actor(Asking(cookies)) == actor_of(user)
        assert session_actor(Asking({})) is None
        assert session_actor(Asking({"sessionid": "forged"})) is None
        assert session_actor(Asking({"sessionid": "\x00" * 5000})) is None
        user.is_active = False
        user.save()
        assert session_actor(Asking(cookies)) is None


class Asking:
    """What of a request is looked at."""

    def __init__(self, cookies: dict[str, str]) -> None:
        self.cookies = cookies


class OutsideOfATransaction(TransactionTestCase):
    available_apps = APPLICATIONS
    databases: Any = frozenset({"default", "reports", "bare"})

    def setUp(self) -> None:
        self.addCleanup(empty)

    def test_each_call_is_whole_in_autocommit_mode(self) -> None:
        """Outside of a block each call is committed by itself, and one that fails has written nothing."""
        record = flow().create(draft(topics=["road"]), by=LI)
        requests = [Fire(record.id, "edit", Revision(text="y"), by=LI, key=key) for key in ("k", "n", "k")]
        with pytest.raises(DuplicateKey):
            flow().batch([requests[0], Fire(record.id, "comment", Comment(text="z"), by=LI, key="k")])
        assert in_another_thread(titles) == ["Dark lamps"]
        assert in_another_thread(lambda: len(flow().history(record.id, by=LI))) == 1
        assert connection.get_autocommit()

    def test_a_transaction_that_the_host_begins_itself(self) -> None:
        """With autocommit off, nothing is committed before the host does, and its rollback removes everything."""
        transaction.set_autocommit(False)
        try:
            flow().create(draft("gone"), by=LI)
            transaction.rollback()
            flow().create(draft("kept"), by=LI)
            if connection.vendor != "sqlite":
                assert in_another_thread(titles) == []
            transaction.commit()
        finally:
            transaction.set_autocommit(True)
        assert in_another_thread(titles) == ["kept"]

    def test_a_hook_runs_when_others_see_what_was_written(self) -> None:
        """A hook of `on_commit` runs after the commit, when another connection sees record and history."""
        seen: list[list[str]] = []
        with transaction.atomic():
            flow().create(draft(), by=LI)
            transaction.on_commit(lambda: seen.append(in_another_thread(titles)))
            assert seen == []
        assert seen == [["Dark lamps"]]

    def test_threads_have_connections_of_their_own(self) -> None:
        """A flow, and one bound to `django.db.connection` at import, write by the connection of their thread."""
        bound = flow().bound_to(connection)

        def roll_back() -> None:
            with suppress(ZeroDivisionError), transaction.atomic():
                bound.create(draft("gone"), by=LI)
                raise ZeroDivisionError

        in_another_thread(roll_back)
        in_another_thread(lambda: bound.create(draft("kept"), by=LI))
        assert titles() == ["kept"]

    def test_a_thread_without_requests_keeps_connections_as_long_as_django_does(self) -> None:
        """In another thread the connection of a call is closed afterwards, or kept where ``CONN_MAX_AGE`` says so."""
        kept: list[bool] = []

        def calls() -> None:
            held = connections["reports"]
            store: Any = flow("reports").store  # a `DjangoStore`, which has more than a store has
            for age in (0, 60, None):
                with mock.patch.dict(held.settings_dict, {"CONN_MAX_AGE": age}):
                    with store.around_call():
                        flow("reports").find(Query(), by=LI)
                    kept.append(held.connection is not None)
            held.close()

        thread = threading.Thread(target=calls)
        thread.start()
        thread.join(20)
        assert kept == [False, True, True]

    def test_two_at_once_on_one_record(self) -> None:
        """Comments of several threads on one record are all kept: a conflict is decided again."""
        record, barrier = flow().create(draft(), by=LI), threading.Barrier(3)

        def comment() -> None:
            barrier.wait()
            for number in range(3):
                flow().fire(record.id, "comment", Comment(text=str(number)), by=LI)

        threads = [threading.Thread(target=closing(comment)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert flow().get(record.id, by=LI).version == 10

    def test_a_transaction_that_is_lost_is_begun_again(self) -> None:
        """Where a transaction reads as of its beginning, a conflict loses it, the host's rows too; `retrying` helps."""
        record, runs, levels = flow().create(draft(), by=LI), [], LEVELS.get(connection.vendor, ())

        @transaction.atomic
        def comment(error: type[Exception] | None) -> None:
            runs.append(error)
            if connection.vendor == "postgresql":
                connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            flow().get(record.id, by=LI)
            if error is not None or len(runs) == 2:
                other = Comment(text="theirs")
                in_another_thread(lambda: flow().fire(record.id, "comment", other, by=LI))
            if connection.vendor != "sqlite":  # where this would be what fails
                Letter.objects.create(text="A")
            if error is not None:
                with pytest.raises(error):
                    flow().fire(record.id, "comment", Comment(text="mine"), by=LI)
                with pytest.raises(error):
                    flow().get(record.id, by=LI)
            else:
                flow().fire(record.id, "comment", Comment(text="mine"), by=LI)

        try:
            for level in levels[:1]:
                connection.cursor().execute(level)
            comment(TransactionRolledBack)
            assert not Letter.objects.exists()
            assert flow().get(record.id, by=LI).version == 2
            retrying(comment)(None)
        finally:
            for level in levels[1:]:
                connection.cursor().execute(level)
        assert len(runs) == 3
        assert flow().get(record.id, by=LI).version == 4

    def test_a_connection_that_was_closed_is_opened_again(self) -> None:
        """After Django closed its connection the next call opens one; a lost one is an error once, and then opened."""
        flow().create(draft(), by=LI)
        connection.close()
        assert titles() == ["Dark lamps"]
        if connection.vendor == "sqlite":
            return  # a file is not lost
        own, end = KILL[connection.vendor]
        with connection.cursor() as cursor:
            cursor.execute(own)
            [pid] = cursor.fetchone()
        in_another_thread(lambda: connection.cursor().execute(end, [pid]))
        with pytest.raises(ReportflowError):
            titles()
        assert titles() == ["Dark lamps"]

    def test_a_server_that_cannot_be_reached_is_an_error_of_the_library(self) -> None:
        """Where no connection can be opened, a call raises an error of the library, read or write."""
        own: Any = connections[DEFAULT_DB_ALIAS]
        refused = own.Database.OperationalError(2003, "no server")
        connection.close()
        with mock.patch.object(own, "get_new_connection", side_effect=refused):
            for call in (lambda: flow().create(draft(), by=LI), titles):
                with pytest.raises(StorageError):
                    call()
        assert titles() == []

    def test_the_command_publishes_what_was_committed(self) -> None:
        """`manage.py reportflow_relay --once` publishes each entry once, in order."""
        record = flow().create(draft(), by=LI)
        flow().fire(record, "edit", Revision(text="y"), by=LI)
        PUBLISHED.clear()
        out = io.StringIO()
        for _ in range(2):
            call_command("reportflow_relay", "--once", stdout=out)
        assert [f"{record.id}@1", f"{record.id}@2"] == PUBLISHED
        assert out.getvalue().splitlines() == ["2 message(s) published.", "0 message(s) published."]
        for wrong in (["--publish", "nowhere.at_all"], ["--using", "none"], ["--using", "bare"]):
            with pytest.raises(CommandError):
                call_command("reportflow_relay", "--once", *wrong)
        with override_settings(REPORTFLOW={"PREFIX": "office_"}), pytest.raises(CommandError, match="PUBLISH"):
            call_command("reportflow_relay", "--once")

    def test_a_database_without_the_tables_is_said_clearly(self) -> None:
        """Where the tables are missing, the error says which command makes them; nothing is written or made."""
        for call in (lambda: flow("bare").create(draft(), by=LI), lambda: flow("bare").find(Query(), by=LI)):
            with pytest.raises(StorageUnavailable) as caught:
                call()
            assert "migrate" in caught.value.message("en", reader="developer")
        bound = flow().bound_to(connections["bare"]) if connection.vendor == "sqlite" else flow("bare")
        with pytest.raises(StorageUnavailable, match="no tables"):
            bound.create(draft(), by=LI)

    def test_an_engine_that_is_not_supported_is_said_clearly(self) -> None:
        """An alias of another engine is refused when a flow is made or bound, and so is one that there is not."""
        for alias, code in (("oracle", "django_engine"), ("none", "choice")):
            with pytest.raises(InvalidValue) as caught:
                flow(alias)
            assert caught.value.problem == code
        with pytest.raises(InvalidValue) as caught:
            flow().bound_to(connections["oracle"])
        assert "oracle" in caught.value.message("en", reader="developer")
        if connection.vendor != "sqlite":
            with pytest.raises(InvalidValue) as caught:
                flow().bound_to(connections["bare"])
            assert caught.value.problem == "other_engine"

    def test_tables_of_another_program_are_left_alone(self) -> None:
        """Tables of these names that are another program's are refused by the flow and by the migration."""
        store = DjangoStore("default", prefix="auth_")
        with connection.schema_editor() as editor:
            editor.execute("CREATE TABLE auth_record (id INTEGER)")
        try:
            with pytest.raises(SchemaMismatch):
                store.find(Query())
        finally:
            with connection.schema_editor() as editor:
                editor.execute("DROP TABLE auth_record")


class Migrating(TransactionTestCase):
    available_apps = APPLICATIONS
    databases: Any = frozenset({"default"})

    def test_the_migration_makes_the_tables_of_the_store(self) -> None:
        """Columns, keys, indexes, comments and first rows are those that a store makes under another prefix."""
        engine = create_engine(url_of(DEFAULT_DB_ALIAS))
        SqlStore(engine, prefix="own_").close()
        try:
            with engine.connect() as seen:
                made, own = (shape(seen, prefix) for prefix in ("office_", "own_"))
            assert made == own
            with connection.cursor() as cursor:
                cursor.execute("SELECT name, value FROM office_meta ORDER BY name")
                rows = cursor.fetchall()
                cursor.execute("SELECT name, value FROM own_meta ORDER BY name")
                assert rows == cursor.fetchall()
        finally:
            make_tables(metadata := MetaData(), prefix="own_")
            metadata.drop_all(engine)
            engine.dispose()

    def test_a_second_time_it_leaves_the_tables_alone(self) -> None:
        """Tables that are there stay as they are: migrated by hand, by a store or by Alembic."""
        record = flow().create(draft(), by=LI)
        try:
            with connection.schema_editor() as editor:
                MakeTables().database_forwards("reportflow", editor, None, None)
            assert flow().get(record.id, by=LI) == record
        finally:
            empty()

    def test_the_script_of_the_migration(self) -> None:
        """`sqlmigrate` shows the statements that make the tables."""
        out = io.StringIO()
        call_command("sqlmigrate", "reportflow", "0001", stdout=out)
        assert out.getvalue().count("CREATE TABLE") == 6
        assert "'schema_version', '1'" in out.getvalue()


class Configuring(TestCase):
    databases: Any = frozenset({"default", "reports", "bare"})

    def test_the_models_show_every_column(self) -> None:
        """Each model has the columns of its table, with NULL where that has it; but for what is the store's alone."""
        tables = make_tables(None, prefix="office_")
        for model, table in ((RecordRow, tables.record), (EntryRow, tables.entry), (LabelRow, tables.label)):
            fields = {field.column: field for field in model._meta.concrete_fields if field.column is not None}
            assert model._meta.db_table == table.name
            assert fields.keys() == set(table.c.keys()) - STORES_OWN
            for name, field in fields.items():
                assert field.null == table.c[name].nullable or name == "due_at", name

    def test_the_setting_has_a_key_for_each_argument_of_a_flow(self) -> None:
        """Every argument of `ReportFlow` can be said in the setting, but the store and what gives times and ids."""
        arguments = inspect_signature(ReportFlow).parameters.keys() - {"store", "lifecycles", "clock", "new_id"}
        assert set(OF_A_FLOW.values()) == arguments

    def test_what_is_wrong_with_the_setting_is_said_by_check(self) -> None:
        """`manage.py check` names the key that is wrong, and what is wrong with it."""
        for wrong, key in (
            ({"LIFECYCLE": "x"}, "LIFECYCLE"),
            ({"LIFECYCLES": "nowhere.REPORT"}, "LIFECYCLES"),
            ({"LIFECYCLES": []}, "LIFECYCLES"),
            ({"ACTOR": "reportflow.office.REPORT"}, "ACTOR"),
            ({"PREFIX": 7}, "PREFIX"),
        ):
            with override_settings(REPORTFLOW=wrong), pytest.raises(SystemCheckError, match=key):
                call_command("check")

    def test_the_middleware_answers_what_a_flow_refuses(self) -> None:
        """A browser gets a page, a program a problem document, with the status of the error; a fault is Django's."""

        def answered(error: Exception, accept: str) -> Any:
            middleware = ProblemMiddleware(lambda request: HttpResponse("fine"))
            request = RequestFactory().get("/", headers={"accept": accept})
            assert middleware(request).content == b"fine"
            return middleware.process_exception(request, error)

        missing = RecordNotFound(["r1"])
        document = answered(missing, "application/json")
        assert (document.status_code, document["Content-Type"]) == (404, "application/problem+json")
        assert json.loads(document.content) == problem(missing)
        with translation.override("zh-hans"):
            page = answered(missing, "text/html,*/*;q=0.8")
        assert (page.status_code, page["Content-Language"]) == (404, "zh")
        assert page["Content-Type"].startswith("text/html")
        assert problem(missing, "zh")["detail"] in page.content.decode()
        assert answered(ZeroDivisionError(), "text/html") is None
        assert answered(ReportflowError(), "text/html") is None

    def test_a_signal_stops_the_relay(self) -> None:
        """What the command waits on is set by SIGTERM and by SIGINT."""
        for one in (signal.SIGTERM, signal.SIGINT):
            before = [(each, signal.getsignal(each)) for each in (signal.SIGTERM, signal.SIGINT)]
            try:
                stop = stopped_by_signals()
                assert not stop.is_set()
                signal.raise_signal(one)
                assert stop.is_set()
            finally:
                for each, handler in before:
                    signal.signal(each, handler)

    def test_no_migration_is_missing(self) -> None:
        """`makemigrations --check` finds nothing to make, in the host's application and in this one."""
        said = io.StringIO()
        call_command("makemigrations", "--check", "--dry-run", stdout=said)
        assert said.getvalue().strip() == "No changes detected"


# -- helpers ----------------------------------------------------------------------------------------------------------


def _fields(actor: Actor) -> dict[str, Any]:
    return {"id": actor.id, "roles": actor.roles, "unit": actor.unit}


def _cleared(actor: Actor) -> dict[str, Any]:
    return {**_fields(actor), "clearance": "secret"}


def closing(work: Callable[[], Any]) -> Callable[[], Any]:
    """The same, and the connections of the thread are closed after it."""

    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return run


def in_another_thread(work: Callable[[], Any]) -> Any:
    """What something gives in another thread, with a connection of its own."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(closing(work)()))
    thread.start()
    thread.join()
    return results[0]


def empty() -> None:
    """Remove all records: no test runner does, since the models are not Django's to write."""
    with connection.cursor() as cursor:
        for table in ("label", "entry", "record", "delivery", "relay"):
            cursor.execute(f"DELETE FROM office_{table}")


def url_of(alias: str) -> Any:
    """The URL of an alias, for SQLAlchemy."""
    url = make_url(os.environ["REPORTFLOW_DJANGO_URL"])
    return url.set(database=str(connections[alias].settings_dict["NAME"]))


def shape(seen: Any, prefix: str) -> dict[str, Any]:
    """What the tables of a prefix look like, by their names without it."""
    look = inspect(seen)
    found: dict[str, Any] = {}
    for table in make_tables(None, prefix=prefix).all:
        found[table.name.removeprefix(prefix)] = (
            [
                str({**column, "type": str(column["type"])}).replace(prefix, "")
                for column in look.get_columns(table.name)
            ],
            look.get_pk_constraint(table.name)["constrained_columns"],
            sorted(
                (index["name"].removeprefix(prefix), index["column_names"], index["unique"])
                for index in look.get_indexes(table.name)
            ),
            [
                (key["constrained_columns"], key["referred_table"].removeprefix(prefix))
                for key in look.get_foreign_keys(table.name)
            ],
        )
    return found
