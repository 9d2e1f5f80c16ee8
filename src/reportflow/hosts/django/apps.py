"""The application, as Django finds it."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from reportflow.hosts.django.configuration import check

if TYPE_CHECKING:
    from reportflow.hosts.django.opening import DjangoFlow


class ReportflowConfig(AppConfig):
    """The application ``reportflow``.

    Attributes:
        flows: The flows of this process, by the alias of their database.
    """

    name = "reportflow.hosts.django"
    label = "reportflow"
    verbose_name = "reportflow"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        self.flows: dict[str, DjangoFlow] = {}

    def ready(self) -> None:
        """Check the setting, and follow it where a test changes it."""
        checks.register(_check)
        setting_changed.connect(self._forget, dispatch_uid="reportflow")

    def _forget(self, *, setting: str, **_: Any) -> None:
        if setting in ("DATABASES", "REPORTFLOW"):
            self.flows.clear()


def _check(**_: Any) -> list[checks.CheckMessage]:
    try:
        check()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="reportflow.E001")]
    return []
