"""The pages as one application: their addresses, who may look, the headers that every answer carries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from streams.cancellation import end_tasks
from streams.web.access.gate import Gate
from streams.web.access.headers import PRIVATE, FixedHeaders
from streams.web.access.identity import Identify
from streams.web.pages import (
    actions,
    by_hand,
    customers,
    dead_letters,
    enrollment,
    enrollments,
    journey,
    journeys,
    overview,
    parked,
    refusals,
    search,
    simulate,
    table,
    topics,
    upload,
    waits,
)
from streams.web.pages.live import Live
from streams.web.pages.rendering import render
from streams.web.pages.trouble import KNOWN, explain
from streams.web.sources.sources import Sources

_ROOMS = (
    overview, upload, simulate, journeys, journey, enrollments, refusals, enrollment, customers, search, waits,
    dead_letters, parked, table, topics, by_hand, actions,
)  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = PRIVATE | {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_STATIC = "/static/"
_STATIC_HEADERS = HEADERS | {"cache-control": "no-cache"}
_IMPORTS = frozenset({"/journeys/new"})


def make_pages(sources: Sources, identify: Identify) -> Starlette:
    """Return the application; `identify` says who looks, or raises HTTPException."""
    live = Live(
        identify, overview=overview.read, journeys=journeys.read, journey=journey.read, enrollment=enrollment.read
    )
    static = StaticFiles(directory=Path(__file__).parent / "static")
    routes: list[BaseRoute] = [Mount(_STATIC, static), Route("/numbers", _show_numbers), *live.routes()]
    for room in _ROOMS:
        routes += room.ROUTES
    gate = Middleware(
        Gate, identify=identify, refuse=explain, imports=_IMPORTS,
        is_open=lambda path: path.startswith(_STATIC), takes_forms=True,
    )  # fmt: skip
    app = Starlette(
        routes=routes, middleware=[Middleware(FixedHeaders, choose=_choose_headers), gate],
        exception_handlers=dict.fromkeys(KNOWN, explain),
    )  # fmt: skip
    app.state.sources = sources
    return app


def _choose_headers(path: str) -> dict[str, str]:
    return _STATIC_HEADERS if path.startswith(_STATIC) else HEADERS


@asynccontextmanager
async def sampling(sources: Sources) -> AsyncIterator[None]:
    """Take samples for the overview, and watch over the workers, in the meantime."""
    running = [asyncio.create_task(work) for work in (sources.samples.run(), sources.watch.run())]
    try:
        yield
    finally:
        await end_tasks(*running)


async def _show_numbers(request: Request) -> Response:
    return render(request, "numbers.html")
