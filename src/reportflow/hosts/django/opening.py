"""The flow of a project: made without a connection, kept by the application's `AppConfig`."""

from __future__ import annotations

from typing import TypeVar

from django.apps import apps

from reportflow.flow.effects import Effects
from reportflow.flow.sync import ReportFlow
from reportflow.hosts.django.configuration import configuration
from reportflow.hosts.django.store import DjangoStore

T = TypeVar("T")


class DjangoFlow(ReportFlow):
    """A `ReportFlow` on a `DjangoStore`, made without a connection: it looks at the database at its first call.

    It may therefore be made while modules are imported. Its calls are in Django's transaction where there is one:
    inside `atomic`, in a request with ``ATOMIC_REQUESTS``, in a `TestCase`. In autocommit mode each call is whole by
    itself.
    """

    #: Whether it has still to see which records it was given no definition for.
    _unseen = False

    def _begin(self) -> None:
        self._unseen = True

    def _drive(self, effects: Effects[T]) -> T:
        if self._unseen:
            super()._drive(self._look_around())
            self._unseen = False
        return super()._drive(effects)


def flow(using: str | None = None) -> DjangoFlow:
    """The flow of this project, as its setting ``REPORTFLOW`` says; one for each alias, the same at each call.

    Args:
        using: The alias of the database; that of the setting unless given.

    Raises:
        ImproperlyConfigured: the setting is wrong.
        LookupError: the application is not in ``INSTALLED_APPS``.
        InvalidValue: there is no such alias, or its engine or driver is not supported.
    """
    made: dict[str, DjangoFlow] = vars(apps.get_app_config("reportflow"))["flows"]
    project = configuration()
    alias = project.using if using is None else using
    if alias not in made:
        store = DjangoStore(alias, prefix=project.prefix)
        made[alias] = DjangoFlow(store, project.lifecycles, **project.options)
    return made[alias]
