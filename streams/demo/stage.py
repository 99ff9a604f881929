"""What the demo needs before it can play: journeys in force, and a worker."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from models.journey import JourneyStatus
from streams import clock
from streams.database import create_engine, reach, upgrade
from streams.errors import FairwayError
from streams.journeys import authoring
from streams.journeys.files import read_journeys
from streams.journeys.outbox import publish_now
from streams.settings import Settings, environment


async def make_journeys(settings: Settings, folder: Path) -> None:
    """Bring the tables up to date, then store and publish a folder's journeys as ACTIVE."""
    author = authoring.Author("demo", clock.now())
    async with reach(create_engine(settings.database_url)) as engine:
        await upgrade(engine)
        async with engine.begin() as connection:
            for journey in read_journeys([folder]):
                active = journey.model_copy(update={"status": JourneyStatus.ACTIVE})
                await authoring.apply(connection, active, author)
        await publish_now(engine, settings)


@asynccontextmanager
async def run_worker(settings: Settings, log: Path) -> AsyncIterator[Process]:
    """Run `fairway worker` while the body runs."""
    variables = {
        "FAIRWAY_BROKERS": settings.brokers,
        "FAIRWAY_KAFKA_SECURITY_PROTOCOL": settings.kafka_security_protocol,
        "FAIRWAY_DATABASE_URL": settings.database_url,
        "FAIRWAY_DATABASE_URL_FILE": "",
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file),
    }
    with log.open("a") as output:
        worker = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("fairway"), "worker",
            env={**environment(), **variables}, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.terminate()
        await worker.wait()


def check_worker(worker: Process, log: Path) -> None:
    """Raise FairwayError, with what its log says last, where the worker has ended."""
    if worker.returncode is not None:
        last = log.read_text().rstrip().rpartition("\n")[2]
        raise FairwayError(f"The worker ended with {worker.returncode}; its log '{log}' ends: {last}")


def find_port(worker: Process) -> int | None:
    """Return the port of the worker's web views, which takes a free one where another program has the default's."""
    found = psutil.Process(worker.pid).net_connections("tcp")
    return next((one.laddr.port for one in found if one.status == psutil.CONN_LISTEN), None)
