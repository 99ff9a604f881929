"""A broker in memory with what matters of Kafka's transactions, and an engine simple enough to foretell."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from models.customer import Customer, Enrollment
from models.ids import CustomerKey, journey_id, name_uuid
from streams.engine.effects import Command, Outcome
from streams.engine.inputs import Arrived, CustomerInput
from streams.engine.journeys import Journeys
from streams.kafka.changelog import Page
from streams.kafka.errors import MigratedError
from streams.kafka.fetch import Seek, SeekResult
from streams.kafka.limits import Limits, spare
from streams.kafka.records import NO_HEADERS, Commit, Header
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.partition.context import Context
from streams.partition.outputs import Router
from streams.partition.pacing import Pacing
from streams.partition.task import PartitionTask
from streams.state.memory import MemoryMap
from streams.state.ordered_map import OrderedMap
from tests.small import command

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
JOURNEY = journey_id("pinehurst", "Model")


class Crash(BaseException):
    """The process is gone."""


class Source(NamedTuple):
    """A record of the source topic."""

    offset: int
    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int = 0


class Record(NamedTuple):
    """A record that was emitted."""

    key: bytes | None
    value: bytes | None
    headers: list[Header] = NO_HEADERS


class Records(list[Record]):
    """An output that remembers."""

    def add(self, key: bytes | None, value: bytes | None, headers: list[Header]) -> None:
        self.append(Record(key, value, headers))


class Broker:
    """One partition: a source, a changelog and what was emitted; only the last to fence can commit."""

    def __init__(self) -> None:
        self.name = "topic 1 of cluster 1"
        self.source: list[Source] = []
        self.source_start = self.source_end = 0
        self.changelog: list[tuple[int, bytes, bytes | None]] = []
        self.changelog_end = 0
        self.emitted: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
        self.group: dict[str, int] = {}
        self.epoch = 0

    def rows(self, until: int) -> dict[bytes, bytes]:
        """Return the state that the changelog stands for, up to an offset."""
        rows: dict[bytes, bytes] = {}
        for offset, key, row in self.changelog:
            if offset < until:
                rows.pop(key, None)
                if row is not None:
                    rows[key] = row
        return rows

    def commit(self, commit: Commit) -> int:
        for key, row in commit.rows.items():
            self.changelog.append((self.changelog_end, key, row))
            self.changelog_end += 1
        offset = self.changelog_end
        self.changelog_end += 1  # the commit marker
        for place, records in commit.outputs.items():
            assert isinstance(records, Records)
            self.emitted[place].extend(records)
        self.group |= commit.positions
        return offset


class ModelChangelog:
    """The changelog at that broker."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def identity(self) -> str:
        return self.broker.name

    async def read(self, offset: int) -> AsyncGenerator[Page, None]:
        end = self.broker.changelog_end
        yield Page((), offset, end)
        rows = [(at, key, row) for at, key, row in self.broker.changelog if at >= offset]
        for start in range(0, len(rows), 3):
            page = rows[start : start + 3]
            yield Page([(key, row) for _, key, row in page], page[-1][0] + 1, end)
        yield Page((), end, end)


class ModelProducer:
    """A producer at that broker; `fault` is what the next commit meets."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.epoch = -1
        self.fault = ""

    async def fence(self) -> None:
        self.broker.epoch += 1
        self.epoch = self.broker.epoch

    def output(self, topic: str = "") -> Records:
        return Records()

    async def commit(self, commit: Commit) -> int:
        fault, self.fault = self.fault, ""
        if self.epoch != self.broker.epoch:
            raise MigratedError("fenced")
        if fault == "lost before":
            raise MigratedError("timed out")
        if fault == "crash before":
            raise Crash
        offset = self.broker.commit(commit)
        if fault == "lost after":
            raise MigratedError("timed out")
        if fault == "crash after":
            raise Crash
        return offset

    async def close(self) -> None:
        self.epoch = -1


def decide(
    customer: Customer | None, key: CustomerKey, given: CustomerInput, now: datetime, _: Journeys
) -> Outcome:
    """Note each event in the profile and send a command for it; one with `wait` sends another so much later."""
    before = customer or Customer(key.tenant_id, key.customer_id)
    commands: list[Command] = []
    enrollments = dict(before.enrollments)
    profile = before.profile
    for enrollment in before.enrollments.values():
        if enrollment.waiting_until and enrollment.waiting_until <= now:
            del enrollments[enrollment.id]
            commands.append(command(enrollment.id, key.tenant_id))
    if isinstance(given, Arrived):
        event = given.event
        profile = profile | {"events": [*profile.get("events", []), event.event_id]}
        commands.append(command(event.event_id, key.tenant_id))
        if "wait" in event.data:
            enrollment = place(event.event_id, now, now + timedelta(seconds=event.data["wait"]))
            enrollments[enrollment.id] = enrollment
    after = msgspec.structs.replace(before, profile=profile, enrollments=enrollments)
    return Outcome(after, tuple(commands))


def wait_id(event_id: str) -> str:
    return name_uuid(JOURNEY, event_id)


def place(event_id: str, now: datetime, due: datetime) -> Enrollment:
    return Enrollment(wait_id(event_id), JOURNEY, 1, now, "wait", waiting_until=due)


def event(number: int, customer: str, **data: Any) -> bytes:
    ids = {"eventId": f"e-{number}", "tenantId": "pinehurst", "customerId": customer}
    return msgspec.json.encode({**ids, "occurredAt": START, "data": data})


def make_router(partition: int = 0, partitions: int = 1, *, room: int = 1_000_000, **more: Any) -> Router:
    """Return the ways out of a partition whose topics take records of so many bytes."""
    topics = (ACTIVITY, COMMANDS, PROFILE_UPDATES, INBOX, DEAD_LETTERS, "changelog")
    limits = Limits(dict.fromkeys(topics, room + spare(room + spare(room))))
    return Router(partition, partitions, "changelog", limits, **more)


async def seek(topic: str, partition: int, offset: int) -> SeekResult:
    """Seek as a consumer does whose topics hold everything."""
    return SeekResult(offset, 0)


def make_task(
    broker: Broker,
    open_map: Callable[[], OrderedMap] = MemoryMap,
    partitions: int = 1,
    seek: Seek = seek,
    task_type: type[PartitionTask] = PartitionTask,
    **shared: Any,
) -> PartitionTask:
    """Return a task of partition 0 at this broker that commits at once, unless `shared` has another context."""
    journeys = Journeys()
    context = Context(
        **{"journeys": lambda: journeys, "turn": asyncio.Lock(), "pacing": Pacing(timedelta()), "decide": decide}
        | shared
    )
    task = task_type(0, partitions, ModelProducer(broker), ModelChangelog(broker), open_map, context)
    task.queue.assign(0, seek)
    return task
