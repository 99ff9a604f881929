"""The demo's play: publishes the sample, and reads along until everybody who entered a journey has left it."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from models.ids import customer_key
from streams import clock
from streams.cancellation import end_tasks
from streams.demo.sample import TENANT, make_sample
from streams.demo.tally import Tally
from streams.errors import FairwayError
from streams.kafka.clients import producing, started
from streams.kafka.connection import client_arguments
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS
from streams.settings import Settings

_PATIENCE = 60.0  # seconds for the worker to take up all partitions, and for the journeys to end
_QUIET = 1.5  # seconds without a record after which nothing more is expected
_READ = (COMMANDS, ACTIVITY, DEAD_LETTERS)

Show = Callable[[Mapping[str, Any]], None]


class Demo:
    """One run of the sample, by a name of its own, so that a second run meets new customers."""

    def __init__(self, settings: Settings, partitions: int, check: Callable[[], None], show: Show) -> None:
        self.tally = Tally()
        self._run = _base36(int(clock.timestamp()))
        self._settings = settings
        self._partitions = partitions
        self._check = check  # raises where the worker has ended
        self._show = show
        self._unready = set[str]()
        self._last = clock.steady()

    async def play(self) -> None:
        """Wait for the worker to answer on every partition, publish the sample, and read until all is done."""
        arguments = client_arguments(self._settings)
        # Each is made only when the one before is connected: one that is made and never started complains of it.
        async with (
            started(
                AIOKafkaConsumer(**arguments, isolation_level="read_committed", enable_auto_commit=False)
            ) as consumer,
            producing(AIOKafkaProducer(**arguments, enable_idempotence=True)) as producer,
        ):
            everywhere = [TopicPartition(topic, number) for topic in _READ for number in range(self._partitions)]
            consumer.assign(everywhere)
            await consumer.seek_to_end(*everywhere)
            self._reading = asyncio.create_task(self._read(consumer))
            try:
                await self._greet(producer)
                await self._publish(producer)
                await self._until(self._is_done)
            finally:
                await end_tasks(self._reading)

    async def _greet(self, producer: AIOKafkaProducer) -> None:
        """Erase one unknown customer on each partition: that leaves a record, and nothing behind."""
        found: dict[int, str] = {}
        for number in count():
            customer = f"{self._run}-nobody-{number}"
            found.setdefault(partition_of(customer_key(TENANT, customer), self._partitions), customer)
            if len(found) == self._partitions:
                break
        self._unready = set(found.values())
        for customer in found.values():
            event = {"eventId": customer, "tenantId": TENANT, "customerId": customer, "occurredAt": clock.now()}
            await producer.send_and_wait(
                "customer.deleted", msgspec.json.encode(event), key=customer_key(TENANT, customer)
            )
        if not await self._until(lambda: not self._unready):
            raise FairwayError(f"The worker did not take up all partitions within {_PATIENCE:.0f} seconds.")

    async def _publish(self, producer: AIOKafkaProducer) -> None:
        start = clock.steady()
        for sample in make_sample(self._run, clock.now()):
            await asyncio.sleep(max(0, start + sample.after - clock.steady()))
            self.tally.publish(sample.event_id, clock.steady())
            await producer.send(sample.topic, sample.value, key=sample.key)
        await producer.flush()
        self._last = clock.steady()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        mine = f"{TENANT}:{self._run}-".encode()
        while True:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    if record.key is not None and record.key.startswith(mine):
                        self._receive(record)

    def _receive(self, record: Any) -> None:
        self._last = clock.steady()
        if record.topic == DEAD_LETTERS:
            self.tally.receive_dead_letter(dict(record.headers)["dlq.code"].decode())
            return
        value = msgspec.json.decode(record.value)
        if record.topic == ACTIVITY:
            self._unready.discard(value["customerId"])
            self.tally.receive_activity(value)
        elif self.tally.receive_command(value, self._last):
            self._show(value)

    def _is_done(self) -> bool:
        return not self.tally.open and clock.steady() - self._last > _QUIET

    async def _until(self, is_so: Callable[[], bool]) -> bool:
        deadline = clock.steady() + _PATIENCE
        while not is_so() and clock.steady() < deadline:
            self._check()
            if self._reading.done():
                self._reading.result()  # for its error
            await asyncio.sleep(0.05)
        return is_so()


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return (_base36(number // 36) if number >= 36 else "") + digits[number % 36]
