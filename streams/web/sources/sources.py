"""Where pages and API read from: Postgres, Kafka, this worker's part of the customers table, other workers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request

from streams.kafka.topics import Topics
from streams.settings import Settings
from streams.web.access.masking import Mask
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.queries.query import Reader
from streams.web.sources.broker import Broker
from streams.web.sources.dead_letters import DeadLetters
from streams.web.sources.peers import Group, Peers
from streams.web.sources.samples import Samples
from streams.web.sources.watch import Own, Watch, read_thresholds
from streams.web.sources.worker import Table


class Sources(NamedTuple):
    """Everything that is read from; `worker` is the name of the one that answers."""

    settings: Settings
    engine: AsyncEngine
    broker: Broker
    dead_letters: DeadLetters
    samples: Samples
    table: Table
    peers: Peers
    watch: Watch
    worker: str

    def mask_for(self, visitor: Visitor) -> Mask:
        """Return what hides from this visitor what they may not see."""
        return Mask() if visitor.sees_personal else Mask(self.settings.personal)

    def reader(self, connection: AsyncConnection, visitor: Visitor) -> Reader:
        """Return what reads Postgres for this visitor."""
        return Reader(connection, visitor.tenants, self.mask_for(visitor))

    async def close(self) -> None:
        """Let go of all connections."""
        for source in (self.broker, self.dead_letters, self.peers, self.watch):
            await source.close()
        await self.engine.dispose()


def make_sources(
    settings: Settings, topics: Topics, engine: AsyncEngine, table: Table, group: Group, worker: str,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Sources:  # fmt: skip
    """Return the sources of a worker; each connects at first use."""
    broker = Broker(settings, topics)
    letters = DeadLetters(settings, topics)
    samples = Samples(engine, broker, letters.index)
    watch = Watch(samples, broker, Own(worker, table, is_stopping), read_thresholds(settings))
    return Sources(settings, engine, broker, letters, samples, table, Peers(group), watch, worker)


def sources_of(request: Request) -> Sources:
    """Return the sources of the application that this request came to."""
    sources: Sources = request.app.state.sources
    return sources


@asynccontextmanager
async def reading(request: Request) -> AsyncIterator[Reader]:
    """Lend a reader of Postgres for whoever asks."""
    sources = sources_of(request)
    async with sources.engine.connect() as connection:
        yield sources.reader(connection, visitor_of(request))
