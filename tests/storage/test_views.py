"""`make_views`: what people see who look with SQL or a BI tool, on each engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import attrs
import pytest
from alembic import command
from click.testing import CliRunner
from sqlalchemy import Engine, create_engine, inspect, text

from reportflow import Actor, InvalidValue, Record, ReportFlow, SchemaMismatch, SqlStore, StorageUnavailable, Transition
from reportflow.cli import commands
from reportflow.i18n.catalog import CHINESE, STANDARD
from reportflow.office import REPORT, Adoption, Revision, Source
from reportflow.storage.sql.schema import make_tables
from reportflow.storage.sql.upgrade import upgrade
from reportflow.storage.sql.views import drop_views, make_views, standing
from reportflow.testing.acts import CLASSES, SAMPLE, Note, Undo, acted, created, report, sample, settable_fields
from tests.servers import database
from tests.storage.next_version import begin_next, empty, host, locations

ENGINES: Final = ("sqlite", "postgresql", "mariadb")
DAY: Final = datetime(1301, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
SAMPLES: Final = (
    sample("s0"),
    sample(
        "s1", day=date(1301, 2, 28), amount=Decimal("-12345678901234567890.000001"), ratio=-2.5e-9, due_at=DAY,
        token=UUID("00000000-0000-4000-8000-000000000001"), flags={"b", "a"}, numbers={"最": 2**70}, authors=["x'\\y"],
        title="it's 100% \\ \"so\"\n:name",
    ),
    sample("s2", amount=Decimal("1E+5"), ratio=1e300, title="", topics=["a", "b"]),
)  # fmt: skip


def _engines(*names: str) -> list[Any]:
    return [pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in names]


@pytest.fixture(scope="module", params=_engines(*ENGINES))
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of each engine, with records of two kinds, and views in Chinese."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path_factory.mktemp('views')}/office.db"
        _fill(made)
        yield made
    else:
        with database(request.param) as made:
            _fill(made)
            yield made


def _fill(url: str) -> None:
    store = SqlStore(url, CLASSES)
    for draft in SAMPLES:
        store.commit([change := created(draft)])
        store.commit([change := acted(change.record, "note", Note(party="省", level="city", code=True))])
        store.commit([acted(change.record, "undo", Undo(sequence=2))])
    store.commit([change := created(report("r1", text="正文"))])
    acts: list[tuple[str, Any]] = [
        ("edit", Revision(text="改")),
        ("review", None),
        ("adopt", Adoption(body="省政协", level="province", usage="single")),
    ]
    for number, act in enumerate(acts):
        store.commit([change := acted(change.record, *act, by=Actor(id=f"a{number}", name="王"))])
    store.close()
    make_views(url, [REPORT, SAMPLE], language=CHINESE)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine of somebody who looks."""
    made = create_engine(url, isolation_level="AUTOCOMMIT")
    yield made
    made.dispose()


def rows(engine: Engine, view: str, order: str) -> list[dict[str, Any]]:
    """What a view shows."""
    with engine.connect() as connection:
        quoted = engine.dialect.identifier_preparer.quote(f"reportflow_v_{view}")
        return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {quoted} ORDER BY {order}").mappings()]


