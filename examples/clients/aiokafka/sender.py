"""Send what Fairway commands on one channel: every command once, in the order of each customer."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

CHANNEL = os.environ.get("CHANNEL", "EMAIL")
PROVIDER_URL = os.environ["PROVIDER_URL"]
OLDEST = timedelta(days=1)  # a command that could not be sent by then, since it was written, is not sent any more
PAUSES = (0.5, 1, 2, 5, 10, 30)  # seconds between tries; the last for all further ones


class UnavailableError(Exception):
    """The provider takes nothing for the moment; the same command may succeed later."""


class Sender:
    """Handles the commands of each partition one after another; holds one back while its command can't be sent."""

    def __init__(self, consumer: AIOKafkaConsumer, database: asyncpg.Pool, provider: httpx.AsyncClient) -> None:
        self.consumer = consumer
        self.database = database
        self.provider = provider
        self.tries: dict[TopicPartition, int] = {}  # of the partition's next command

    async def take(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """Handle records and commit; where the provider is unavailable, see to it that the rest comes again."""
        for record in records:
            try:
                await self.handle(record)
            except UnavailableError:
                await self.commit(partition, record.offset)
                self.hold(partition, record.offset)
                return
            self.tries.pop(partition, None)
        await self.commit(partition, records[-1].offset + 1)

    async def commit(self, partition: TopicPartition, offset: int) -> None:
        # else the partition goes to another member, which begins at the last commit and drops what is done with
        with suppress(CommitFailedError, IllegalStateError):
            await self.consumer.commit({partition: offset})

    def hold(self, partition: TopicPartition, offset: int) -> None:
        """Read nothing more of the partition for a while, and then from this offset."""
        tries = self.tries[partition] = self.tries.get(partition, 0) + 1
        if partition in self.consumer.assignment():
            self.consumer.pause(partition)
            self.consumer.seek(partition, offset)
            asyncio.get_running_loop().call_later(PAUSES[min(tries, len(PAUSES)) - 1], self.resume, partition)

    def resume(self, partition: TopicPartition) -> None:
        if partition in self.consumer.assignment():
            self.consumer.resume(partition)

    async def handle(self, record: ConsumerRecord) -> None:
        """Send the command unless it is another channel's, too old or done with; raises UnavailableError."""
        headers = dict(record.headers)
        if headers["channel"].decode().upper() != CHANNEL:
            return
        command = json.loads(record.value)
        command_id = command["commandId"]
        if await self.database.fetchval("SELECT 1 FROM handled_commands WHERE command_id = $1", command_id):
            return
        outcome = "expired" if is_expired(record, command) else await self.send(command, headers.get("traceparent"))
        await self.database.execute(
            "INSERT INTO handled_commands (command_id, outcome) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            command_id, outcome,
        )  # fmt: skip

    async def send(self, command: dict[str, Any], traceparent: bytes | None) -> str:
        """Hand the command to the provider, which knows by its key what it has sent; raises UnavailableError."""
        headers = {"Idempotency-Key": command["commandId"]}
        if traceparent:
            headers["traceparent"] = traceparent.decode()
        try:
            answer = await self.provider.post(PROVIDER_URL, json=command, headers=headers)
        except httpx.TransportError as error:
            raise UnavailableError from error
        if answer.status_code in (408, 425, 429) or answer.is_server_error:
            raise UnavailableError
        return "sent" if answer.is_success else "refused"


def is_expired(record: ConsumerRecord, command: dict[str, Any]) -> bool:
    now = datetime.now(UTC)
    written_at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    not_after = command["notAfter"]
    return now > written_at + OLDEST or (not_after is not None and now > datetime.fromisoformat(not_after))


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    consumer = AIOKafkaConsumer(
        "fairway.commands",
        bootstrap_servers=os.environ["KAFKA_BROKERS"],
        group_id=f"sender-{CHANNEL}",
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,  # it would commit what was read, not what was sent
    )
    async with (
        consumer,
        asyncpg.create_pool(os.environ["DATABASE_URL"]) as database,
        httpx.AsyncClient() as provider,
    ):
        sender = Sender(consumer, database, provider)
        while not stop.is_set():
            read = await consumer.getmany(timeout_ms=200, max_records=500)
            await asyncio.gather(*(sender.take(partition, records) for partition, records in read.items()))


if __name__ == "__main__":
    asyncio.run(main())
