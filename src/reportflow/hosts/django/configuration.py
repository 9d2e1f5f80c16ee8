"""What a project says in its setting ``REPORTFLOW``: a dictionary, in which a text that names an object is its path.

One row a key, with what it must be and what counts where it is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from reportflow.hosts.django.texts import text
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.checks import shown
from reportflow.office.report import REPORT
from reportflow.storage.sql.schema import PREFIX

#: The keys that are arguments of a flow, as `ReportFlow` has them: key -> argument.
OF_A_FLOW: Final[Mapping[str, str]] = {
    "CATALOG": "catalog",
    "CLOCK_TOLERANCE": "clock_tolerance",
    "FILES": "files",
    "FILE_RULES": "file_rules",
    "OBSERVE": "observe",
    "PEOPLE": "people",
    "RETRY_TIMEOUT": "retry_timeout",
    "ZONE": "zone",
}
#: Those of them that may be given as the path of an object.
_PATHS: Final = frozenset({"CATALOG", "FILES", "FILE_RULES", "OBSERVE", "PEOPLE"})
_OWN: Final = ("ACTOR", "LIFECYCLES", "PREFIX", "PUBLISH", "USING")


@attrs.frozen
class Configuration:
    """The setting ``REPORTFLOW``. A path is followed when what it names is asked for: it may be in a module of models.

    Every property raises `ImproperlyConfigured` where its path names nothing, or another thing than it should.
    """

    _given: Mapping[str, Any]

    @property
    def using(self) -> str:
        """The alias of the database (``USING``)."""
        return self._text("USING", "default")

    @property
    def prefix(self) -> str:
        """What the tables' names begin with (``PREFIX``)."""
        return self._text("PREFIX", PREFIX)

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        """The definitions (``LIFECYCLES``): one or several, or their paths; `REPORT` unless given."""
        found = _object("LIFECYCLES", self._given.get("LIFECYCLES", REPORT))
        several = found if isinstance(found, Iterable) else (found,)
        lifecycles = tuple(_object("LIFECYCLES", one) for one in several)
        if not lifecycles or not all(isinstance(one, Lifecycle) for one in lifecycles):
            raise ImproperlyConfigured(text("no_lifecycles", given=shown(found)))
        return lifecycles

    @property
    def actor(self) -> Callable[[Any], Any] | None:
        """Gives the actor for a user (``ACTOR``); None for the function that this application ships."""
        return _function("ACTOR", self._given.get("ACTOR"))

    @property
    def publish(self) -> Callable[[Any], object] | None:
        """What the relay gives its messages to (``PUBLISH``)."""
        return _function("PUBLISH", self._given.get("PUBLISH"))

    @property
    def options(self) -> Mapping[str, Any]:
        """The other arguments of the flow."""
        return {
            OF_A_FLOW[key]: _object(key, value) if key in _PATHS else value
            for key, value in self._given.items()
            if key in OF_A_FLOW
        }

    def _text(self, key: str, default: str) -> str:
        value = self._given.get(key, default)
        if not isinstance(value, str):
            raise ImproperlyConfigured(text("not_a_text", key=key, given=shown(value)))
        return value


def configuration() -> Configuration:
    """What the project says.

    Raises:
        ImproperlyConfigured: the setting has an unknown key.
    """
    given: Mapping[str, Any] = getattr(settings, "REPORTFLOW", {})
    unknown = sorted(set(map(str, given)) - {*_OWN, *OF_A_FLOW})
    if unknown:
        known = ", ".join(sorted((*_OWN, *OF_A_FLOW)))
        raise ImproperlyConfigured(text("unknown_key", given=", ".join(unknown), choices=known))
    return Configuration(given)


def check() -> None:
    """See that all of the setting is right, and that what it names can be imported.

    Raises:
        ImproperlyConfigured: it is not.
    """
    project = configuration()
    for name in ("using", "prefix", "lifecycles", "actor", "publish", "options"):
        getattr(project, name)


def _object(key: str, value: Any) -> Any:
    """What a path names; what is no text is the object itself."""
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ImproperlyConfigured(text("no_object", key=key, given=str(error))) from error


def _function(key: str, value: Any) -> Callable[[Any], Any] | None:
    found = _object(key, value)
    if found is not None and not callable(found):
        raise ImproperlyConfigured(text("no_function", key=key, given=shown(found)))
    function: Callable[[Any], Any] | None = found
    return function
