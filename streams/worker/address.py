"""Where a worker's web application listens, and the address at which the other workers find it."""

import asyncio
import errno
import socket
from typing import Any

import structlog

from streams.settings import Settings

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on

log = structlog.get_logger()


class WebPort:
    """The port of a worker's web views, taken before the group is told where they are, and served later."""

    def __init__(self, settings: Settings) -> None:
        """Take the wanted port; where another worker has it, a free one."""
        self._listening = listen(settings)
        self.address = tell_address(settings, self._listening)

    async def serve(self, web: Any) -> None:
        """Serve a web application until cancelled, also while the partitions are being restored."""
        from streams.worker.web_server import make_server  # uvicorn takes its time

        server = make_server(web)
        serving = asyncio.create_task(server.serve([self._listening]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving


def listen(settings: Settings) -> socket.socket:
    """Return a socket at the wanted port; where another worker has it, at a free one, and say so in the log."""
    family = socket.AF_INET6 if ":" in settings.web_host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.web_host, settings.web_port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        listening.bind((settings.web_host, 0))
    log.info("The web views are served.", address=_write(settings.web_host, listening))
    return listening


def tell_address(settings: Settings, listening: socket.socket) -> str:
    """Return the address that other workers are told: FAIRWAY_WEB_NAME, or the host that is listened on."""
    host = socket.gethostname() if settings.web_host in _EVERYWHERE else settings.web_host
    return _write(settings.web_name or host, listening)


def _write(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
