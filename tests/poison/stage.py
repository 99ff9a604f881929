"""A running worker on a real Kafka and Postgres, into whose queues bad records are put among good ones."""

import asyncio
import random
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple

import httpx
from sqlalchemy import text

from models.journey import Journey
from streams.database import create_engine, upgrade
from streams.journeys.authoring import Author, apply, move
from streams.journeys.outbox import publish_now
from streams.kafka.topics import DEAD_LETTERS
from streams.settings import Settings
from tests import client
from tests.broker.workers import MORNING, Worker
from tests.client import Record
from tests.poison.mutants import Raw, mutate
from tests.poison.pulse import LATEST, Pulse, beating, pulse_journey
from tests.ports import free_port

PARTITIONS = 4
_LARGEST = 900_000  # bytes, so that any producer sends it
_NAMELESS = ("", b"")  # a header that librdkafka does not send


class Letter(NamedTuple):
    """A dead letter: which record it was, and why."""

    place: tuple[str, int, int]
    code: str


class Stage:
    """The worker, and what an operator sees of it."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        self.settings = settings.model_copy(update={"database_url": database_url})
        self.brokers = settings.brokers
        self.workers: list[Worker] = []
        self.port = free_port()

    def author(self, *journeys: Journey, publish: bool = True) -> None:
        """Author journeys that are active, and publish them, or leave that to the worker."""
        asyncio.run(self._author(journeys, publish))

    async def _author(self, journeys: Iterable[Journey], publish: bool) -> None:
        engine = create_engine(self.settings.database_url)
        await upgrade(engine)
        async with engine.begin() as connection:
            for one in journeys:
                await apply(connection, one, Author("ann", MORNING))
                await move(connection, one.tenant_id, one.name, "activate", Author("ann", MORNING))
        if publish:
            await publish_now(engine, self.settings)
        await engine.dispose()

    def query(self, statement: str, **values: Any) -> Any:
        """Return what Postgres answers: the first value."""
        return asyncio.run(self._query(statement, values))

    async def _query(self, statement: str, values: dict[str, Any]) -> Any:
        engine = create_engine(self.settings.database_url)
        async with engine.begin() as connection:
            found = await connection.execute(text(statement), values)
            value = found.scalar() if found.returns_rows else None
        await engine.dispose()
        return value

    def start(self) -> None:
        """Start a worker, and return when its partitions and its pages are open."""
        variables = {
            "FAIRWAY_DATABASE_URL": self.settings.database_url,
            "FAIRWAY_WEB_PORT": str(self.port),
        }
        self.workers.append(Worker(self.settings, str(len(self.workers)), **variables))
        client.wait_until(self._is_ready, 120)

    def _is_ready(self) -> bool:
        try:
            return self.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def start_again(self) -> None:
        """End the worker as an operator does, and start another."""
        assert self.workers[-1].process.poll() is None, "the worker has ended by itself"
        assert self.workers[-1].end(signal.SIGTERM) == 0
        self.start()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=client.PATIENCE, trust_env=False)

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = self.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if re.match(rf"{name}[ {{]", line))

    def letters(self) -> list[Letter]:
        """Return the dead letters; those that are no record's have no place."""
        found = []
        for one in client.read_committed(self.brokers, DEAD_LETTERS):
            told = {name: (value or b"").decode() for name, value in one.headers if name.startswith("dlq.")}
            place = (told.get("dlq.topic", ""), told.get("dlq.partition", -1), told.get("dlq.offset", -1))
            found.append(Letter((place[0], int(place[1]), int(place[2])), told["dlq.code"]))
        return found


@contextmanager
def in_time(stage: Stage, *journeys: Journey) -> Iterator[Pulse]:
    """Let a worker handle good events meanwhile and after it was started again: each once, and within 5 seconds."""
    stage.author(pulse_journey(), *journeys)
    try:
        stage.start()
        with beating(stage.brokers, PARTITIONS) as pulse:
            pulse.wait_for(20)
            since = monotonic()
            yield pulse
            pulse.wait_for(50)
            late = [pulse.latest_alone(since)]
            stage.start_again()
            since = monotonic()
            pulse.wait_for(50)
            late.append(pulse.latest_alone(since))
            slowness = max(pulse.slowness.copy().values())
            print("latest", [round(one, 2) for one in late], "of", len(pulse.sent), "slowness", round(slowness, 1))
            assert max(late) <= LATEST
    finally:
        for worker in stage.workers:
            worker.process.kill()
            worker.process.wait()
            print(f"--- {worker.log.name}\n{worker.log.read_text()[-20_000:]}")


def kinds(make: Callable[[int], Raw], seed: int, number: int) -> list[Raw]:
    """Return so many different mutants of what `make` makes, that any producer can send."""
    chance, found = random.Random(seed), dict[Any, Raw]()
    while len(found) < number:
        raw = mutate(make(len(found)), chance)
        if len(raw.value or b"") < _LARGEST and _NAMELESS not in raw.headers:
            found.setdefault((raw.key, raw.value, raw.headers), raw)
    return list(found.values())


def record(topic: str, raw: Raw, partition: int = -1) -> Record:
    return Record(topic, raw.key, raw.value, tuple(raw.headers), partition)  # type: ignore[arg-type]
