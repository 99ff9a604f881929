"""What Postgres lacks of the activity is written without a worker, each record once, from wherever it stands."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.errors import FairwayError
from streams.history.catching_up import catch_up
from streams.history.projector import Projector
from streams.kafka.topics import ACTIVITY
from streams.settings import Settings
from tests import client
from tests.history.activity import record

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(120)]


@pytest.fixture
async def projector(engine: AsyncEngine, database_url: str) -> AsyncIterator[Projector]:
    projector = Projector.connect(database_url)
    yield projector
    await projector.close()


def produce(settings: Settings, numbers: range) -> None:
    """Write activity to partition 0 and 3 in turn."""
    made = [record(offset=number, customer=f"c-{number}") for number in numbers]
    client.produce(
        settings.brokers,
        [
            client.Record(ACTIVITY, b"k", one.value, partition=3 * (number % 2))
            for number, one in zip(numbers, made, strict=True)
        ],
    )


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM activity"))).scalar_one())


async def test_it_goes_on_where_postgres_stands_and_where_the_topic_begins(
    settings: Settings, database_url: str, engine: AsyncEngine, projector: Projector
) -> None:
    reached = settings.model_copy(update={"database_url": database_url})
    await projector.rewind(0, 1_000)  # of a topic that was made anew since
    produce(settings, range(40))
    assert await catch_up(reached) == 40
    assert await catch_up(reached) == 0
    produce(settings, range(40, 50))
    assert await catch_up(reached) == 10
    assert await count(engine) == 50
    assert [await projector.position(number) for number in range(4)] == [25, 0, 0, 25]


async def test_a_postgres_that_is_away_is_told_in_a_sentence(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    with pytest.raises(FairwayError, match="Postgres"):
        await catch_up(away)
