"""Independent readers by another library, committed records only: one reads along, others at the end."""

import threading
from bisect import bisect_right
from collections import Counter, defaultdict

import msgspec
from confluent_kafka import Consumer, TopicPartition

from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS
from tests import client

_TOPICS = (COMMANDS, DEAD_LETTERS)


def _consumer(address: str, group: str) -> Consumer:
    return Consumer({
        "bootstrap.servers": address, "group.id": group, "enable.auto.commit": False,
        "isolation.level": "read_committed", "auto.offset.reset": "earliest", "reconnect.backoff.max.ms": 500,
        "log_level": 2, "check.crcs": True,
    })  # fmt: skip


def _header(message, name: str) -> bytes:
    return next((value for key, value in message.headers() or () if key == name), b"")


class Witness:
    """Reads commands and dead letters while the faults happen, and notes when each partition moved."""

    def __init__(self, address: str, partitions: int) -> None:
        self.partitions = partitions
        self.commands: Counter[bytes] = Counter()
        self.buried: Counter[bytes] = Counter()
        self.moments: defaultdict[int, list[float]] = defaultdict(list)
        self._consumer = _consumer(address, "witness")
        self._ending = threading.Event()
        places = [TopicPartition(topic, number, 0) for topic in _TOPICS for number in range(partitions)]
        self._consumer.assign(places)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ending.is_set():
            for message in self._consumer.consume(1000, 0.2):
                if message.error() is None:
                    self._note(message)

    def _note(self, message) -> None:
        if message.topic() == DEAD_LETTERS:
            self.buried[_header(message, "poison")] += 1
            return
        self.commands[_header(message, "command-id")] += 1
        moments, at = self.moments[message.partition()], message.timestamp()[1] / 1000
        if not moments or at > moments[-1]:
            moments.append(at)

    def moved_since(self, moment: float) -> float | None:
        """Return when the last partition sent its first command after this moment; None if one has not yet."""
        firsts = []
        for partition in range(self.partitions):
            moments = self.moments[partition]
            place = bisect_right(moments, moment)
            if place == len(moments):
                return None
            firsts.append(moments[place])
        return max(firsts)

    def close(self) -> None:
        self._ending.set()
        self._thread.join(30)
        self._consumer.close()


def command_ids(address: str) -> Counter[bytes]:
    """Return how often each command stands on its topic, read from the beginning."""
    records = client.read_committed(address, COMMANDS)
    return Counter(dict(record.headers)["command-id"] for record in records)


def dead_letters(address: str) -> list[client.Record]:
    return client.read_committed(address, DEAD_LETTERS)


class _Activity(msgspec.Struct, rename="camel"):
    activity_id: str


def activity(address: str) -> defaultdict[bytes, list[str]]:
    """Return the ids of each customer's activity records, in order."""
    ids: defaultdict[bytes, list[str]] = defaultdict(list)
    read = msgspec.json.Decoder(_Activity).decode
    for record in client.read_committed(address, ACTIVITY):
        ids[record.key or b""].append(read(record.value or b"").activity_id)
    return ids


def rows(address: str, changelog: str) -> dict[bytes, bytes]:
    """Return the newest row of every key of the changelog."""
    newest: dict[bytes, bytes] = {}
    for record in client.read_committed(address, changelog):
        key, value = record.key or b"", record.value
        newest.pop(key, None)
        if value is not None:
            newest[key] = value
    return newest
