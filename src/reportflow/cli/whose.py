"""On whose behalf a command runs, on which records: the options that say it, and the flow that they open.

The terminal acts as the operator of a database. With ``--as`` it shows what a person in that role sees, and an act is
entered as theirs. Where no unit is given, a role reaches the records of every unit, and who acts on a record is of the
unit that the record belongs to.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, Final

import attrs
import click

from reportflow.cli.completing import complete_roles
from reportflow.cli.lookup import called, current_folder_importable, find_lifecycle
from reportflow.cli.outcome import USAGE
from reportflow.cli.tables import advised, database_option
from reportflow.cli.translation import (
    CommandFailed,
    F,
    TranslatedCommand,
    help_option,
    language,
    language_option,
    option,
    say,
    text,
)
from reportflow.errors import InvalidValue, RecordNotFound
from reportflow.flow.sync import ReportFlow
from reportflow.i18n.catalog import STANDARD, Renderer
from reportflow.lifecycle.definition import Lifecycle
from reportflow.lifecycle.table import EVERYBODY
from reportflow.model.actor import ANY, OWN, UNIT, Actor, Secrecy
from reportflow.model.query import Query
from reportflow.model.record import Record
from reportflow.model.zones import zone_of
from reportflow.opening import open_flow
from reportflow.storage.directory import DirectoryFiles
from reportflow.storage.files import Files

OPERATOR: Final = "operator"
#: How many records are read at a time where all are looked through.
_MANY: Final = 1000


@attrs.frozen
class Office:
    """An open database, and who asks.

    Attributes:
        flow: Its flow, with the lifecycles as they are.
        wide: The flow to look for records with: where no unit is given, its roles reach every unit.
        actor: Who asks.
        anywhere: Whether no unit is given.
        zone: In which times are read and shown.
        keeps_files: Whether a folder for files is given.
    """

    flow: ReportFlow
    wide: ReportFlow
    actor: Actor
    anywhere: bool
    zone: tzinfo
    keeps_files: bool

    def lifecycle(self, kind: str) -> Lifecycle:
        """The newest definition of a kind."""
        return max((one for one in self.flow.lifecycles if one.name == kind), key=lambda one: one.version)

    @property
    def lifecycles(self) -> dict[str, Lifecycle]:
        """The newest definition of each kind."""
        return {one.name: self.lifecycle(one.name) for one in self.flow.lifecycles}

    def record(self, number: str) -> Record:
        """The record of an id or of an office's number, among those that the person may see.

        Raises:
            RecordNotFound: there is none.
            CommandFailed: several have the number.
        """
        try:
            return self.wide.get(number, by=self.actor)
        except (RecordNotFound, InvalidValue):
            unreadable: list[str] = []
            found = [one for one in self._all(unreadable) if one.reference == number]
            if not found:
                say_left_out(unreadable)
                raise RecordNotFound([number]) from None
        if len(found) > 1:
            raise CommandFailed(text("wrong.number", given=number, choices=[one.id for one in found]))
        return found[0]

    def _all(self, unreadable: list[str]) -> Iterator[Record]:
        """All records that the person may see; the ids of those that cannot be read are added to a list."""
        query: Query | None = Query(limit=_MANY)
        while query is not None:
            page = self.wide.find(query, by=self.actor)
            unreadable += page.unreadable
            yield from page
            query = attrs.evolve(query, cursor=page.next) if page.next else None

    def on(self, record: Record) -> Actor:
        """Who acts on a record: of its unit, where no other is given."""
        return attrs.evolve(self.actor, unit=record.unit) if self.anywhere else self.actor

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """What people call the records of some ids, as far as the person may see them: title and number."""
        wanted = frozenset(ids)
        if not wanted:
            return {}
        found = self.wide.find(Query(id=wanted, limit=_MANY), by=self.actor)
        return {one.id: named(one) for one in found}


def named(record: Record) -> str:
    """What people call a record: its title and number."""
    if not record.title:
        return record.reference or record.id
    code = "word.record_numbered" if record.reference else "word.record"
    return STANDARD.text(code, language(), {"title": record.title, "number": record.reference})


def say_left_out(ids: Iterable[str]) -> None:
    """Say on stderr which records were left out, since they cannot be read."""
    several = list(ids)
    if several:
        say(text("inbox.left_out", number=len(several), ids=several), err=True)


# -- the options ------------------------------------------------------------------------------------------------------


def _zone(context: click.Context, _: click.Parameter, value: str) -> tzinfo:
    try:
        zone = datetime.strptime(value, "%z").tzinfo
    except ValueError:
        try:
            return zone_of(value)
        except InvalidValue:
            raise CommandFailed(text("wrong.utc_offset", given=value)) from None
    assert zone is not None, "%z gives one"
    return zone


zone_option = option(
    "--zone", "--utc-offset", "zone", metavar="ZONE", envvar="REPORTFLOW_ZONE", default="+08:00", callback=_zone,
    help="help.zone",
)  # fmt: skip
lifecycles_option = option(
    "--lifecycle", "lifecycles", metavar="PACKAGE.MODULE:LIFECYCLE", multiple=True, envvar="REPORTFLOW_LIFECYCLE",
    help="help.whose_lifecycle",
)  # fmt: skip
json_option = option("--json", "as_json", is_flag=True, help="help.json")

_PERSON: Final = (
    option("--as", "roles", metavar="ROLE", multiple=True, help="help.as_role", shell_complete=complete_roles),
    option("--id", "person", metavar="ID", help="help.id"),
    option("--name", "called", metavar="NAME", help="help.name"),
    option("--post", metavar="POST", help="help.post"),
    option("--unit", "of_unit", metavar="UNIT", help="help.unit"),
    option("--clearance", type=click.Choice([one.value for one in Secrecy]), help="help.clearance"),
)
_PLACE: Final = (
    database_option,
    lifecycles_option,
    option("--files", metavar="FOLDER", envvar="REPORTFLOW_FILES", help="help.files"),
    zone_option,
    json_option,
)


def asks(*, acts: bool = False) -> Callable[[F], Any]:
    """Give a command the options that say who asks of which database; its function then takes an `Office` first.

    Args:
        acts: Whether what it does is entered as theirs, so that a person and a role must be given.
    """

    def decorate(function: F) -> Any:
        @functools.wraps(function)
        def command(
            *,
            roles: tuple[str, ...],
            person: str | None,
            called: str | None,
            post: str | None,
            of_unit: str | None,
            clearance: str | None,
            database: str,
            lifecycles: tuple[str, ...],
            files: str | None,
            zone: tzinfo,
            **named: Any,
        ) -> Any:
            given = {"name": called, "post": post, "clearance": clearance}
            with opened(database, lifecycles, zone, files) as make:
                function(make(asker(roles, person, of_unit, given, acts=acts)), **named)

        for one in reversed((*_PERSON, *_PLACE)):
            command = one(command)
        return command

    return decorate


def asking(
    name: str,
    *settings: Callable[[Any], Any],
    about: str,
    acts: bool = False,
    cls: type[click.Command] = TranslatedCommand,
) -> Callable[[Callable[..., None]], click.Command]:
    """A command with these options, its own, and those that every command has.

    Args:
        name: What is typed.
        settings: Its own arguments and options.
        about: The code of its help.
        acts: See `asks`.
        cls: Its class.
    """

    def decorate(function: Callable[..., None]) -> click.Command:
        wrapped: Any = asks(acts=acts)(function)
        for one in reversed((*settings, help_option, language_option)):
            wrapped = one(wrapped)
        return click.command(name, cls=cls, help=about)(wrapped)

    return decorate


@attrs.frozen
class Asker:
    """Who asks, as it was typed: `roles` is None for the operator, `unit` is None for every unit."""

    id: str
    roles: tuple[str, ...] | None
    unit: str | None
    given: Mapping[str, str]


def asker(
    roles: tuple[str, ...], person: str | None, unit: str | None, given: Mapping[str, str | None], *, acts: bool
) -> Asker:
    """Who asks: by the options, and where one is missing by ``REPORTFLOW_ACTOR`` (``id:role,role@unit``).

    Raises:
        CommandFailed: it acts, and no person or no role is given.
    """
    head, _, home = os.environ.get("REPORTFLOW_ACTOR", "").partition("@")
    id, _, several = head.partition(":")
    usual_roles = tuple(one.strip() for one in several.split(",") if one.strip())
    person = person or id.strip() or None
    chosen = roles or usual_roles
    if acts and (person is None or not chosen):
        raise CommandFailed(text("wrong.nobody"), USAGE)
    known = {name: one for name, one in given.items() if one is not None}
    return Asker(person or OPERATOR, chosen or None, unit if unit is not None else home.strip() or None, known)


def lifecycles_of(names: Iterable[str]) -> list[Lifecycle]:
    """The lifecycles of some names, the report's where none is given."""
    return [find_lifecycle(one) for one in list(names) or [""]]


