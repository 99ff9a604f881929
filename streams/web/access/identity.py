"""Who asks, by FAIRWAY_ACCESS: nobody in particular (loopback only, or open), or the bearer of a token or JWT."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.errors import FairwayError
from streams.settings import Settings
from streams.web.access.tokens import TokenIdentity
from streams.web.access.visitor import Visitor

Identify = Callable[[Request], Awaitable[Visitor]]
"""Returns who asks; raises HTTPException for those who may not."""


def make_identify(settings: Settings, engine: AsyncEngine) -> Identify:
    """Return what knows who asks; raises FairwayError for settings that would let anyone in from afar."""
    match settings.access:
        case "token":
            return TokenIdentity(engine)
        case "oidc":
            from streams.web.access.oidc import JwtIdentity  # what it needs loads for 40 ms

            return JwtIdentity(settings)
        case "open":
            return _anyone
        case _:
            return _LoopbackIdentity(settings.web_host)


async def _anyone(_: Request) -> Visitor:
    return Visitor()


class _LoopbackIdentity:
    """Lets everyone in who reached the port by its own name: a name that was bent to it gets nothing."""

    def __init__(self, host: str) -> None:
        if not is_loopback(host):
            raise FairwayError(
                f"FAIRWAY_WEB_HOST is '{host}', which others can reach: set FAIRWAY_ACCESS to"
                " token, oidc, or open if the network in front decides who may come."
            )
        self._host = host

    async def __call__(self, request: Request) -> Visitor:
        name = request.url.hostname or ""
        if not (_is_address(name) or name in ("localhost", self._host)):
            raise HTTPException(403, f"This worker is not known as '{name}'.")
        return Visitor()


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host of this name."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False
