"""Publish a producer's outbox: a row goes once Kafka has its event, so a crash may repeat events but loses none."""

import asyncio
import os
import signal

import asyncpg
from aiokafka import AIOKafkaProducer

SLICE = 500
IDLE_SECONDS = 0.2
OLDEST = "SELECT position, topic, key, event::text, traceparent FROM outbox ORDER BY position LIMIT $1 FOR UPDATE"


async def publish(database: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
    """Publish the oldest rows and return how many; what fails stays, and is published again with the same ids."""
    async with database.transaction():
        rows = await database.fetch(OLDEST, SLICE)
        arrivals = []
        for _, topic, key, event, traceparent in rows:
            headers = [("traceparent", traceparent.encode())] if traceparent else None
            arrivals.append(await producer.send(topic, event.encode(), key.encode(), headers=headers))
        await asyncio.gather(*arrivals)
        await database.execute("DELETE FROM outbox WHERE position = ANY($1)", [row["position"] for row in rows])
    return len(rows)


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    producer = AIOKafkaProducer(  # its default partitioner is Java's
        bootstrap_servers=os.environ["KAFKA_BROKERS"],
        enable_idempotence=True,  # and with it acks=all
        compression_type="snappy",
        linger_ms=5,
    )
    async with producer:
        while not stop.is_set():
            if await publish(database, producer) == 0:
                await asyncio.sleep(IDLE_SECONDS)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
