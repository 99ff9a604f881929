"""A partition that rests is called when there are other journeys: it need not look."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from streams.engine.journeys import Journeys
from streams.kafka.topics import read_topics
from streams.partition.queue import RecordQueue
from streams.settings import Settings
from streams.worker.worker import Worker


class Followed:
    """Definitions that say when they have changed."""

    changed: Callable[[Journeys], None]
    journeys = Journeys()

    async def start(self) -> "asyncio.Task[None]":
        """Have nothing to read."""
        return asyncio.create_task(asyncio.sleep(0))

    async def stop(self) -> None:
        """Have nothing to stop."""


async def test_other_journeys_call_each_partition(tmp_path: Any) -> None:
    settings = Settings(brokers="nowhere:9092", app_id="called", data_dir=tmp_path)
    definitions = Followed()
    worker = Worker(settings, read_topics(settings.topics_file, "called"), definitions)
    tasks = [SimpleNamespace(queue=RecordQueue(number, 2)) for number in range(2)]
    worker.assignment._tasks = dict(enumerate(tasks))  # type: ignore[arg-type]
    assert not any(task.queue.filled.is_set() for task in tasks)
    definitions.changed(Journeys())
    assert all(task.queue.filled.is_set() for task in tasks)
