"""What the engines keep of what was erased: nothing in tables and indexes, after the rewrite that each one has."""

from __future__ import annotations

import secrets
import string
from pathlib import Path

from sqlalchemy import create_engine, event, text

from reportflow import Actor, Query, ReportFlow, SqlStore, open_flow
from reportflow.office import REPORT, Author, Comment, Report
from tests.servers import MariaDB, database, mariadb, postgresql

CLERK = Actor(id="clerk", roles={"registrar", "editor", "contributor"}, unit="office")
TABLES = ("record", "entry", "label")
FIELDS = ("title", "text", "topics", "comment.text", "reason")


def token() -> str:
    """Short and incompressible: a page that holds it holds it as it is."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(30))


def written(url: str) -> list[str]:
    """Two reports with a token in each column that has a content: the tokens."""
    title, words, topic, comment, reason = tokens = [token() for _ in FIELDS]
    with open_flow(url) as flow:
        for _ in range(2):
            draft = Report.draft(title=title, text=words, authors=[Author(name="a")], topics=[topic])
            report = flow.create(draft, by=CLERK)
            flow.fire(report.id, "comment", Comment(text=comment), by=CLERK)
            flow.fire(report.id, "withdraw", by=CLERK, reason=reason)
    return tokens


def erased(url: str, tokens: list[str]) -> None:
    """All of it erased, from all records."""
    with open_flow(url) as flow:
        done = flow.erase(Query(), fields=FIELDS, by=CLERK, reason="as asked")
        assert len(done.records) == 2
        assert isinstance(flow.store, SqlStore)
        for table in TABLES:
            with flow.store.engine.connect() as connection:
                rows = repr(connection.execute(text(f"SELECT * FROM reportflow_{table}")).all())
            assert not [one for one in tokens if one in rows]


def found(folder: Path, pattern: str, tokens: list[str]) -> set[str]:
    """Which tokens stand in files of a folder."""
    contents = [path.read_bytes() for path in folder.rglob(pattern) if path.is_file()]
    return {one for one in tokens if any(one.encode() in content for content in contents)}


def administer(url: str, *statements: str) -> None:
    """Run statements outside a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_sqlite_keeps_nothing_after_vacuum_and_a_checkpoint(tmp_path: Path) -> None:
    """Free pages and the write-ahead log may keep it until then; no file does after that."""
    url = f"sqlite:///{tmp_path}/office.db"
    tokens = written(url)
    assert found(tmp_path, "*", tokens) == set(tokens)
    erased(url, tokens)
    administer(url, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
    assert found(tmp_path, "*", tokens) == set()


def test_sqlite_keeps_nothing_with_secure_delete(tmp_path: Path) -> None:
    """With `secure_delete` a checkpoint is enough: what is overwritten or freed is zeroed."""
    path = tmp_path / "office.db"
    tokens = written(f"sqlite:///{path}")
    assert found(tmp_path, "*", tokens) == set(tokens)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA secure_delete=ON"))
    with ReportFlow(SqlStore(engine), REPORT) as flow:
        flow.erase(Query(), fields=FIELDS, by=CLERK, reason="as asked")
    engine.dispose()
    administer(f"sqlite:///{path}", "PRAGMA wal_checkpoint(TRUNCATE)")
    assert found(tmp_path, "*", tokens) == set()


def test_postgresql_keeps_nothing_in_its_tables_after_vacuum_full() -> None:
    """Dead tuples keep it until then; no file of tables and indexes does after that. Its log keeps it for longer."""
    with database("postgresql") as url:
        data = Path(postgresql().server.pgdata)
        log = data / "pg_wal"
        tokens = written(url)
        administer(url, "CHECKPOINT")
        assert found(data / "base", "*", tokens) == set(tokens)
        erased(url, tokens)
        administer(url, *(f"VACUUM FULL reportflow_{table}" for table in TABLES))
        assert found(log, "*", tokens) == set(tokens)
        administer(url, "CHECKPOINT", "CREATE TABLE filler (number int)")
        assert found(data / "base", "*", tokens) == set()
        # Two checkpoints put the last file that has a token behind all that wait to be used again: as many as there
        # are files, where other tests had much to write. Each switch then writes one of them from its start to its end.
        for _ in range(2 + len(list(log.iterdir()))):
            administer(url, "INSERT INTO filler VALUES (1)", "SELECT pg_switch_wal()", "CHECKPOINT")
            if not found(log, "*", tokens):
                break
        assert found(log, "*", tokens) == set()


def test_mariadb_keeps_nothing_in_its_tables_after_optimize() -> None:
    """The pages keep it until they are purged and used again; no tablespace does after the table was rebuilt."""
    with database("mariadb") as url:
        server = mariadb()
        assert isinstance(server, MariaDB)
        data = server.folder / "data"
        tables = ", ".join(f"reportflow_{table}" for table in TABLES)
        tokens = written(url)
        administer(url, f"FLUSH TABLES {tables} FOR EXPORT", "UNLOCK TABLES")
        assert found(data, "*.ibd", tokens) == set(tokens)
        erased(url, tokens)
        administer(url, f"OPTIMIZE TABLE {tables}", f"FLUSH TABLES {tables} FOR EXPORT", "UNLOCK TABLES")
        assert found(data, "*.ibd", tokens) == set()
