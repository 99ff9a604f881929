"""Before the demo plays, its journeys are in force and its worker runs."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from models.journey import JourneyStatus
from streams.database import create_engine, reach
from streams.demo.stage import check_worker, make_journeys, run_worker
from streams.demo.starter import FILES
from streams.errors import FairwayError
from streams.journeys import stored
from streams.settings import Settings
from tests.databases import EMPTY


@pytest.mark.broker
@pytest.mark.database
@pytest.mark.parametrize("content", [EMPTY])
async def test_the_journeys_of_a_folder_are_stored_as_active_and_published(
    settings: Settings, database_url: str
) -> None:
    mine = settings.model_copy(update={"database_url": database_url})
    await make_journeys(mine, FILES / "first")
    async with reach(create_engine(database_url)) as engine, engine.begin() as connection:
        found = await stored.list_all(connection, None, None)
    assert [(row["name"], row["status"]) for row in found] == [("Broke 80", JourneyStatus.ACTIVE)]


async def test_a_worker_ends_with_the_body_whatever_happens_in_it(tmp_path: Path) -> None:
    log, settings = tmp_path / "log", Settings(topics_file=tmp_path / "none.yaml", data_dir=tmp_path)
    with contextlib.suppress(asyncio.CancelledError):
        async with run_worker(settings, log) as worker:
            await worker.wait()
            raise asyncio.CancelledError
    assert worker.returncode == 1
    with pytest.raises(FairwayError, match=r"The worker ended with 1; its log '.*' ends: fairway: There is no"):
        check_worker(worker, log)
