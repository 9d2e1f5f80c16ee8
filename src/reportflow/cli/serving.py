"""The portal on a terminal: ``reportflow serve``, for this machine only, since its log-in asks for no password."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import click

from reportflow.cli.translation import CommandFailed, language, text
from reportflow.demo.people import PEOPLE
from reportflow.demo.vocabulary import NOTE
from reportflow.errors import MissingExtra
from reportflow.flow.sync import ReportFlow
from reportflow.i18n.catalog import STANDARD
from reportflow.lifecycle.definition import Lifecycle
from reportflow.model.actor import Actor, Secrecy

#: What browsers call this machine. A name of another site that leads here is refused: its pages could read the answers.
_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


def check_host(host: str) -> None:
    """See that an address is of this machine only.

    Raises:
        CommandFailed: it can be reached from others.
    """
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        raise CommandFailed(text("serve.loopback", given=host))


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections.

    Raises:
        CommandFailed: the port is taken, or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CommandFailed(text("serve.taken", number=port, why=error.strerror or type(error).__name__)) from error


def people_of(lifecycles: Iterable[Lifecycle]) -> tuple[Actor, ...]:
    """A person for each role of some definitions, called by the label of the role, all of one unit."""
    labels = {role: one.label_of("role", role, language()) for one in lifecycles for role in one.roles}
    return tuple(
        Actor(id=f"demo-{role}", name=label, roles={role}, unit="demo", clearance=max(Secrecy))
        for role, label in labels.items()
    )


def application(flow: ReportFlow, lifecycles: Iterable[Lifecycle] = ()) -> Any:
    """The portal of a flow with the log-in of the demonstration, or with one person for each role of own definitions.

    Raises:
        MissingExtra: what the portal is made with is not installed.
    """
    from reportflow.web.demo_sign_in import DemoSignIn

    own = tuple(lifecycles)
    note: Mapping[str, str] = NOTE
    if own:
        note = {one: STANDARD.text("cli.serve.own", one) for one in STANDARD.languages()}
    title = {one: STANDARD.text("cli.serve.title", one) for one in STANDARD.languages()}
    sign_in = DemoSignIn(people_of(own) if own else PEOPLE, note)
    return _OfThisMachine(sign_in.portal(flow, language=language(), title={} if own else title))


class _OfThisMachine:
    """Answers what asks for this machine by its own names."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            if name not in _NAMES:
                await send({"type": "http.response.start", "status": 421, "headers": [(b"content-length", b"0")]})
                await send({"type": "http.response.body", "body": b""})
                return
        await self._app(scope, receive, send)


def run(app: Any, listening: socket.socket) -> None:
    """Serve until it is interrupted.

    Raises:
        MissingExtra: the server is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtra("uvicorn", "reportflow[web]") from error

    host, port = listening.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    click.echo(text("serve.address", address=f"http://{address}:{port}/"))
    config = uvicorn.Config(
        app, lifespan="off", log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    with suppress(KeyboardInterrupt):  # the server has ended cleanly, and raises it again for its caller
        uvicorn.Server(config).run([listening])
    click.echo(text("serve.ended"))
