"""reportflow as an application of Django: put ``"reportflow.hosts.django"`` into ``INSTALLED_APPS``.

`flow` gives the flow on Django's own connection, `actor_of` the actor for a user, `session_actor` that for the
account that has logged in with a browser. The models to look at and filter are
in `reportflow.hosts.django.models`.
"""

from reportflow.errors import MissingExtra

try:
    import django as _django
except ImportError as _error:
    raise MissingExtra("django", "reportflow[django]") from _error

from reportflow.hosts.django.opening import DjangoFlow, flow
from reportflow.hosts.django.store import DjangoStore
from reportflow.hosts.django.users import actor_of, session_actor, user_actor

__all__ = ["DjangoFlow", "DjangoStore", "actor_of", "flow", "session_actor", "user_actor"]

del _django
