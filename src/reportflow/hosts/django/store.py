"""A store on Django's own connections, with nothing to connect when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.db import close_old_connections

from reportflow.serialization.classes import NO_CLASSES, Classes
from reportflow.storage.sql.bound import bound_store
from reportflow.storage.sql.django_host import DjangoDatabase, DjangoSqlStore
from reportflow.storage.sql.leases import SqlLeases
from reportflow.storage.sql.schema import PREFIX, make_tables


class DjangoStore(DjangoSqlStore):
    """Records in a database of Django's, on the connection that Django has for the thread that calls.

    Inside `atomic` it writes in Django's transaction; in autocommit mode each call is whole by itself. Nothing connects
    before the first call, which sees whether the tables are there: ``manage.py migrate`` makes them.

    Args:
        using: The alias of the database, of Django's setting ``DATABASES``.
        classes: The classes of the records and details that it reads; a flow adds those of its lifecycles.
        prefix: What the tables' names begin with.

    Raises:
        InvalidValue: there is no such alias, or its engine or driver is not supported.
    """

    def __init__(self, using: str = "default", classes: Classes = NO_CLASSES, *, prefix: str = PREFIX) -> None:
        database = DjangoDatabase(using, make_tables(None, prefix=prefix))
        super().__init__(database, database.capabilities, classes)

    @cached_property
    def leases(self) -> SqlLeases:
        """Where relays keep how far they are."""
        return SqlLeases(self._statements, self._checkout, self._transaction)

    @contextmanager
    def around_call(self) -> Iterator[None]:
        """Around a call in a thread that serves no request of Django's, as `reportflow.web.portal` makes them.

        Django looks after a thread's connections when a request begins and ends; here that is done before and after
        the call: one that the server has closed is opened again, and one is kept open as long as ``CONN_MAX_AGE`` says.
        """
        close_old_connections()
        try:
            yield
        finally:
            close_old_connections()

    def bound_to(self, host: Any) -> Any:
        """A store inside a transaction of the host's, as that of `SqlStore`.

        Raises:
            InvalidValue: neither a connection of Django nor one of SQLAlchemy, or one of another engine.
        """
        return bound_store(self._statements, host, self.capabilities.bound(), self.classes)

    def close(self) -> None:
        """See `Store.close`. Django's connections stay open."""
        super().close()
        if "leases" in vars(self):
            self.leases.close()
