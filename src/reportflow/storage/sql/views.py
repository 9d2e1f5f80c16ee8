"""Views for people who look with SQL or a BI tool: native times, JSON fields as columns, labels and comments.

The tables keep times as texts and the fields of a class in JSON. A view writes both out: one of all records and one of
all events, and both again for each kind, with the fields of its classes. A view of the columns says what each is.

A view shows everything, whatever its secrecy: who may read it, is for the database to say. Which views there are stands
in the table ``meta``, so that a migration drops these, and no others, before it changes the tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, MetaData

from reportflow.errors import InvalidValue
from reportflow.i18n.catalog import ENGLISH, STANDARD, Catalog
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Secrecy
from reportflow.model.checks import type_problem
from reportflow.model.values import as_tuple
from reportflow.storage.sql import provision
from reportflow.storage.sql.columns import Field, Reader, fields_of, reader_of
from reportflow.storage.sql.engines import host_schema
from reportflow.storage.sql.schema import BASE, PREFIX, Tables, make_tables

#: The row of ``meta`` with the names of the views, as JSON.
VIEWS: Final = "views"
#: How many bytes a name may have on every engine.
_LONGEST: Final = 63
#: The columns of ``record`` that are times, and those of ``entry``.
_TIMES: Final = frozenset({"due_at", "created_at", "updated_at", "at", "recorded_at"})
_OF_RECORDS: Final = tuple(name for name in (*BASE, "text") if name != "head")
_OF_EVENTS: Final = (
    "record_id", "sequence", "position", "kind", "lifecycle_version", "trigger", "source", "dest", "at", "recorded_at",
    "actor_id", "reason", "party", "level", "code", "retracts", "secrecy", "audience",
)  # fmt: skip
#: The columns of the record beside each of its events.
_OF_ITS_RECORD: Final = ("title", "unit", "category")
_OF_ACTORS: Final = tuple(Field(name, "text", {}) for name in ("name", "post", "unit", "on_behalf_of"))
#: A column of which people call the values something -> the room of these labels.
_ROOMS: Final = {"state": "state", "source": "state", "dest": "state", "trigger": "trigger", "secrecy": "secrecy"}


class Column(NamedTuple):
    """A column of a view: its name, what it is, and the comment on it."""

    name: str
    value: sa.ColumnElement[Any]
    comment: str


class View(NamedTuple):
    """A view that is to be made."""

    name: str
    comment: str
    columns: Sequence[Column]
    source: sa.FromClause
    only: sa.ColumnElement[bool] | None = None


def make_views(
    database: str | Engine,
    lifecycles: Lifecycle | Iterable[Lifecycle],
    *,
    prefix: str = PREFIX,
    schema: str | None = None,
    language: str = ENGLISH,
    catalog: Catalog = STANDARD,
) -> tuple[str, ...]:
    """Make the views, in the place of those that were made before; who may read one of the same name still may.

    Args:
        database: A database URL, also one with an asynchronous driver, or an `Engine` of the host.
        lifecycles: The definitions whose kinds get views of their own, also several versions of one.
        prefix: What the tables' names begin with.
        schema: The schema that they are in.
        language: That of labels and comments.
        catalog: Has the labels that the definitions do not give themselves.

    Returns:
        The names of the views.

    Raises:
        InvalidURL, MissingExtra, StorageUnavailable: see `upgrade`; also where there are no tables.
        SchemaMismatch: the tables are of another version.
        InvalidValue: no lifecycles, or there is a table or view of such a name that is not ours.
        StorageError: the database does not let them be made, or another view is made of one of them.
    """
    several = (lifecycles,) if isinstance(lifecycles, Lifecycle) else as_tuple(lifecycles)
    if not isinstance(several, tuple) or not several or not all(isinstance(one, Lifecycle) for one in several):
        raise InvalidValue("lifecycles", *type_problem("list[Lifecycle]", lifecycles))
    schema = host_schema(database, schema)
    tables = make_tables(MetaData(), prefix=prefix, schema=schema)
    with provision.connected(database) as connection:
        provision.create_or_verify(connection, tables, create=False)
        reader = reader_of(connection.dialect)
        views = list(_ViewMaker(tables, reader, prefix, several, language, catalog).views())
        with provision.exclusive_ddl(connection, tables):
            rights = _rights(connection, tables)
            drop(connection, tables)
            names = tuple(view.name for view in views)
            look = sa.inspect(connection)
            taken = {*look.get_table_names(schema), *look.get_view_names(schema)}.intersection(names)
            if taken:
                raise InvalidValue("prefix", "taken", {"given": min(taken)})
            connection.execute(sa.insert(tables.meta).values(name=VIEWS, value=json.dumps(names)))
            for view in views:
                _create(connection, view, schema)
            for name, grantee, privilege in rights:
                if name in names:
                    connection.exec_driver_sql(f"GRANT {privilege} ON {_quoted(connection, name, schema)} TO {grantee}")
    return names


def drop_views(database: str | Engine, *, prefix: str = PREFIX, schema: str | None = None) -> tuple[str, ...]:
    """Drop the views that `make_views` made; gives their names.

    Raises:
        InvalidURL, MissingExtra, StorageUnavailable, SchemaMismatch, StorageError: see `make_views`.
    """
    schema = host_schema(database, schema)
    tables = make_tables(MetaData(), prefix=prefix, schema=schema)
    with provision.connected(database) as connection:
        provision.create_or_verify(connection, tables, create=False)
        with provision.exclusive_ddl(connection, tables):
            return drop(connection, tables)


def standing(database: str | Engine, *, prefix: str = PREFIX, schema: str | None = None) -> tuple[str, ...]:
    """The names of the views that `make_views` made, of tables of any version; none where there are no tables.

    Raises:
        InvalidURL, MissingExtra, StorageUnavailable: see `make_views`.
        SchemaMismatch: the tables are not reportflow's.
    """
    schema = host_schema(database, schema)
    tables = make_tables(MetaData(), prefix=prefix, schema=schema)
    with provision.connected(database) as connection:
        return () if provision.version(connection, tables) is None else _standing(connection, tables)


def _standing(connection: Connection, tables: Tables) -> tuple[str, ...]:
    meta = tables.meta
    found = connection.scalar(sa.select(meta.c.value).where(meta.c.name == VIEWS))
    return tuple(json.loads(found)) if found else ()


def drop(connection: Connection, tables: Tables) -> tuple[str, ...]:
    """Drop the views of some tables, as a part of what their caller does; gives their names."""
    meta = tables.meta
    names = _standing(connection, tables)
    for name in reversed(names):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {_quoted(connection, name, meta.schema)}")
    connection.execute(sa.delete(meta).where(meta.c.name == VIEWS))
    return names


def _rights(connection: Connection, tables: Tables) -> list[tuple[str, str, str]]:
    """View, grantee and privilege: PostgreSQL forgets them with the view, the others have none or keep them by name."""
    if connection.dialect.name != "postgresql":
        return []
    rights = sa.text(
        "SELECT c.relname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,"
        " a.privilege_type FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a"
        " WHERE c.relnamespace = CAST(quote_ident(:schema) AS regnamespace) AND c.relname = ANY(:names)"
        " AND a.grantee <> c.relowner"
    )
    schema = tables.meta.schema or connection.dialect.default_schema_name
    rows = connection.execute(rights, {"schema": schema, "names": list(_standing(connection, tables))})
    return [(name, grantee, privilege) for name, grantee, privilege in rows]


def _quoted(connection: Connection, name: str, schema: str | None) -> str:
    preparer = connection.dialect.identifier_preparer
    return preparer.format_table(sa.table(name, schema=schema))


def _create(connection: Connection, view: View, schema: str | None) -> None:
    dialect, name = connection.dialect, _quoted(connection, view.name, schema)
    select = sa.select(*(one.value.label(one.name) for one in view.columns)).select_from(view.source)
    select = select if view.only is None else select.where(view.only)
    body = select.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    notes = ""
    if dialect.name == "sqlite":  # which keeps the text of a view as it is
        lines = ((view.name, view.comment), *((one.name, one.comment) for one in view.columns))
        notes = "".join(f"-- {' '.join(f'{about}: {comment}'.split())}\n" for about, comment in lines)
    connection.exec_driver_sql(f"CREATE VIEW {name} AS\n{notes}{body}")
    if dialect.name == "postgresql":
        literal: Any = sa.String().literal_processor(dialect)  # type: ignore[no-untyped-call]  # its stubs lack it
        connection.exec_driver_sql(f"COMMENT ON VIEW {name} IS {literal(view.comment)}")
        for one in view.columns:
            column = dialect.identifier_preparer.quote(one.name)
            connection.exec_driver_sql(f"COMMENT ON COLUMN {name}.{column} IS {literal(one.comment)}")


class _ViewMaker:
    """What the views of some definitions are."""

    def __init__(
        self,
        tables: Tables,
        reader: Reader,
        prefix: str,
        lifecycles: Sequence[Lifecycle],
        language: str,
        catalog: Catalog,
    ) -> None:
        self._tables = tables
        self._reader = reader
        self._prefix = prefix
        self._language = language
        self._catalog = catalog
        self._kinds: dict[str, list[Lifecycle]] = {}
        for one in sorted(lifecycles, key=lambda one: one.version):  # the label of the latest version counts
            self._kinds.setdefault(str(one.name), []).append(one)
        self._names: set[str] = set()

    def views(self) -> Iterator[View]:
        """All of them, that of their columns last."""
        made = []
        for kinds in (None, *self._kinds):
            made += [self._records(kinds), self._events(kinds)]
        yield from made
        yield self._columns(made)

    def _records(self, kind: str | None) -> View:
        record = self._tables.record
        columns = _Columns()
        for name in _OF_RECORDS:
            columns.add(name, self._native(record.c[name]), self._said(name))
            columns.add_all(self._labelled(record.c[name], kind))
        source: sa.FromClause = record
        if kind is not None:
            own = [one for one in self._fields(kind, "record") if one.name not in (*BASE, "text")]
            values, source = self._reader.read(record, record.c.data, own, "stored")
            columns.add_all(self._written_out(kind, own, values, ""))
        return self._view("records", kind, columns, source, record)

    def _events(self, kind: str | None) -> View:
        record, entry = self._tables.record, self._tables.entry
        columns = _Columns()
        source: sa.FromClause = entry.join(record, record.c.id == entry.c.record_id)
        who, source = self._reader.read(source, entry.c.actor, _OF_ACTORS, "who")
        for name in _OF_EVENTS:
            columns.add(name, self._native(entry.c[name]), self._said(name))
            columns.add_all(self._labelled(entry.c[name], kind))
            if name == "record_id":
                for of_record in _OF_ITS_RECORD:
                    columns.add(of_record, record.c[of_record], self._said(of_record))
            if name == "actor_id":
                for one, value in zip(_OF_ACTORS, who, strict=True):
                    columns.add(f"actor_{one.name}", value, self._said(f"actor_{one.name}"))
        later = entry.alias("later")
        gone = sa.select(later.c.id).where(later.c.record_id == entry.c.record_id, later.c.retracts == entry.c.sequence)
        columns.add("taken_back", sa.exists(gone.correlate(entry)), self._said("taken_back"))
        if kind is not None:
            own = self._fields(kind, "details")
            details = sa.case((entry.c.source.is_not(None), entry.c.details))  # those of a creation are the draft
            values, source = self._reader.read(source, details, own, "stored")
            columns.add_all(self._written_out(kind, own, values, "details_"))
        return self._view("events", kind, columns, source, entry)

    def _columns(self, views: Sequence[View]) -> View:
        names = ("view_name", "column_name", "comment")
        rows = [(view.name, one.name, one.comment) for view in views for one in view.columns]
        said = sa.values(*(sa.column(name, sa.Text()) for name in names), name="said").data(rows).cte("said")
        columns = _Columns()
        for name in names:
            columns.add(name, said.c[name], self._said(name))
        return View(self._named("columns"), self._said("columns"), columns.made, said)

    def _view(self, name: str, kind: str | None, columns: _Columns, source: sa.FromClause, table: sa.Table) -> View:
        if kind is None:
            return View(self._named(name), self._said(name), columns.made, source)
        label = self._label(kind, "lifecycle", kind)
        said = self._catalog.text(f"view.{name}_of", self._language, {"kind": label})
        return View(self._named(f"{name}_{kind}"), said, columns.made, source, table.c.kind == kind)

    def _named(self, name: str) -> str:
        return _fitted(f"{self._prefix}v_{name}", self._names)

    def _fields(self, kind: str, of: str) -> list[Field]:
        """The fields of the record classes of a kind, or of its details classes, of all versions."""
        classes: dict[type[Any], None] = {}
        for one in self._kinds[kind]:
            if of == "record":
                classes[one.record] = None
            else:
                classes.update(dict.fromkeys(row.details for row in one.transitions if row.details is not None))
        return fields_of(classes)

    def _written_out(
        self, kind: str, fields: Sequence[Field], values: Sequence[sa.ColumnElement[Any]], before: str
    ) -> Iterator[Column]:
        for field, value in zip(fields, values, strict=True):
            said = self._label(kind, "field", field.name)
            comment = self._in_utc(said) if field.sort == "time" else said
            yield Column(before + field.name, value, comment)
            labels = {one: self._label(kind, room, one) for one, room in field.choices.items()}
            if any(name != label for name, label in labels.items()):
                yield self._label_column(before + field.name, sa.case(labels, value=value), said)

    def _native(self, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        return self._reader.native(column, "time") if column.name in _TIMES else column

    def _labelled(self, column: sa.Column[Any], kind: str | None) -> Iterator[Column]:
        """What people call the values of a column of ours, where they call them something."""
        room = _ROOMS.get(column.name)
        if room is None:
            return
        if room == "secrecy":
            labels = {one.value: self._catalog.label(room, one.value, self._language) for one in Secrecy}
            yield self._label_column(column.name, sa.case(labels, value=column), self._said(column.name))
            return
        kinds = list(self._kinds) if kind is None else [kind]
        cases = []
        for one in kinds:
            names = {
                name: None
                for lifecycle in self._kinds[one]
                for name in (lifecycle.triggers if room == "trigger" else [state.name for state in lifecycle.states])
            }
            called = sa.case({str(name): self._label(one, room, str(name)) for name in names}, value=column)
            cases.append((column.table.c.kind == one, called))
        yield self._label_column(column.name, sa.case(*cases), self._said(column.name))

    def _label_column(self, name: str, value: sa.ColumnElement[Any], said: str) -> Column:
        return Column(f"{name}_label", value, self._catalog.text("view.label", self._language, {"label": said}))

    def _label(self, kind: str, room: str, name: str) -> str:
        """The label of a name in the latest version that has one: of an act, what the history says of it."""
        for lifecycle in reversed(self._kinds[kind]):
            for place in ("history", "trigger") if room == "trigger" else (room,):
                found = lifecycle.label_of(place, name, self._language, self._catalog)
                if found != name:
                    return found
        return name

    def _said(self, name: str) -> str:
        said = self._catalog.text(f"view.{name}", self._language)
        return self._in_utc(said) if name in _TIMES else said

    def _in_utc(self, said: str) -> str:
        """That a time is in UTC, where its type does not say so."""
        return said if self._reader.zoned else self._catalog.text("view.utc", self._language, {"label": said})


class _Columns:
    """The columns of a view, each under a name that no other one has."""

    def __init__(self) -> None:
        self.made: list[Column] = []
        self._names: set[str] = set()

    def add(self, name: str, value: sa.ColumnElement[Any], comment: str) -> None:
        """Add one."""
        self.made.append(Column(_fitted(name, self._names), value, comment))

    def add_all(self, columns: Iterable[Column]) -> None:
        """Add several."""
        for one in columns:
            self.add(*one)


def _fitted(name: str, taken: set[str]) -> str:
    """A name that every engine takes whole, and that differs from those that are taken in more than the case."""
    fitted = name
    if len(name.encode()) > _LONGEST or name.casefold() in taken:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        fitted = f"{name.encode()[: _LONGEST - 9].decode(errors='ignore')}_{digest}"
    taken.add(fitted.casefold())
    return fitted