def plainly(value: Any) -> Any:
    """A value of any engine as one of SQLite's."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).replace(tzinfo=None)
    if isinstance(value, list | dict):
        return value
    if isinstance(value, str) and value[:1] in ("[", "{"):
        return json.loads(value)
    return value


def native(engine: Engine, value: datetime | date | None) -> Any:
    """A time as the engine has it: SQLite has no type for times, and its functions read this text."""
    if value is None:
        return None
    naive = value.replace(tzinfo=None) if isinstance(value, datetime) else value
    if engine.dialect.name == "sqlite":
        return naive.isoformat(" ", "microseconds") if isinstance(naive, datetime) else naive.isoformat()
    return naive


def test_fields_are_columns_of_native_types(engine: Engine) -> None:
    """Times, days, numbers, decimals, floats, texts and collections of a record class are what they are."""
    shown = {row["id"]: row for row in rows(engine, "records_conformance", "id")}
    assert list(shown) == [one.id for one in SAMPLES]
    for one in SqlStore(engine, CLASSES).get(list(shown)):
        row, expected = shown[one.id], attrs.asdict(one, recurse=False)
        for name in ("created_at", "updated_at", "due_at", "day"):
            assert plainly(row[name]) == native(engine, expected[name]), name
        for name in ("title", "unit", "state", "version", "created_by"):
            assert row[name] == expected[name], name
        assert float(row["amount"]) == pytest.approx(float(expected["amount"]), rel=1e-15)
        assert row["ratio"] == pytest.approx(expected["ratio"], rel=1e-15)
        assert row["token"] == (expected["token"] and str(expected["token"]))
        assert plainly(row["flags"]) == sorted(expected["flags"])
        assert plainly(row["numbers"]) == expected["numbers"]
        assert plainly(row["authors"]) == list(expected["authors"])
        assert (row["last"] is None) == (expected["last"] is None)
        assert (row["state_label"], row["secrecy_label"]) == (one.state, "内部")
    if engine.dialect.name != "sqlite":
        assert shown["s1"]["amount"] == Decimal("-12345678901234567890.000001")


def test_one_line_an_event(engine: Engine) -> None:
    """Each entry is one line, with its record's title, who did it, labels, its details, and whether it still stands."""
    every = rows(engine, "events", "record_id, sequence")
    entries = SqlStore(engine, CLASSES).history([*(one.id for one in SAMPLES), "r1"])
    assert sorted((row["record_id"], row["sequence"]) for row in every) == sorted(
        (e.record_id, e.sequence) for e in entries
    )
    assert {row["sequence"] for row in every if row["taken_back"]} == {2}
    adopted = rows(engine, "events_report", "sequence")[-1]
    assert plainly(adopted["at"]) == native(engine, entries[-1].at)
    names = ("title", "trigger", "trigger_label", "source_label", "dest_label", "actor_name", "party", "details_body")
    assert [adopted[name] for name in names] == [
        "标题", "adopt", "登记采用", "待编发", "已采用", "王", "省政协", "省政协",
    ]  # fmt: skip
    assert (adopted["details_level_label"], adopted["details_usage_label"], adopted["details_leader"]) == (
        "省级",
        "单篇采用",
        None,
    )
    created_, edited, *_ = rows(engine, "events_report", "sequence")
    assert (created_["details_text"], edited["details_text"]) == (None, "改")  # a draft is the record's, no details
    assert {
        bool(row["details_code"]) for row in rows(engine, "events_conformance", "sequence") if row["trigger"] == "note"
    } == {True}


def test_each_column_has_a_comment(engine: Engine) -> None:
    """`v_columns` has each column of each view; PostgreSQL has the comments too, and SQLite's view says them."""
    look, shown = (
        inspect(engine),
        {(row["view_name"], row["column_name"]): row["comment"] for row in rows(engine, "columns", "1")},
    )
    views = [name for name in look.get_view_names() if name != "reportflow_v_columns"]
    assert {(view, column["name"]) for view in views for column in look.get_columns(view)} == set(shown)
    assert [about for about, comment in shown.items() if not comment or comment.startswith("view.")] == []
    assert shown["reportflow_v_records_report", "source"] == "来源"
    if engine.dialect.name == "postgresql":
        for view in views:
            assert {(view, one["name"]): one["comment"] for one in look.get_columns(view)}.items() <= shown.items()
    if engine.dialect.name == "sqlite":
        assert "-- source: 来源\n" in look.get_view_definition("reportflow_v_records_report")


def test_what_cannot_be_read_harms_no_other(engine: Engine) -> None:
    """A record and an entry whose stored texts are broken have NULL there; all others are shown."""
    record, entry = "reportflow_record", "reportflow_entry"
    with engine.connect() as connection:
        names = ("created_at", "due_at", "data", "text")
        before = connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM {record} WHERE id = 's1'").one()
        connection.exec_driver_sql(
            f"UPDATE {record} SET created_at = 'x', due_at = '2022', data = '{{' WHERE id = 's1'"
        )
        connection.exec_driver_sql(f"UPDATE {entry} SET details = '[1]', actor = 'x' WHERE record_id = 's2'")
    try:
        shown = {row["id"]: row for row in rows(engine, "records_conformance", "id")}
        assert [shown["s1"][name] for name in ("created_at", "due_at", "day", "amount", "flags", "numbers")] == [
            None
        ] * 6
        assert shown["s2"]["ratio"] == pytest.approx(1e300)
        parties = {(row["record_id"], row["details_party"]) for row in rows(engine, "events_conformance", "sequence")}
        assert parties == {("s0", None), ("s0", "省"), ("s1", None), ("s1", "省"), ("s2", None)}
        assert len(rows(engine, "events", "sequence")) == 13
    finally:
        with engine.connect() as connection:
            put = text(f"UPDATE {record} SET {', '.join(f'{name} = :{name}' for name in names)} WHERE id = 's1'")
            connection.execute(put, dict(zip(names, before, strict=True)))


