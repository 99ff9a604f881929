"""Send what Fairway commands on one channel: every command once, in the order of each customer."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from threading import Event
from time import monotonic
from typing import Any

import httpx
import psycopg
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

CHANNEL = os.environ.get("CHANNEL", "EMAIL")
PROVIDER_URL = os.environ["PROVIDER_URL"]
OLDEST = timedelta(days=1)  # a command that could not be sent by then, since it was written, is not sent any more
PAUSES = (0.5, 1, 2, 5, 10, 30)  # seconds between tries; the last for all further ones


class UnavailableError(Exception):
    """The provider takes nothing for the moment; the same command may succeed later."""


def make_consumer() -> Consumer:
    consumer = Consumer({
        "bootstrap.servers": os.environ["KAFKA_BROKERS"],
        "group.id": f"sender-{CHANNEL}",
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "enable.auto.offset.store": False,  # commits, every few seconds, only what `store_offsets` named
    })  # fmt: skip
    consumer.subscribe(["fairway.commands"])
    return consumer


class Sender:
    """Handles commands one after another; holds a partition back while its command can't be sent."""

    def __init__(self, consumer: Consumer, database: psycopg.Connection, provider: httpx.Client) -> None:
        self.consumer = consumer
        self.database = database
        self.provider = provider
        self.tries: dict[int, int] = {}  # by partition, of its next command
        self.resume_at: dict[int, float] = {}

    def take(self, message: Message) -> None:
        """Handle a message, or hold its partition back and see to it that the message comes again."""
        partition = message.partition()
        try:
            self.handle(message)
        except UnavailableError:
            tries = self.tries[partition] = self.tries.get(partition, 0) + 1
            self.resume_at[partition] = monotonic() + PAUSES[min(tries, len(PAUSES)) - 1]
            self.consumer.pause([TopicPartition(message.topic(), partition)])
            self.consumer.seek(TopicPartition(message.topic(), partition, message.offset()))
        else:
            self.tries.pop(partition, None)
            self.consumer.store_offsets(message)

    def resume(self) -> None:
        """Let the partitions go on whose pause is over."""
        for partition in [partition for partition, at in self.resume_at.items() if at <= monotonic()]:
            del self.resume_at[partition]
            held = TopicPartition("fairway.commands", partition)
            if held in self.consumer.assignment():
                self.consumer.resume([held])

    def handle(self, message: Message) -> None:
        """Send the command unless it is another channel's, too old or done with; raises UnavailableError."""
        headers = dict(message.headers() or ())
        if headers["channel"].decode().upper() != CHANNEL:
            return
        command = json.loads(message.value())
        command_id = command["commandId"]
        if self.database.execute("SELECT 1 FROM handled_commands WHERE command_id = %s", [command_id]).fetchone():
            return
        outcome = "expired" if is_expired(message, command) else self.send(command, headers.get("traceparent"))
        self.database.execute(
            "INSERT INTO handled_commands (command_id, outcome) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [command_id, outcome],
        )

    def send(self, command: dict[str, Any], traceparent: bytes | None) -> str:
        """Hand the command to the provider, which knows by its key what it has sent; raises UnavailableError."""
        headers = {"Idempotency-Key": command["commandId"]}
        if traceparent:
            headers["traceparent"] = traceparent.decode()
        try:
            answer = self.provider.post(PROVIDER_URL, json=command, headers=headers)
        except httpx.TransportError as error:
            raise UnavailableError from error
        if answer.status_code in (408, 425, 429) or answer.is_server_error:
            raise UnavailableError
        return "sent" if answer.is_success else "refused"


def is_expired(message: Message, command: dict[str, Any]) -> bool:
    now = datetime.now(UTC)
    written_at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    not_after = command["notAfter"]
    return now > written_at + OLDEST or (not_after is not None and now > datetime.fromisoformat(not_after))


def main() -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    consumer = make_consumer()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database, httpx.Client() as provider:
        sender = Sender(consumer, database, provider)
        try:
            while not stop.is_set():
                sender.resume()
                message = consumer.poll(0.2)
                if message is None:
                    continue
                if message.error():
                    raise KafkaException(message.error())
                sender.take(message)
        finally:
            consumer.close()  # commits what was stored, and leaves the group at once


if __name__ == "__main__":
    main()
