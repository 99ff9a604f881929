"""The web application of a worker: its pages, also while its partitions are being restored."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.app import Worker
from streams.database import create_engine
from streams.settings import Settings
from streams.topics import Topics
from streams.web.broker import Broker
from streams.web.health import make_routes
from streams.web.pages import Gate, make_pages, sampling
from streams.web.site import Site
from streams.web.visitor import Visitor


def make_app(worker: Worker, settings: Settings, topics: Topics) -> Starlette:
    """Return the application that a worker serves; its lifespan opens and closes what it reads from."""
    engine = create_engine(settings.database_url)
    broker = Broker(settings.brokers, settings.app_id, topics)
    site = Site(settings, engine, broker, worker.table, settings.instance_id or socket.gethostname())

    @asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        async with sampling(site):
            yield
        await engine.dispose()

    app = make_pages(site, _make_gate(settings), live)
    app.router.routes[:0] = make_routes(worker.assignment)
    return app


def _make_gate(settings: Settings) -> Gate:
    """Let everyone in who reached the port by its own name: a name that was bent to it gets nothing."""

    async def gate(request: Request) -> Visitor:
        if not (_is_address(request.url.hostname) or request.url.hostname in ("localhost", settings.web_host)):
            raise HTTPException(403, f"This worker is not known as '{request.url.hostname}'.")
        return Visitor()

    return gate


def _is_address(host: str | None) -> bool:
    try:
        return bool(ip_address(host or ""))
    except ValueError:
        return False
