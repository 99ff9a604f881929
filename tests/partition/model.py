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
from streams.kafka.errors import FencedError, MigratedError
from streams.kafka.fetch import Seek, SeekResult
from streams.kafka.limits import Limits, spare
from streams.kafka.records import NO_HEADERS, Commit, Header
from streams.kafka.standing import Membership, Standing
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.partition.context import Context
from streams.partition.outputs import Router
from streams.partition.pacing import Pace, Pacing
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
    """One partition: a source, a changelog and what was emitted, and the group that gives the partition out.

    A worker commits as long as the group is in the generation in which the worker has it; one from before, which
    commits by the partition's own id, as long as nobody has fenced that after it.
    """

    def __init__(self) -> None:
        self.name = "topic 1 of cluster 1"
        self.source: list[Source] = []
        self.source_start = self.source_end = 0
        self.changelog: list[tuple[int, bytes, bytes | None]] = []
        self.changelog_end = 0
        self.emitted: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
        self.group: dict[str, int] = {}
        self.generation = 0
        self.groups = 0  # that it has forgotten: each begins at the first generation, and knows none of the members
        self.epoch = 0  # of the partition's own id
        self.open: list[UnderWay] = []

    def end_open(self, *, but: "ModelProducer", own_id_only: bool = False) -> None:
        """End what others have open, as they have decided; without a decision it is aborted."""
        for one in [one for one in self.open if one.producer is not but and (one.is_own or not own_id_only)]:
            self.end(one, commits=one.is_decided)

    def end(self, one: "UnderWay", *, commits: bool) -> None:
        """End a transaction."""
        self.open.remove(one)
        one.offset = self.commit(one.commit) if commits else None

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


class UnderWay:
    """A transaction at the broker: `is_own` if it is by the partition's own id, `is_decided` if it will commit."""

    def __init__(self, producer: "ModelProducer", commit: Commit) -> None:
        self.producer = producer
        self.commit = commit
        self.is_own = producer.is_own
        self.era = producer.era
        self.epoch = producer.epoch
        self.membership = producer.standing.membership
        self.has_offsets = self.is_decided = False
        self.offset: int | None = None
        self.arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class ModelProducer:
    """A producer at that broker; `fault` is what the next commit meets.

    With `holds` a commit is on its way until `arrive`, also if the task has given it up: then it ends when the
    partition is opened anew, in the way that `lands` says. With `is_old` it is a worker's from before.
    """

    def __init__(self, broker: Broker, *, is_old: bool = False) -> None:
        self.broker = broker
        self.is_old = self.is_own = is_old
        self.standing = Standing("group")
        self.name = f"member {id(self)}"
        self.epoch = -1
        self.era: int | None = None
        self.fault = ""
        self.holds = self.lands = False
        self.under_way: UnderWay | None = None

    @property
    def member(self) -> str:
        return f"{self.name} of group {self.broker.groups}"

    def join(self, *, has_it: bool, is_shared: bool = True) -> None:
        """Hear what the group's newest generation is."""
        partitions = frozenset({0} if has_it else ())
        is_shared = is_shared and not self.is_old
        self.standing.join(Membership("group", self.broker.generation, self.member, None, partitions, is_shared))

    async def fence(self) -> None:
        broker = self.broker
        self.finish()
        self.era = self.standing.era(0)
        if self.era is None:
            raise FencedError("not this worker's")
        self.is_own = not self.standing.membership.is_shared
        if self.is_own or broker.epoch:
            broker.epoch += 1
            broker.end_open(but=self, own_id_only=True)
        self.epoch = broker.epoch
        if not self.is_old:
            broker.end_open(but=self)

    def finish(self) -> None:
        """End what is on its way, which the task has given up, if nobody else has."""
        one, self.under_way = self.under_way, None
        if one in self.broker.open:
            self.broker.end(one, commits=one.is_decided or (self.lands and self._may_commit(one)))

    def _may_commit(self, one: UnderWay) -> bool:
        """Say whether the broker takes the offsets, or did."""
        if one.is_own and one.epoch != self.broker.epoch:
            return False
        if self.is_old or one.has_offsets:
            return True
        if one.membership.generation != self.broker.generation and self.standing.era(0) == one.era:
            one.membership = self.standing.membership
        known = one.membership
        is_known = (known.generation, known.member) == (self.broker.generation, self.member)
        return is_known and 0 in known.partitions

    def output(self, topic: str = "") -> Records:
        return Records()

    def go_on(self, *, decides: bool) -> None:
        """Let what is on its way get the group's offsets, and perhaps be decided on."""
        one = self.under_way
        if one is not None and one in self.broker.open and self._may_commit(one):
            one.has_offsets = True
            one.is_decided |= decides

    def arrive(self, fault: str) -> None:
        if self.under_way is not None and not self.under_way.arrival.done():
            self.fault = fault
            self.under_way.arrival.set_result(None)

    async def commit(self, commit: Commit) -> int:
        if not self.is_old and self.era != self.standing.era(0):
            raise MigratedError("another's meanwhile")
        one = self.under_way = UnderWay(self, commit)
        self.broker.open.append(one)
        if self.holds:
            await one.arrival
        self.under_way = None
        return self._end(one)

    def _end(self, one: UnderWay) -> int:
        fault, self.fault = self.fault, ""
        if one not in self.broker.open:
            if one.offset is None:
                raise MigratedError("fenced")
            return one.offset
        if fault.endswith("before") or not (one.is_decided or self._may_commit(one)):
            self.broker.end(one, commits=one.is_decided)
            raise Crash if fault == "crash before" else MigratedError("timed out")
        self.broker.end(one, commits=True)
        if fault == "lost after":
            raise MigratedError("timed out")
        if fault == "crash after":
            raise Crash
        assert one.offset is not None
        return one.offset

    async def close(self) -> None:
        self.epoch, self.era = -1, None


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
    pacing = shared.pop("pacing", Pacing(timedelta()))
    producer = ModelProducer(broker, is_old=shared.pop("is_old", False))
    producer.join(has_it=True)
    context = Context(
        **{
            "journeys": lambda: journeys,
            "pace": Pace(pacing, START),
            "decide": decide,
        }
        | shared
    )

    async def open_() -> OrderedMap:
        return open_map()

    task = task_type(0, partitions, producer, ModelChangelog(broker), open_, context)
    task.queue.assign(0, seek)
    return task
