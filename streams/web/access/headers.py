"""Headers that every answer of an application carries."""

from collections.abc import Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Nothing that is told of people stays in a cache, or is taken for something else than it is."""


class FixedHeaders:
    """Gives the answers of an application the headers that belong to their path."""

    def __init__(self, app: ASGIApp, choose: Callable[[str], Mapping[str, str]]) -> None:
        self._app, self._choose = app, choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._choose(scope["path"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)
