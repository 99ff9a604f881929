"""The web application of a worker: health, API and pages, also while its partitions are being restored."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from streams.database import create_engine
from streams.kafka.topics import Topics
from streams.settings import Settings
from streams.web.access.identity import make_identify
from streams.web.api import make_api
from streams.web.health import make_routes
from streams.web.pages.application import make_pages, sampling
from streams.web.sources.sources import make_sources
from streams.worker.worker import Worker


def make_app(worker: Worker, settings: Settings, topics: Topics) -> FastAPI:
    """Return the application that a worker serves; its lifespan opens and closes what it reads from."""
    engine = create_engine(settings.database_url)
    name = settings.instance_id or socket.gethostname()
    sources = make_sources(settings, topics, engine, worker.table, worker, name)
    identify = make_identify(settings, engine)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        async with sampling(sources):
            yield
        await sources.close()

    app = make_api(sources, identify, live)
    app.router.routes += make_routes(worker.assignment)  # probes come without a token
    app.mount("/", make_pages(sources, identify))
    return app
