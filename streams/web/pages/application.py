"""The pages as one application: their addresses, who may look, the headers that every answer carries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.errors import KafkaError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from streams.cancellation import end_tasks
from streams.database import UNREACHABLE
from streams.web.access.identity import Identify
from streams.web.access.visitor import NOBODY
from streams.web.pages import (
    actions,
    customers,
    dead_letters,
    enrollment,
    enrollments,
    journey,
    journeys,
    overview,
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
from streams.web.queries.cursors import BadCursorError
from streams.web.sources.sources import Sources

_ROOMS = (
    overview, upload, simulate, journeys, journey, enrollments, refusals, enrollment, customers, search, waits,
    dead_letters, table, topics, actions,
)  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_STATIC_HEADERS = HEADERS | {"cache-control": "no-cache"}
_TITLES = {
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    409: "That does not fit",
    400: "Something is missing",
}


class _Door:
    """Asks who looks, and gives every answer its headers."""

    def __init__(self, app: ASGIApp, gate: Identify) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_static = scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_STATIC_HEADERS if is_static else HEADERS)
            await send(message)

        request = Request(scope, receive)
        request.state.visitor = NOBODY
        answer: ASGIApp = self._app
        if not is_static:
            try:
                request.state.visitor = await self._gate(request)
            except HTTPException as error:
                answer = await _refuse(request, error)
        await answer(scope, receive, send_with_headers)


def make_pages(sources: Sources, gate: Identify, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """Return the application; `gate` says who looks, or raises HTTPException."""
    live = Live(
        overview=overview.read,
        journeys=journeys.read,
        journey=journey.read,
        enrollment=enrollment.read,
    )
    static = StaticFiles(directory=Path(__file__).parent / "static")
    routes: list[BaseRoute] = [Mount("/static", static), Route("/numbers", _show_numbers), *live.routes()]
    for room in _ROOMS:
        routes += room.ROUTES
    app = Starlette(
        lifespan=lifespan,
        routes=routes,
        middleware=[Middleware(_Door, gate=gate)],
        exception_handlers={
            HTTPException: _refuse,
            BadCursorError: _refuse_cursor,
            **dict.fromkeys((*UNREACHABLE, KafkaError), _explain_outage),
        },
    )
    app.state.sources = sources
    return app


@asynccontextmanager
async def sampling(sources: Sources) -> AsyncIterator[None]:
    """Take samples for the overview in the meantime."""
    running = asyncio.create_task(sources.samples.run())
    try:
        yield
    finally:
        await end_tasks(running)


async def _show_numbers(request: Request) -> Response:
    return render(request, "numbers.html")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "That did not work")
    response = render(request, "trouble.html", error.status_code, title=title, text=error.detail)
    response.headers.update(error.headers or {})
    return response


async def _refuse_cursor(request: Request, error: Exception) -> Response:
    return await _refuse(request, HTTPException(400, str(error)))


async def _explain_outage(request: Request, error: Exception) -> Response:
    what = "Kafka" if isinstance(error, KafkaError) else "Postgres"
    text = (
        f"{what} can't be reached from this worker for now. Journeys go on without these pages; reload in a while."
    )
    return render(request, "trouble.html", 503, title="Not at hand", text=text)
