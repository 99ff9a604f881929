"""A stage for the pages: a golf club's four days, played by the simulator, written as the worker would write it."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
import uvicorn

from models.customer import Customer, encode
from models.ids import customer_key
from models.journey import Journey
from models.messages import Event
from streams import database
from streams.engine.reading import read_journeys
from streams.health.judgement import judge
from streams.health.observation import Judgement, Link, Observation, Partition, Thresholds, Worker
from streams.history.projector import Projector
from streams.journeys import authoring
from streams.kafka.topics import DEAD_LETTERS, Topics, read_topics
from streams.partition.restore import Progress
from streams.settings import Settings
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Line, Simulation
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.web.access.visitor import Visitor
from streams.web.pages.application import make_pages, sampling
from streams.web.sources.sources import make_sources
from streams.worker.table import Table
from tests import client
from tests.web.alone import Alone

GOLF = Path(__file__).with_name("golf.yaml")
TIERS = ("Gold", "Silver", "Platinum", "Bronze", "Junior")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread of its own: Playwright keeps this one's loop running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


class Message(NamedTuple):
    offset: int
    value: bytes


class Task(NamedTuple):
    """A partition that is open, as pages see it."""

    partition: int
    stage: str
    progress: Progress
    store: Store | None


def read_golf() -> list[Journey]:
    return [Journey.model_validate(raw) for raw in read_journeys(GOLF.read_text())]


def make_events(now: datetime) -> Iterator[Event]:
    """What 120 members did in the last four days."""
    for number in range(120):
        yield from make_member(number, now, now - timedelta(days=4) + timedelta(minutes=44 * number))


def make_member(number: int, now: datetime, joined: datetime) -> Iterator[Event]:
    tier, customer = TIERS[number % 5], f"c-{number:03}"

    def event(hours: float, kind: str, data: dict[str, Any], tenant: str = "pinehurst") -> Event:
        at = joined + timedelta(hours=hours)
        return Event(f"{customer}-{kind}-{at:%H%M}", tenant, customer, at, kind, "north", data)

    yield event(0, "scl.member.created", {"firstName": f"Member {number}", "membershipTier": tier})
    if number % 3 == 0:
        yield event(20, "customer.updated", {"renewed": True})
    if number % 2 == 0:
        booked = {"membershipTier": tier, "teeTimeId": f"t-{number}"}
        plays = 40 if number % 20 == 12 else 96 + number % 9
        yield event(2, "teetime.booked", booked | {"teeTime": (joined + timedelta(hours=plays)).isoformat()})
        if number % 20 == 10:
            later = joined + timedelta(hours=plays + 24)
            yield event(9, "teetime.rescheduled", booked | {"teeTime": later.isoformat(), "course": "new"})
        if number % 20 == 2:
            yield event(9, "teetime.cancelled", booked)
        if number % 20 == 12:
            yield event(plays + 4, "teetime.completed", booked | {"score": 70 + number % 30})
    if number % 11 == 0:
        lesson = "some day" if number % 2 else (now + timedelta(hours=number)).isoformat()
        yield event(5, "engagement.dropped", {"lessonAt": lesson})
        yield event(6, "email.opened", {"campaign": "news"})
    if number % 10 == 0:
        yield event(0, "scl.member.created", {"firstName": "Guest"}, tenant="lakeside")


def play(
    journeys: list[Journey], events: list[Event], now: datetime
) -> tuple[list[Message], dict[bytes, Customer]]:
    """Return the activity that these events bring about until now, and the customers as they then stand."""
    simulation = Simulation(load_journeys(journeys))
    lines = [Line(event.occurred_at, number, event) for number, event in enumerate(events)]
    outputs = [output for output in simulation.run(lines, now) if output.topic == "fairway.activity"]
    messages = [Message(offset, msgspec.json.encode(output.value)) for offset, output in enumerate(outputs)]
    return messages, simulation.customers


async def store_journeys(url: str, journeys: list[Journey], now: datetime) -> None:
    engine = database.create_engine(url)
    await database.upgrade(engine)
    async with engine.begin() as connection:
        for journey in journeys:
            await authoring.apply(connection, journey, authoring.Author("tester", now))
    await engine.dispose()


async def project(url: str, messages: list[Message], partition: int = 0) -> None:
    projector = Projector.connect(url)
    for start in range(0, len(messages), 500):
        batch = messages[start : start + 500]
        await projector.project(partition, batch, start, start + len(batch))
    await projector.close()


HERE, ELSEWHERE = frozenset({0, 1, 2}), frozenset({3})


def make_table(topics: Topics, customers: dict[bytes, Customer], held: frozenset[int] = HERE) -> Table:
    """Return a table with these customers on the partitions that are held."""
    stores = {number: Store(MemoryMap()) for number in sorted(held)}
    tasks = {number: Task(number, "running", Progress(), store) for number, store in stores.items()}
    table = Table(topics.changelog, topics.partitions, tasks)  # type: ignore[arg-type]
    for number, store in stores.items():
        rows = {key: encode(one) for key, one in customers.items() if table.partition_of(key) == number}
        store.write(rows, {}, 10_000 + len(rows))
    return table


def bury(brokers: str, values: list[tuple[str, str, bytes]], tenant: str = "pinehurst") -> None:
    """Write dead letters: (code, reason, raw bytes)."""
    client.produce(
        brokers,
        [
            client.Record(
                DEAD_LETTERS, customer_key(tenant, f"c-{number:03}"), raw,
                (("traceparent", b"00-aa-bb-01"), ("dlq.code", code.encode()), ("dlq.reason", reason.encode()),
                 ("dlq.topic", b"teetime.booked"), ("dlq.partition", b"0"), ("dlq.offset", str(number).encode())),
            )
            for number, (code, reason, raw) in enumerate(values)
        ],
    )  # fmt: skip


Observe = Callable[[datetime], Observation]


def observe_well(at: datetime) -> Observation:
    """What is seen of two workers that are well."""
    seen = at - timedelta(seconds=1)
    workers = (
        Worker("worker-1", host="10.0.0.1", version="0.2.0", partitions=tuple(sorted(HERE)), heard=seen),
        Worker("worker-2", host="10.0.0.2", version="0.2.0", partitions=tuple(sorted(ELSEWHERE)), heard=seen),
    )
    parts = [
        Partition(number, one.name, "running", lag=0, rate=12.5) for one in workers for number in one.partitions
    ]
    return Observation(at, seen, Link(seen), Link(seen), workers, tuple(parts))


class FixedWatch:
    """A watch that sees what a test lets it see."""

    def __init__(self, observe: Observe) -> None:
        self.observe = observe

    def judge(self, at: datetime) -> Judgement:
        return judge(self.observe(at), Thresholds())

    async def run(self) -> None:
        pass

    async def close(self) -> None:
        pass


@contextmanager
def serve(
    settings: Settings, customers: dict[bytes, Customer], visitor: Visitor, worker: str = "worker-1",
    held: frozenset[int] = HERE, others: Mapping[str, frozenset[int]] | None = None,
    observe: Observe = observe_well,
) -> Iterator[str]:  # fmt: skip
    """Serve the pages of a worker in a thread of their own; yield their address."""
    listening = socket.create_server(("127.0.0.1", 0))
    started, stopped = threading.Event(), threading.Event()

    async def run() -> None:
        topics = read_topics(settings.topics_file, settings.app_id)
        engine = database.create_engine(settings.database_url)
        table = make_table(topics, customers, held)
        sources = make_sources(settings, topics, engine, table, Alone(others), worker)
        await sources.watch.close()
        sources = sources._replace(watch=FixedWatch(observe))  # type: ignore[arg-type]

        async def gate(_: Any) -> Visitor:
            return visitor

        config = uvicorn.Config(
            make_pages(sources, gate),
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        async with sampling(sources):
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            started.set()
            await asyncio.to_thread(stopped.wait)
            server.should_exit = True
            await serving
        await sources.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(60)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stopped.set()
        thread.join(20)
