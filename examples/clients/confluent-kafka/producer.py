"""Publish a producer's outbox: a row goes once Kafka has its event, so a crash may repeat events but loses none."""

import os
import signal
from threading import Event

import psycopg
from confluent_kafka import KafkaException, Message, Producer

SLICE = 500
IDLE_SECONDS = 0.2
OLDEST = "SELECT position, topic, key, event::text, traceparent FROM outbox ORDER BY position LIMIT %s FOR UPDATE"


def make_producer() -> Producer:
    return Producer({
        "bootstrap.servers": os.environ["KAFKA_BROKERS"],
        "partitioner": "murmur2_random",  # librdkafka's own default puts most keys on other partitions than Java's
        "enable.idempotence": True,  # and with it acks=all
        "compression.type": "snappy",
    })  # fmt: skip


def publish(database: psycopg.Connection, producer: Producer) -> int:
    """Publish the oldest rows and return how many; what fails stays, and is published again with the same ids."""
    with database.transaction():
        rows = database.execute(OLDEST, [SLICE]).fetchall()
        for _, topic, key, event, traceparent in rows:
            headers = {"traceparent": traceparent} if traceparent else None
            producer.produce(topic, event.encode(), key.encode(), headers=headers, on_delivery=check)
        producer.flush()
        database.execute("DELETE FROM outbox WHERE position = ANY(%s)", [[position for position, *_ in rows]])
    return len(rows)


def check(error: Exception | None, _: Message) -> None:
    """Raise, from `flush`, what kept an event from Kafka."""
    if error is not None:
        raise KafkaException(error)


def main() -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    producer = make_producer()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        while not stop.is_set():
            if publish(database, producer) == 0:
                stop.wait(IDLE_SECONDS)


if __name__ == "__main__":
    main()
