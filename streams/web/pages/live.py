"""Live values: one stream of events a page, at most one a second, with only what has changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from streams.clock import steady
from streams.database import UNREACHABLE
from streams.web.access.visitor import visitor_of

Values = dict[str, str]
Source = Callable[[Request], Awaitable[Values]]

_EVERY, _PING = 1.0, 15.0  # seconds
_STREAMS = 200  # a worker serves so many at once


class Live:
    """The pages' sources of live values, by name. What one reader asked within the second, others get too."""

    def __init__(self, **sources: Source) -> None:
        self._sources = sources
        self._fresh: dict[Any, tuple[float, Values]] = {}
        self._streams = 0

    def routes(self) -> list[Route]:
        """Return the address of the streams."""
        return [Route("/live/{source}", self.stream)]

    async def stream(self, request: Request) -> StreamingResponse:
        """Answer with a stream of JSON objects: text by key, to be put where the page has that key."""
        source = self._sources.get(request.path_params["source"])
        if source is None:
            raise HTTPException(404, "There is no such stream.")
        if self._streams >= _STREAMS:
            raise HTTPException(503, "Too many pages are open on this worker; reload this one to see new numbers.")
        headers = {"x-accel-buffering": "no", "cache-control": "no-store"}
        return StreamingResponse(self._follow(request, source), media_type="text/event-stream", headers=headers)

    async def _follow(self, request: Request, source: Source) -> AsyncIterator[str]:
        known: Values = {}
        sent_at = steady()
        self._streams += 1
        try:
            yield "retry: 2000\n\n"
            while not await request.is_disconnected():
                values = await self._ask(request, source)
                changed = {key: value for key, value in values.items() if known.get(key) != value}
                known = values
                if changed:
                    sent_at = steady()
                    yield f"data: {msgspec.json.encode(changed).decode()}\n\n"
                elif steady() - sent_at >= _PING:
                    sent_at = steady()
                    yield ": ping\n\n"
                await asyncio.sleep(_EVERY)
        finally:
            self._streams -= 1

    async def _ask(self, request: Request, source: Source) -> Values:
        """Return the values, of this second or, while Postgres is away, none."""
        visitor = visitor_of(request)
        key = (request.url.path, request.url.query, visitor.tenants, visitor.sees_personal)
        at, values = self._fresh.get(key, (-1.0, {}))
        if steady() - at < _EVERY * 0.9:
            return values
        try:
            values = await source(request)
        except UNREACHABLE:
            values = {}
        self._fresh = {one: found for one, found in self._fresh.items() if steady() - found[0] < _PING}
        self._fresh[key] = steady(), values
        return values
