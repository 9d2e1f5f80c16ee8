"""A publisher for NATS JetStream."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Self, TypeVar

from reportflow.errors import BrokerUnavailable, InvalidValue, MissingExtra
from reportflow.outbox.cloudevents import Message

#: The pause between the first and the second, last, attempt to connect, in seconds.
_RECONNECT_PAUSE: Final = 0.05

T = TypeVar("T")


class NatsPublisher:
    """Publishes to JetStream, and waits until a stream has the message. A context manager; calls from any thread.

    ``Nats-Msg-Id`` is the id of the message: within the duplicate window of the stream (two minutes by default) a
    message that is published again is stored once. The host makes the stream, with the subject in it.

    It connects at the first call, and again after the connection was lost.

    Args:
        url: Such as ``nats://127.0.0.1:4222``.
        subject: The subject of all messages.
        timeout: How long to wait for a connection, and for an answer, in seconds.

    Raises:
        MissingExtra: the package `nats-py` is not installed.
        InvalidValue: a subject with blanks, wildcards or empty parts.
    """

    def __init__(self, url: str, subject: str = "reportflow", *, timeout: float = 5.0) -> None:
        try:
            import nats.aio.client
        except ImportError as error:
            raise MissingExtra("nats-py", "reportflow[nats]") from error
        if not isinstance(subject, str) or not re.fullmatch(r"[^\s.*>]+(\.[^\s.*>]+)*", subject):
            raise InvalidValue(
                "subject", "choice", {"given": repr(subject), "choices": ("reportflow", "office.reports")}
            )
        self._url = url
        self._subject = subject
        self._timeout = timeout
        self._client: nats.aio.client.Client | None = None
        self._loop = asyncio.new_event_loop()
        self._connecting = asyncio.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="reportflow-nats", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, message: Message) -> None:
        """Publish a message, and wait until a stream has it.

        Raises:
            BrokerUnavailable: the server cannot be reached or does not answer, or there is no stream of this subject.
            nats.errors.Error: the server refuses this message, such as one that is too long.
        """
        self._wait(self._send(message))

    def close(self) -> None:
        """Close the connection. Closing twice is fine."""
        if self._loop.is_closed():
            return
        self._wait(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise BrokerUnavailable(self._url, "closed")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _send(self, message: Message) -> None:
        from nats import errors
        from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

        headers = {"Nats-Msg-Id": message.id, "Content-Type": message.content_type}
        try:
            stream = (await self._connected()).jetstream(timeout=self._timeout)
            await stream.publish(self._subject, message.body, headers=headers)
        except (
            OSError,  # also a timeout
            errors.ConnectionClosedError,
            errors.ConnectionDrainingError,
            errors.ConnectionReconnectingError,
            errors.NoServersError,
            errors.OutboundBufferLimitError,
            errors.StaleConnectionError,
            NoStreamResponseError,
            ServiceUnavailableError,
        ) as error:
            raise BrokerUnavailable(self._url, f"{type(error).__name__}: {error}") from error

    async def _connected(self) -> Any:
        from nats.aio.client import Client

        async with self._connecting:
            if self._client is None or self._client.is_closed:
                client = Client()
                try:
                    # the next message connects again here; the client must not do so by itself
                    async with asyncio.timeout(self._timeout):
                        await client.connect(
                            self._url,
                            allow_reconnect=False,
                            max_reconnect_attempts=1,
                            reconnect_time_wait=_RECONNECT_PAUSE,  # type: ignore[arg-type]  # it is passed to `asyncio.sleep`
                            error_cb=_ignore,
                        )
                except BaseException:
                    with suppress(Exception):  # the first error is the one to raise
                        await client.close()
                    raise
                self._client = client
            return self._client

    async def _disconnect(self) -> None:
        if self._client is not None and not self._client.is_closed:
            await self._client.close()


async def _ignore(_: Exception) -> None:
    """An error of the client, which is raised to the caller of `publish` too."""
