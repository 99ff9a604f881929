"""Where what was decided goes: topic, partition, value and headers of every effect, and of every dead letter.

What is written is held to what its topic takes before it is in the transaction.
"""

from datetime import datetime

import msgspec

from models.customer import Customer, encode
from streams.engine.cloudevents import cloudevent_headers
from streams.engine.effects import Activity, Command, Effect, Forward, ProfileUpdate
from streams.engine.payload import Rejection
from streams.kafka.fetch import SourceRecord
from streams.kafka.inputs import read_input
from streams.kafka.limits import AROUND, Limits, record_size
from streams.kafka.partitioner import partition_of
from streams.kafka.records import NO_HEADERS, Destination, Header
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES


class TracedUpdate(msgspec.Struct, frozen=True, gc=False):
    """A profile update that goes out with a trace; a command has room for one itself."""

    update: ProfileUpdate
    traceparent: str


Emitted = Effect | TracedUpdate
"""What goes out: what the engine brings about, and what tracing makes of it."""

OutgoingRecord = tuple[Destination, bytes | None, bytes | None, list[Header]]
"""A record that goes out with the transaction: where to, its key, value and headers."""

_CUT = 64  # bytes of the headers that say what was cut
_LONGEST_KEY = 1200  # bytes; those of customers have less
_write = msgspec.json.Encoder().encode


class OversizeError(Exception):
    """What is to be written is larger than the topic takes; the sentence says whose it is, and how large."""


class Router:
    """The ways out of one partition of `partitions`, with as much room as the topics have."""

    def __init__(
        self, partition: int, partitions: int, changelog: str, limits: Limits, *, cloudevents: bool = False
    ) -> None:
        self.partition = partition
        self.partitions = partitions
        self.changelog = changelog
        self._limits = limits
        self._activity = (ACTIVITY, partition)
        self._commands = (COMMANDS, partition)
        self._profile_updates = (PROFILE_UPDATES, partition)
        self._dead_letters = (DEAD_LETTERS, partition)
        self._describe = _describe_cloudevent if cloudevents else _describe
        topics = (ACTIVITY, COMMANDS, PROFILE_UPDATES, INBOX, changelog)
        self._surely_fits = min(map(limits.room, topics)) - AROUND  # bytes of a value

    def route(self, key: bytes, effect: Emitted) -> OutgoingRecord:
        """Return the record of an effect for this key; raises OversizeError."""
        headers = NO_HEADERS
        if type(effect) is Activity:
            place, value = self._activity, _write(effect)
        elif type(effect) is Command:
            place, value, headers = self._commands, _write(effect.value), self._describe(effect)
        elif type(effect) is ProfileUpdate:
            place, value = self._profile_updates, _write(effect)
        elif type(effect) is TracedUpdate:
            place, value = self._profile_updates, _write(effect.update)
            headers = [("traceparent", effect.traceparent.encode())]
        else:
            assert type(effect) is Forward
            key = effect.key
            place, value = (INBOX, partition_of(key, self.partitions)), _write(effect.message)
        if len(value) > self._surely_fits:
            self._check((place, key, value, headers))
        return place, key, value, headers

    def row(self, key: bytes, customer: Customer | None) -> bytes | None:
        """Return a customer's row; raises OversizeError."""
        if customer is None:
            return None
        row = encode(customer)
        return row if len(row) <= self._surely_fits else self.internal_row(key, row)

    def internal_row(self, key: bytes, row: bytes) -> bytes:
        """Return a row as it is; raises OversizeError."""
        if len(row) > self._surely_fits:
            self._check(((self.changelog, self.partition), key, row, NO_HEADERS))
        return row

    def _check(self, record: OutgoingRecord) -> None:
        (topic, _), key, value, headers = record
        size, room = record_size(key, value, headers), self._limits.room(topic)
        if size > room:
            whose = (key or b"").decode(errors="replace")
            raise OversizeError(
                f"A record of {size} bytes for '{whose}' would go to '{topic}', which takes {room}: see its "
                "max.message.bytes."
            )

    def dead_letter(self, name: str, record: SourceRecord, problem: Rejection, now: datetime) -> OutgoingRecord:
        """Return a dead letter: key, value and headers as they came, and why the record could not be used.

        `name` is what the partition calls the topic's partition that the record came by.
        """
        topic, number = read_input(name, self.partition)
        told = [
            *_explain(problem, now),
            ("dlq.topic", topic.encode()),
            ("dlq.partition", str(number).encode()),
            ("dlq.offset", str(record.offset).encode()),
            ("dlq.timestamp", str(record.timestamp).encode()),
        ]
        return self._fit(record.key, record.value, list(record.headers), told)

    def notice(self, key: bytes, value: bytes | None, problem: Rejection, now: datetime) -> OutgoingRecord:
        """Return a dead letter for what is not in a record: what it is, and why it could not be used."""
        return self._fit(key, value, [], _explain(problem, now))

    def _fit(
        self, key: bytes | None, value: bytes | None, headers: list[Header], told: list[Header]
    ) -> OutgoingRecord:
        """Cut a dead letter to what the topic takes: its value, else also the key and headers that it came with."""
        room = self._limits.room(DEAD_LETTERS)
        if record_size(key, None, headers) > AROUND:  # so much beside the value has to fit beside other records
            room //= 2
        if record_size(key, None, [*headers, *told]) + _CUT > room:
            told.append(("dlq.headers-dropped", str(len(headers)).encode()))
            headers, key = [], (key or b"")[:_LONGEST_KEY]
        left = room - record_size(key, None, [*headers, *told]) - _CUT
        if value is not None and len(value) > left:
            told.append(("dlq.truncated", str(len(value)).encode()))
            value = value[: max(0, left)]
        return self._dead_letters, key, value, [*headers, *told]


def _explain(problem: Rejection, now: datetime) -> list[Header]:
    return [
        ("dlq.code", problem.code.encode()),
        ("dlq.reason", problem.reason.encode()),
        ("dlq.at", now.isoformat().encode()),
    ]


def _describe_cloudevent(command: Command) -> list[Header]:
    return [*_describe(command), *cloudevent_headers(command)]


def _describe(command: Command) -> list[Header]:
    """Return the headers of a command."""
    value = command.value
    headers: list[Header] = [
        ("command-id", value.command_id.encode()),
        ("tenant-id", value.tenant_id.encode()),
        ("channel", value.channel.encode()),
    ]
    if command.traceparent is not None:
        headers.append(("traceparent", command.traceparent.encode()))
    return headers