ODD: Final = ("名" * 33, "it's", 'a"b`c', "SAMPLE", "sample", "100%", "x_y")


def test_any_names_and_labels(url: str, engine: Engine) -> None:
    """Kinds of any name have views of their own, and comments may say anything; made again, all are as before."""
    said = 'it\'s 100% \\ "so" -- */\n:x'
    odd = [attrs.evolve(SAMPLE, name=name, label=said, labels={"field.day": {"en": said}}) for name in ODD]
    try:
        made = make_views(url, odd)
        assert len({name.casefold() for name in made}) == len(made) == 2 * len(ODD) + 3
        assert set(made) == set(inspect(engine).get_view_names()) == set(standing(url))
        comments = {row["comment"] for row in rows(engine, "columns", "1") if row["column_name"] == "day"}
        assert comments == {said}
        for name in made:
            rows(engine, name.removeprefix("reportflow_v_"), "1")
    finally:
        again = make_views(url, [REPORT, SAMPLE], language=CHINESE)
    assert make_views(url, [REPORT, SAMPLE], language=CHINESE) == again
    assert set(again) == set(inspect(engine).get_view_names())


@attrs.frozen(kw_only=True)
class Purchase(Record, name="tests.Purchase"):
    """A record whose fields have names that are words of SQL, of a view, of a table of ours, or not English."""

    order: str = ""
    dueDate: datetime | None = None  # noqa: N815  # in JSON and in SQL the case counts
    state_label: int = 0
    data: bool | None = None
    folded: tuple[int, ...] = ()
    品名: str = ""
    source: Source = Source.MEMBER


BUY: Final = attrs.evolve(
    SAMPLE,
    name="purchase",
    record=Purchase,
    transitions=[
        Transition("create", source=None, dest="open", roles="anybody", accepts=settable_fields(Purchase)),
        Transition("close", source="open", dest="closed", roles="anybody"),
    ],
)


def test_any_field_is_a_column(url: str, engine: Engine) -> None:
    """Whatever a field is called, it is a column with its value; a name that a column of ours has ends in a digest."""
    fields: dict[str, Any] = {"order": "十", "dueDate": DAY, "state_label": 7, "data": True}
    fields |= {"folded": (1, 2), "品名": "it's", "source": Source.MEMBER}
    with ReportFlow(SqlStore(url), [BUY, REPORT, SAMPLE]) as flow:
        flow.create(Purchase.draft(**fields), by=Actor(id="li", roles={"anybody"}))
    try:
        make_views(url, BUY)
        [row] = rows(engine, "records_purchase", "1")
        assert (row["order"], row["品名"], row["data"], plainly(row["folded"])) == ("十", "it's", True, [1, 2])
        assert (plainly(row["dueDate"]), row["state_label"]) == (native(engine, DAY), "open")
        assert [row[name] for name in row if name.startswith("state_label_")] == [7]
        assert row["source_label"] == "member"
    finally:
        make_views(url, [REPORT, SAMPLE], language=CHINESE)


def test_views_of_others_stay(url: str, engine: Engine) -> None:
    """A view of somebody else is neither dropped nor replaced; dropping leaves no trace of ours."""
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE VIEW reportflow_v_mine AS SELECT id FROM reportflow_record")
        try:
            dropped = drop_views(url)
            assert inspect(connection).get_view_names() == ["reportflow_v_mine"]
            assert dropped
            assert drop_views(url) == standing(url) == ()
            connection.exec_driver_sql("CREATE VIEW reportflow_v_events_conformance AS SELECT 1 AS one")
            with pytest.raises(InvalidValue, match="reportflow_v_events_conformance") as caught:
                make_views(url, [REPORT, SAMPLE])
            assert caught.value.problem == "taken"
            assert standing(url) == ()
        finally:
            for name in ("mine", "events_conformance"):
                connection.exec_driver_sql(f"DROP VIEW reportflow_v_{name}")
            make_views(url, [REPORT, SAMPLE], language=CHINESE)


