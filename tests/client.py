"""A plain Kafka client for tests, by another library than the project's: what it sees, any consumer sees."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.dev import processes

PATIENCE = 60.0
"""Seconds, many times what is needed where nothing else runs: a busy machine is no fault of Fairway's."""

PATIENT_MEMBER = {"session_timeout_ms": 30_000, "heartbeat_interval_ms": 5_000}
"""What keeps aiokafka's consumer in its group while a test reads beside the loop on which its heartbeats run."""


class Record(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = -1
    offset: int = -1
    timestamp: int = -1


def wait_until(is_so: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Return as soon as it is so; fail after `patience` seconds."""
    assert processes.wait_until(is_so, patience), f"not so within {patience} s"


def create_topics(brokers: str, partitions: dict[str, int]) -> None:
    new = [NewTopic(name, count, 1) for name, count in partitions.items()]
    admin = AdminClient({"bootstrap.servers": brokers})
    for created in admin.create_topics(new).values():
        created.result(PATIENCE)
    wait_until(lambda: set(partitions) <= set(admin.list_topics(timeout=PATIENCE).topics))


def delete_topics(brokers: str, names: Iterable[str], *, until_unseen: bool = True) -> None:
    """Delete these topics; those that another test has deleted already are none.

    A broker lists them for a moment longer: who wants that moment says so.
    """
    admin = AdminClient({"bootstrap.servers": brokers})
    gone = set(names)
    for deleted in admin.delete_topics(list(gone)).values():
        error = deleted.exception(PATIENCE)
        if error is not None and error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise error
    if until_unseen:
        wait_until(lambda: gone.isdisjoint(admin.list_topics(timeout=PATIENCE).topics))


def produce(brokers: str, records: Iterable[Record], **config: str) -> None:
    """Write the records, each to its partition where it names one, else by its key as Java's client does."""
    failed: list[KafkaError] = []
    producer = Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random", "linger.ms": 5} | config)
    for record in records:
        place = {"partition": record.partition} if record.partition >= 0 else {}
        while True:
            try:
                producer.produce(
                    record.topic, record.value, record.key, headers=list(record.headers),
                    on_delivery=lambda error, _: failed.append(error) if error else None, **place,
                )  # fmt: skip
                break
            except BufferError:
                producer.poll(1)
    assert producer.flush(PATIENCE) == 0
    assert not failed


def await_marks(brokers: str, transactional_id: str) -> None:
    """Return when the last transaction has its mark in every partition: a broker answers a commit before that."""
    Producer({"bootstrap.servers": brokers, "transactional.id": transactional_id}).init_transactions(PATIENCE)


def read_committed(brokers: str, *topics: str) -> list[Record]:
    """Return every committed record of the topics, from their beginning to their present end."""
    consumer = Consumer({
        "bootstrap.servers": brokers, "group.id": "reader", "enable.auto.commit": False,
        "isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.partition.eof": True,
    })  # fmt: skip
    try:
        known = consumer.list_topics(timeout=PATIENCE).topics
        open_ends = {(topic, partition) for topic in topics for partition in known[topic].partitions}
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in open_ends])
        found: list[Record] = []
        while open_ends:
            message = consumer.poll(PATIENCE)
            assert message is not None, f"no end of {open_ends} within {PATIENCE} s"
            error = message.error()
            if error is None:
                found.append(_record(message))
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                open_ends.discard((message.topic(), message.partition()))
        return found
    finally:
        consumer.close()


def _record(message) -> Record:
    headers = tuple(message.headers() or ())
    return Record(message.topic(), message.key(), message.value(), headers, message.partition(), message.offset(),
                  message.timestamp()[1])  # fmt: skip
