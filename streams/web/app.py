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
from streams.web.pages.site import Site
from streams.web.sources.broker import Broker
from streams.web.sources.peers import Peers
from streams.worker.worker import Worker


def make_app(worker: Worker, settings: Settings, topics: Topics) -> FastAPI:
    """Return the application that a worker serves; its lifespan opens and closes what it reads from."""
    engine = create_engine(settings.database_url)
    broker = Broker(settings.brokers, settings.app_id, topics)
    site = Site(settings, engine, broker, worker.table, settings.instance_id or socket.gethostname(), Peers(worker))
    identify = make_identify(settings, engine)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        async with sampling(site):
            yield
        await site.peers.close()
        await engine.dispose()

    app = make_api(site, identify, live)
    app.router.routes += make_routes(worker.assignment)  # probes come without a token
    app.mount("/", make_pages(site, identify))
    return app
