"""Where a worker's web application listens, and the address at which the other workers find it."""

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any

import structlog

from streams.errors import FairwayError
from streams.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on

log = structlog.get_logger()


class WebPort:
    """The port of a worker's web views, taken before the group is told where they are, and served later."""

    def __init__(self, settings: Settings) -> None:
        """Take the port, as `listen` does."""
        self._listening = listen(settings)
        self.address = tell_address(settings, self._listening)
        self._server: Any = None

    @property
    def is_served(self) -> bool:
        """Say whether requests are answered."""
        return self._server is not None and bool(self._server.started)

    async def serve(self, web: "Starlette") -> None:
        """Serve a web application until cancelled, also while the partitions are being restored."""
        from streams.worker.web_server import make_server  # uvicorn takes its time

        server = self._server = make_server(web)
        async with web.router.lifespan_context(web):
            serving = asyncio.create_task(server.serve([self._listening]))
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                server.should_exit = True
                await serving


def listen(settings: Settings) -> socket.socket:
    """Return a socket at the port; where nobody asked for this one and another program has it, at a free one."""
    try:
        listening = _open(settings.web_host, settings.web_port)
    except OSError as error:
        if refusal := _find_refusal(settings, error):
            raise refusal from None
        listening = _open(settings.web_host, 0)
        log.warning(
            "Another program has the port of the web views; a free one is taken.",
            wanted=settings.web_port, address=_write(settings.web_host, listening),
        )  # fmt: skip
    return listening


def _open(host: str, port: int) -> socket.socket:
    """Return a socket that listens: one that is only bound would let another worker bind the same port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def _find_refusal(settings: Settings, error: OSError) -> FairwayError | None:
    """Return why a worker can't go on; None if it is only the default port that another program has."""
    host, port = settings.web_host, settings.web_port
    if error.errno != errno.EADDRINUSE:
        return FairwayError(
            f"The web views can't be served at '{host}', port {port} (FAIRWAY_WEB_HOST, FAIRWAY_WEB_PORT): "
            f"{error.strerror or error}."
        )
    if "web_port" in settings.model_fields_set:
        return FairwayError(
            f"Port {port} of '{host}' is taken by another program: name another one with --web-port or "
            "FAIRWAY_WEB_PORT; 0 takes any that is free."
        )
    return None


def tell_address(settings: Settings, listening: socket.socket) -> str:
    """Return the address that other workers are told: FAIRWAY_WEB_NAME, or the host that is listened on."""
    host = socket.gethostname() if settings.web_host in _EVERYWHERE else settings.web_host
    return _write(settings.web_name or host, listening)


def name_worker(settings: Settings, address: str) -> str:
    """Return what people call a worker: FAIRWAY_INSTANCE_ID, or its machine and the port of its web views."""
    port = address.rpartition(":")[2]
    return settings.instance_id or socket.gethostname() + (f":{port}" if port.isdigit() else "")


def _write(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
