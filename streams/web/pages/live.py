"""Live values: one stream of events a page, at most one a second, with only what has changed."""

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from streams.clock import steady
from streams.database import UNREACHABLE
from streams.web.access.identity import Identify
from streams.web.access.visitor import Visitor, visitor_of

Values = dict[str, str]
Source = Callable[[Request], Awaitable[Values]]

_EVERY, _PING = 1.0, 15.0  # seconds
_IDENTIFIED = 5.0  # seconds, after which a stream asks again who listens
_STREAMS, _STREAMS_EACH = 200, 20  # at once, of a worker and of a visitor
_READERS = 2  # of Postgres at once, however many streams there are: the other connections are for pages
_HEADERS = {"x-accel-buffering": "no", "cache-control": "no-store"}


def version_of(*shown: Any) -> str:
    """Return what changes when the rows of a part of a page do: the page is then asked for that part anew."""
    return f"{zlib.crc32(repr(shown).encode()):x}"


class Readings:
    """The values of this second: what several listeners may see alike is read once for all of them."""

    def __init__(self) -> None:
        self._fresh: dict[Any, tuple[float, Values]] = {}
        self._reading: dict[Any, asyncio.Task[Values]] = {}
        self._turns = asyncio.Semaphore(_READERS)

    async def read(self, request: Request, source: Source) -> Values:
        """Return the values, of this second or, while Postgres is away, none."""
        visitor = visitor_of(request)
        key = (request.url.path, request.url.query, visitor.tenants, visitor.sees_personal)
        at, values = self._fresh.get(key, (-_EVERY, {}))
        if steady() - at < _EVERY * 0.9:
            return values
        if key not in self._reading:
            self._reading[key] = asyncio.create_task(self._take(key, request, source))
        return await asyncio.shield(self._reading[key])

    async def _take(self, key: Any, request: Request, source: Source) -> Values:
        try:
            async with self._turns:
                values = await source(request)
        except UNREACHABLE:
            values = {}
        finally:
            del self._reading[key]
        self._fresh = {one: found for one, found in self._fresh.items() if steady() - found[0] < _PING}
        self._fresh[key] = steady(), values
        return values


class Live:
    """The pages' sources of live values, by name."""

    def __init__(self, identify: Identify, **sources: Source) -> None:
        self._identify, self._sources = identify, sources
        self._readings = Readings()
        self._listeners: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        """Return the address of the streams."""
        return [Route("/live/{source}", self.stream)]

    async def stream(self, request: Request) -> StreamingResponse:
        """Answer with a stream of JSON objects: text by key, to be put where the page has that key."""
        source = self._sources.get(request.path_params["source"])
        if source is None:
            raise HTTPException(404, "There is no such stream.")
        if self._listeners.total() >= _STREAMS:
            raise HTTPException(503, "Too many pages are open on this worker; reload this one to see new numbers.")
        if self._listeners[_name(request)] >= _STREAMS_EACH:
            raise HTTPException(429, "You have too many pages open; close some, or reload to see new numbers.")
        return _Stream(self._follow(request, source), self._listeners, _name(request))

    async def _follow(self, request: Request, source: Source) -> AsyncIterator[str]:
        """Yield what changed, until the listener is gone or may listen no more."""
        yield "retry: 2000\n\n"
        known: Values = {}
        said = identified = steady()
        visitor = visitor_of(request)
        while not await request.is_disconnected():
            if steady() - identified >= _IDENTIFIED:
                if await self._is_gone(request, visitor):
                    return
                identified = steady()
            values = await self._readings.read(request, source)
            changed = {key: value for key, value in values.items() if known.get(key) != value}
            known = values
            if changed:
                said = steady()
                yield f"data: {msgspec.json.encode(changed).decode()}\n\n"
            elif steady() - said >= _PING:
                said = steady()
                yield ": ping\n\n"
            await asyncio.sleep(_EVERY)

    async def _is_gone(self, request: Request, visitor: Visitor) -> bool:
        """Say whether who listens is no longer who they were: a token was taken back, or has expired."""
        try:
            return await self._identify(request) != visitor
        except HTTPException as error:
            return error.status_code < 500
        except UNREACHABLE:
            return False


class _Stream(StreamingResponse):
    """A stream that counts as one of its listener's from when it is answered until it ends."""

    def __init__(self, content: AsyncIterator[str], listeners: Counter[str], name: str) -> None:
        super().__init__(content, media_type="text/event-stream", headers=_HEADERS)
        self._listeners, self._name = listeners, name
        listeners[name] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listeners[self._name] -= 1
            if not self._listeners[self._name]:
                del self._listeners[self._name]


def _name(request: Request) -> str:
    """Return what streams are counted by: the name of who listens, or their machine's."""
    client = request.client
    return visitor_of(request).name or (client.host if client else "")
