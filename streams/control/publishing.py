"""What people put on Kafka by hand and look at there: events and controls in, send commands out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from models.ids import customer_key
from streams.engine.check.shape import suggest
from streams.engine.decoding import Rejection, decode
from streams.engine.inputs import Enroll, Exit, RepairState
from streams.errors import FairwayError
from streams.journeys.definitions import load_catalogue
from streams.journeys.records import JourneyState
from streams.kafka.clients import deadline, producing, started
from streams.kafka.connection import client_arguments
from streams.kafka.readiness import check_writable, find_partitions
from streams.kafka.topics import COMMANDS, INBOX
from streams.settings import Settings

_BATCH_BYTES = 512 * 1024
_IN_FLIGHT = 5000  # records sent before the first of them is waited for


class OutgoingRecord(msgspec.Struct, frozen=True):
    """A record to send."""

    topic: str
    key: bytes | None
    value: bytes


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no event, by number from 1, and why."""

    number: int
    reason: str


def read_events(
    raw: Iterable[bytes], topics: frozenset[str], raw_topic: str | None
) -> Iterator[OutgoingRecord | BadLine]:
    """Yield a record for each line that holds an event, its topic by eventType; a line that is no event is bad.

    With `raw_topic`, every line goes there as it is, without a key.
    """
    for number, text in enumerate(raw, start=1):
        value = text.strip()
        if raw_topic is not None and value:
            yield OutgoingRecord(raw_topic, None, value)
        elif value:
            yield _read_event(number, value, topics)


def _read_event(number: int, value: bytes, topics: frozenset[str]) -> OutgoingRecord | BadLine:
    event = decode(value, (), "")
    if isinstance(event, Rejection):
        return BadLine(number, event.reason)
    if not event.event_type:
        return BadLine(number, "The field 'eventType' is missing, and with it the topic.")
    if event.event_type not in topics:
        return BadLine(number, f"No topic with role 'events' is named '{event.event_type}'.")
    return OutgoingRecord(event.event_type, customer_key(event.tenant_id, event.customer_id), value)


async def send(
    settings: Settings, lines: Iterable[OutgoingRecord], sent: Callable[[int], None] = lambda _: None
) -> int:
    """Send records in order and return how many; `sent` is told of each part of them that is acknowledged.

    Raises FairwayError for a topic that does not exist or may not be written, before anything is sent there.
    """
    async with producing(_producer(settings)) as producer:
        return await _send_through(producer, lines, sent)


class Sender:
    """Sends time and again through one producer, which takes longer to start than to send a little."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None

    async def send(self, lines: Iterable[OutgoingRecord]) -> int:
        """Send records as the function does; after a KafkaError, by another producer."""
        if self._producer is None:
            self._producer = await self._started.enter_async_context(producing(_producer(self._settings)))
        try:
            return await _send_through(self._producer, lines)
        except KafkaError:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop the producer."""
        self._producer = None
        await self._started.aclose()


async def _send_through(
    producer: AIOKafkaProducer, lines: Iterable[OutgoingRecord], sent: Callable[[int], None] = lambda _: None
) -> int:
    total, waiting = 0, list[asyncio.Future[Any]]()
    known = set[str]()
    for line in lines:
        if line.topic not in known:
            await check_writable(producer, line.topic)
            known.add(line.topic)
        waiting.append(await producer.send(line.topic, line.value, key=line.key))
        if len(waiting) == _IN_FLIGHT:
            total += await _settle(waiting, sent)
    return total + await _settle(waiting, sent)


async def _settle(waiting: list[asyncio.Future[Any]], sent: Callable[[int], None]) -> int:
    count = len(waiting)
    async with deadline():
        await asyncio.gather(*waiting)
    waiting.clear()
    sent(count)
    return count


def _producer(settings: Settings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client_arguments(settings),
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=_BATCH_BYTES,
        compression_type="snappy",
    )


async def control(
    settings: Settings, tenant_id: str, customer_id: str, message: Enroll | Exit | RepairState
) -> RecordMetadata:
    """Send what is asked for by hand to the customer's partition, and return where it lies."""
    async with producing(_producer(settings)) as producer:
        await check_writable(producer, INBOX)
        key = customer_key(tenant_id, customer_id)
        async with deadline():
            sent: RecordMetadata = await producer.send_and_wait(INBOX, msgspec.json.encode(message), key=key)
        return sent


async def find_journey(settings: Settings, tenant_id: str, name: str) -> JourneyState:
    """Return how a journey stands, by name or id; asks the definitions topic, so Postgres may be down."""
    catalogue = await load_catalogue(settings)
    found = catalogue.find(tenant_id, name)
    if found is None:
        meant = suggest(name, (state.name for state in catalogue.states.values() if state.tenant_id == tenant_id))
        advice = f"; did you mean '{meant}'?" if meant else "."
        raise FairwayError(f"Tenant '{tenant_id}' has no journey '{name}' that was ever published{advice}")
    return found


async def read_commands(settings: Settings, *, from_start: bool, follow: bool) -> AsyncIterator[bytes]:
    """Yield committed send commands: those that are there, or with `follow` also those to come."""
    partitions = await find_partitions(settings, COMMANDS)
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_start else "latest",
    )
    async with started(consumer):
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while follow or any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record.value
