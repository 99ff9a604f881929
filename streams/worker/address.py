"""Where a worker's web application listens, and the address at which the other workers find it."""

import errno
import socket

import structlog

from streams.settings import Settings

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on

log = structlog.get_logger()


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
