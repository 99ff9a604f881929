"""The HTTP server of a worker: uvicorn, which waits for the headers of a request only so long."""

import asyncio
from contextlib import nullcontext, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_HEADER_SECONDS = 10.0  # from a connection, or the first byte of a further request, to the end of its headers
_CONNECTIONS = 1_000  # at once; more are told that the worker is busy
_TICK_SECONDS, _TICKS = 1.0, 10  # until the date in answers is told anew, which uvicorn does every so many ticks


class Protocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # one of two classes, by what is installed
    """Closes connections on which a request begins and does not go on."""

    _unfinished: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for a first request."""
        super().connection_made(transport)
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Take in what came: a part of a request, or one or more."""
        before = self.cycle
        if self._unfinished is None and (before is None or before.response_complete):
            self._wait_for_headers()
        super().data_received(data)
        if self.cycle is not before:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait_for_headers(self) -> None:
        self._unfinished = self.loop.call_later(_HEADER_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._unfinished is not None:
            self._unfinished.cancel()
        self._unfinished = None


class Server(uvicorn.Server):
    """Wakes once a second, not ten times, and ends at once all the same."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._ended = asyncio.Event()
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        """Say whether the server is to end; may be set."""
        return self._ended.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        if value:
            self._ended.set()

    async def main_loop(self) -> None:
        """Wait until the server is to end."""
        while not await self.on_tick(_TICKS):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._ended.wait()


def make_server(web: Any) -> uvicorn.Server:
    """Return a server for a web application; signals are the worker's own affair."""
    config = uvicorn.Config(
        web,
        http=Protocol,
        ws="none",
        log_config=None,
        lifespan="off",  # which is the caller's: uvicorn would write a traceback where it is cut short
        access_log=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    return server
