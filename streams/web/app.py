"""The web application of a worker: health, API and pages, also while its partitions are being restored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.database import create_engine
from streams.kafka.topics import Topics
from streams.settings import Settings
from streams.web.access.identity import make_identify
from streams.web.api.application import DESCRIPTION, make_api
from streams.web.health import make_routes
from streams.web.pages.application import make_pages, sampling
from streams.web.sources.sources import make_sources
from streams.worker.worker import Worker


def make_app(worker: Worker, settings: Settings, topics: Topics) -> Starlette:
    """Return the application that a worker serves; its lifespan opens and closes what it reads from."""
    engine = create_engine(settings.database_url)
    sources = make_sources(settings, topics, engine, worker.table, worker, worker.name, lambda: worker.is_stopping)
    identify = make_identify(settings, engine)

    @asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        async with sampling(sources):
            yield
        await sources.close()

    views = Views(make_api(sources, identify), make_pages(sources, identify))
    health = make_routes(worker.assignment, worker.settings.store, topics.partitions, sources.watch.report)
    return Starlette(routes=[*health, Mount("/", views)], lifespan=live)


class Views:
    """API and pages as one: programs and people come by the same port."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api, self._pages = api, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to where its path belongs."""
        is_api = scope["path"].startswith("/api/") or scope["path"] == DESCRIPTION
        await (self._api if is_api else self._pages)(scope, receive, send)
