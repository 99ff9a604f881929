"""The HTTP server of a worker: uvicorn, which waits for the headers of a request only so long."""

import asyncio
from contextlib import nullcontext
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_HEADER_SECONDS = 10.0  # from a connection, or the first byte of a further request, to the end of its headers
_CONNECTIONS = 1_000  # at once; more are told that the worker is busy


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
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    return server
