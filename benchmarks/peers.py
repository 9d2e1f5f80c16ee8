"""The same act by common alternatives: no floor and no promise, for they check and store other things.

Each adopts the record of an id in an SQLite file, with a history that grows: loaded, judged, stored in one commit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from benchmarks.measure import Found, Missing, measure, timed
from benchmarks.setting import Setting
from benchmarks.work import OFFICE, RECORDS, REGISTRAR, TEXT, TITLE, Ours, Ticks, adopted, ids
from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from transitions import Machine

from reportflow import open_flow

ADOPTION = {"body": "City Committee", "level": "city", "carrier": "The Gazette", "issue": "", "usage": "single"}


class Peer(Protocol):
    """Something that adopts."""

    def adopt(self, number: int) -> None:
        """Adopt the record of an id."""
        ...


# ---------------------------------------------------------------------------------------------------------------
# The glue that people write: an ORM model with a version column, a machine, a table for the history


class Base(DeclarativeBase):
    """The tables of the glue."""


class Report(Base):
    """A report as an ORM model; `transitions` moves its state."""

    __tablename__ = "report"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    version: Mapped[int] = mapped_column()
    title: Mapped[str]
    text: Mapped[str]
    updated_at: Mapped[datetime]
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- SQLAlchemy names its type


class History(Base):
    """One row an act."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[str] = mapped_column(ForeignKey("report.id"), index=True)
    trigger: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    details: Mapped[str]


class Glue:
    """SQLAlchemy's ORM and `transitions`."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(f"sqlite:///{path}")

        @event.listens_for(self._engine, "connect")
        def set_up(connection: Any, _: object) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

        Base.metadata.create_all(self._engine)
        moves = [
            {
                "trigger": "adopt",
                "source": "adopted",
                "dest": "adopted",
                "conditions": lambda details: bool(details["body"]),
            }
        ]
        self._machine = Machine(
            model=None, states=["reviewed", "adopted"], transitions=moves, initial="reviewed", auto_transitions=False
        )
        with Session(self._engine) as session:
            now = datetime.now(UTC)
            session.add_all(
                Report(id=id, state="adopted", version=1, title=TITLE, text=TEXT, updated_at=now) for id in ids()
            )
            session.commit()

    def adopt(self, number: int) -> None:
        """See `Peer.adopt`."""
        now = datetime.now(UTC)
        with Session(self._engine) as session:
            report = session.get_one(Report, f"report-{number}")
            self._machine.add_model(report, initial=report.state)
            report.adopt(ADOPTION)  # type: ignore[attr-defined]  # the machine adds it
            self._machine.remove_model(report)
            report.updated_at = now
            details = json.dumps(ADOPTION)
            session.add(History(report_id=report.id, trigger="adopt", actor=REGISTRAR.id, at=now, details=details))
            session.commit()

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()


# ---------------------------------------------------------------------------------------------------------------


def _installed(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise Missing(f"not installed: {package}") from None


class EventSourced:
    """An aggregate of the package `eventsourcing`, in its SQLite recorder, without snapshots."""

    def __init__(self, path: Path) -> None:
        domain = _installed("eventsourcing.domain", "eventsourcing")
        application = _installed("eventsourcing.application", "eventsourcing")

        def begin(self: Any, title: str, text: str) -> None:
            self.title, self.text, self.state, self.adoptions = title, text, "adopted", 0

        def adopt(self: Any, actor: str, body: str, level: str, carrier: str) -> None:
            self.adoptions += 1

        members = {"__init__": begin, "adopt": domain.event("Adopted")(adopt)}
        members.update(__module__=__name__, __qualname__="Sourced")
        kind = type(domain.Aggregate)("Sourced", (domain.Aggregate,), members)
        globals()["Sourced"] = kind  # it is looked up by its name
        settings = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
        self._application = application.Application(env=settings)
        made = [kind(TITLE, TEXT) for _ in range(RECORDS)]
        self._application.save(*made)
        self._ids = [one.id for one in made]

    def adopt(self, number: int) -> None:
        """See `Peer.adopt`."""
        report = self._application.repository.get(self._ids[number])
        report.adopt(REGISTRAR.id, ADOPTION["body"], ADOPTION["level"], ADOPTION["carrier"])
        self._application.save(report)

    def close(self) -> None:
        """Close the file."""
        self._application.close()


class Django:
    """A Django model with a field of django-fsm-2, and a model for the history."""

    def __init__(self, path: Path) -> None:
        conf = _installed("django.conf", "django-fsm-2")
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
        if not conf.settings.configured:
            conf.settings.configure(
                DATABASES={"default": database}, USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField"
            )
            import_module("django").setup()
        fsm = _installed("django_fsm", "django-fsm-2")
        models = import_module("django.db.models")
        self._db = import_module("django.db")
        meta: Any = type("Meta", (), {"app_label": "benchmarks"})

        def adopt(self: Any, details: Any) -> None:
            """Adopt it."""

        moves = fsm.transition(field="state", source="adopted", target="adopted")
        self._report: Any = type(
            "DjangoReport",
            (fsm.ConcurrentTransitionMixin, models.Model),
            {
                "__module__": __name__, "Meta": meta, "id": models.CharField(primary_key=True, max_length=50),
                "state": fsm.FSMField(default="adopted"), "title": models.TextField(), "text": models.TextField(),
                "updated_at": models.DateTimeField(), "adopt": moves(adopt),
            },
        )  # fmt: skip
        self._history: Any = type(
            "DjangoHistory",
            (models.Model,),
            {
                "__module__": __name__, "Meta": meta,
                "report": models.ForeignKey(self._report, on_delete=models.CASCADE),
                "trigger": models.TextField(), "actor": models.TextField(), "at": models.DateTimeField(),
                "details": models.TextField(),
            },
        )  # fmt: skip
        connection = self._db.connection
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = NORMAL")
        with connection.schema_editor() as editor:
            editor.create_model(self._report)
            editor.create_model(self._history)
        now = datetime.now(UTC)
        reports: Any = self._report
        reports.objects.bulk_create(self._report(id=id, title=TITLE, text=TEXT, updated_at=now) for id in ids())

    def adopt(self, number: int) -> None:
        """See `Peer.adopt`."""
        now = datetime.now(UTC)
        with self._db.transaction.atomic():
            report = self._report.objects.get(pk=f"report-{number}")
            report.adopt(ADOPTION)
            report.updated_at = now
            report.save()
            self._history.objects.create(
                report=report, trigger="adopt", actor=REGISTRAR.id, at=now, details=json.dumps(ADOPTION)
            )  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        self._db.connections.close_all()


def beside(made: Callable[[Path], Any], name: str) -> Callable[[Setting], Found]:
    """What measures our fire by id beside a peer's."""

    def found(setting: Setting) -> Found:
        peer: AbstractContextManager[Any] = closing(made(setting.path()))
        with peer as theirs, open_flow(f"sqlite:///{setting.path()}", lifecycles=OFFICE, clock=Ticks()) as flow:
            ours = Ours(flow, adopted(flow, ids()))
            samples = timed(ours.fire_by_id, RECORDS), timed(theirs.adopt, RECORDS)
            mine, others = measure(*samples, rounds=setting.long_rounds + 2)
        return Found(ours=mine, floor=others, floor_name=name)

    return found