@pytest.mark.xdist_group("postgresql")
def test_rights_stay_where_views_are_made_again() -> None:
    """On PostgreSQL, which forgets them with the view: who could read it still can."""
    with database("postgresql") as url:
        _fill(url)
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql('CREATE ROLE "rf ""analyst"')
            connection.exec_driver_sql('GRANT SELECT ON reportflow_v_records_report TO "rf ""analyst", PUBLIC')
            make_views(url, REPORT)
            asked = "SELECT has_table_privilege('rf \"analyst', 'reportflow_v_{}', 'SELECT')"
            assert connection.exec_driver_sql(asked.format("records_report")).scalar() is True
            assert connection.exec_driver_sql(asked.format("records")).scalar() is False
            connection.exec_driver_sql('DROP OWNED BY "rf ""analyst"')
            connection.exec_driver_sql('DROP ROLE "rf ""analyst"')
        engine.dispose()


@pytest.mark.parametrize("engine_name", _engines(*ENGINES))
def test_views_block_no_migration(engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade drops them first, ours and that by a host's Alembic, and the terminal says so."""
    with empty(engine_name, tmp_path) as url:
        for by_host in (False, True):
            prefix = "host_" if by_host else "own_"
            SqlStore(url, prefix=prefix).close()
            made = make_views(url, REPORT, prefix=prefix)
            with monkeypatch.context() as patched:
                begin_next(tmp_path, patched)
                if by_host:
                    command.upgrade(host(tmp_path, url, prefix=prefix, ours=locations(tmp_path)), "reportflow@head")
                else:
                    assert upgrade(url, prefix=prefix) == "1"
            engine = create_engine(url)
            assert not set(made).intersection(inspect(engine).get_view_names())
            engine.dispose()


def test_wrong_calls(tmp_path: Path) -> None:
    """No tables, tables of another version, or no lifecycles: an error that says so, and no view."""
    file = tmp_path / "office.db"
    with pytest.raises(StorageUnavailable):
        make_views(f"sqlite:///{file}", REPORT)
    file.touch()
    with pytest.raises(StorageUnavailable):
        make_views(f"sqlite:///{file}", REPORT)
    assert standing(f"sqlite:///{file}") == ()
    for wrong in ([], "REPORT", [Record]):
        with pytest.raises(InvalidValue, match="lifecycles"):
            make_views(f"sqlite:///{file}", wrong)  # type: ignore[arg-type]  # the mistake
    SqlStore(f"sqlite:///{file}").close()
    engine, meta = create_engine(f"sqlite:///{file}"), make_tables(None).meta
    with engine.begin() as connection:
        connection.execute(meta.update().where(meta.c.name == "schema_version").values(value="9"))
    with pytest.raises(SchemaMismatch):
        make_views(engine, REPORT)
    engine.dispose()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_on_the_terminal(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`reportflow db views` says what was made, and that it shows all; `--drop` and an upgrade say what is gone."""
    url = f"sqlite:///{tmp_path}/office.db"
    ReportFlow(SqlStore(url), REPORT).close()

    def run(*arguments: str) -> str:
        settings = {"REPORTFLOW_LANGUAGE": language, "REPORTFLOW_DATABASE": url, "COLUMNS": "80"}
        result = CliRunner().invoke(commands.reportflow, ["db", *arguments], env=settings)
        assert result.exit_code == 0, result.output
        return result.output

    shown = run("views", "--lifecycle", "reportflow.office:REPORT", "--lifecycle", "reportflow.testing.acts:SAMPLE")
    assert len(standing(url)) == 7
    assert all(f"  {name}\n" in shown for name in standing(url))
    assert shown.endswith(STANDARD.text("cli.db.views_secret", language, {"name": "reportflow_v_records"}) + "\n")
    assert run("views", "--drop") == STANDARD.text("cli.db.views_dropped", language, {"number": 7}) + "\n"
    run("views")
    begin_next(tmp_path, monkeypatch)
    assert run("upgrade").endswith(STANDARD.text("cli.db.views_gone", language) + "\n")