@contextmanager
def opened(
    database: str, names: Iterable[str], zone: tzinfo, files: str | None = None
) -> Iterator[Callable[[Asker], Office]]:
    """What gives an office, once it is known who asks; a mistyped path makes no file."""
    lifecycles = lifecycles_of(names)
    kept = None if files is None else DirectoryFiles(files)
    with current_folder_importable():
        with advised(database):
            flow = open_flow(database, create=False, lifecycles=lifecycles, zone=zone, files=kept)
        with flow:
            yield lambda who: office_of(flow, who, lifecycles, zone, files=kept)


def office_of(
    flow: ReportFlow, who: Asker, lifecycles: Sequence[Lifecycle], zone: tzinfo, files: Files | None = None
) -> Office:
    """The office of a flow that is open, for who asks.

    Raises:
        CommandFailed: see `_actor`.
    """
    actor, anywhere = _actor(who, lifecycles), who.unit is None
    reach = [attrs.evolve(one, roles=_reaching(one, operator=who.roles is None)) for one in lifecycles]
    wide = ReportFlow(flow.store, reach, zone=zone, files=files) if anywhere else flow
    return Office(wide if who.roles is None else flow, wide, actor, anywhere, zone, files is not None)


def _reaching(lifecycle: Lifecycle, *, operator: bool) -> dict[str, Any]:
    """The roles of a lifecycle, reaching every unit; the operator's reach every record."""
    return {role: ANY if operator or scope is UNIT else scope for role, scope in lifecycle.roles.items()}


