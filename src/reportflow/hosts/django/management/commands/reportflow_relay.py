"""``manage.py reportflow_relay``: publishes what was committed, on Django's own connection."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from reportflow.errors import ReportflowError
from reportflow.hosts.django.configuration import configuration
from reportflow.hosts.django.opening import flow
from reportflow.hosts.django.texts import language, text
from reportflow.outbox.relay import Relay


class RelayCommand(BaseCommand):
    """Runs a relay until it is stopped by SIGINT or SIGTERM, or until there is nothing left to publish."""

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.description = text("relay")
        parser.add_argument("--using", help=text("using"))
        parser.add_argument("--publish", help=text("publish"))
        parser.add_argument("--name", default="relay", help=text("name"))
        parser.add_argument("--poll", type=float, default=1.0, help=text("poll"))
        parser.add_argument("--once", action="store_true", help=text("once"))

    def handle(self, *_: Any, **options: Any) -> None:
        """Run it."""
        try:
            project = configuration()
            publish = import_string(options["publish"]) if options["publish"] else project.publish
        except (ImportError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if publish is None:
            raise CommandError(text("no_publisher"))
        try:
            store, observe = flow(options["using"]).store, project.options.get("observe")
            relay = Relay(store, publish, name=options["name"], observe=observe)
            if options["once"]:
                self.stdout.write(text("published", number=_publish_all(relay)))
            else:
                relay.run(stopped_by_signals(), options["poll"])
        except ReportflowError as error:
            raise CommandError(error.message(language(), reader="developer")) from error


def _publish_all(relay: Relay) -> int:
    number = 0
    try:
        while some := relay.run_once():
            number += some
    finally:
        relay.close()
    return number


def stopped_by_signals() -> threading.Event:
    """What is set by SIGINT and SIGTERM; a thread takes none."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: stop.set())
    return stop


#: The name by which Django looks for it.
Command = RelayCommand