def _actor(who: Asker, lifecycles: Iterable[Lifecycle]) -> Actor:
    """Who asks, with roles that there are.

    Raises:
        CommandFailed: a role is unknown, or reaches a person's own records only and no person is given.
    """
    every = list(lifecycles)
    labels = {role: one.label_of("role", role, language()) for one in every for role in one.roles}
    roles = list(labels) if who.roles is None else [_role(role, every, labels) for role in who.roles]
    own = [role for role in roles if all(one.roles.get(role, OWN) is OWN for one in every)]
    if who.roles is not None and who.id == OPERATOR and own == roles:
        raise CommandFailed(text("inbox.own", given=labels[own[0]]))
    settings = {"clearance": Secrecy.TOP_SECRET, **who.given}
    return Actor(id=who.id, roles=roles, unit=who.unit or "", **settings)


def _role(given: str, lifecycles: Iterable[Lifecycle], labels: Mapping[str, str]) -> str:
    """A role by its name, or by what people call it."""
    for one in lifecycles:
        for role in one.roles:
            if given in called(one, "role", role):
                return role
    choices = [text("wrong.choice", name=one, label=label) for one, label in labels.items()]
    raise CommandFailed(text("wrong.role", given=given, choices=choices))


def roles_of(lifecycle: Lifecycle, roles: Iterable[str]) -> str:
    """Some roles as people call them, in the order of the table."""
    several = set(roles)
    names = [one for one in (*lifecycle.roles, EVERYBODY) if one in several]
    return Renderer(STANDARD, language()).join(lifecycle.label_of("role", one, language()) for one in names)
