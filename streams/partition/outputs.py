"""Where what was decided goes: topic, partition, value and headers of every effect, and of every dead letter."""

from datetime import datetime
from typing import Any

import msgspec

from streams.engine.cloudevents import cloudevent_headers
from streams.engine.effects import Activity, Command, Effect, Forward, ProfileUpdate
from streams.engine.inputs import FailWait, Sweep
from streams.engine.payload import Rejection
from streams.kafka.fetch import SourceRecord
from streams.kafka.partitioner import partition_of
from streams.kafka.records import MAX_RECORD, NO_HEADERS, Destination, Header
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES

_write = msgspec.json.Encoder().encode


class OversizeError(Exception):
    """What is to be written is larger than the topic takes; the sentence says how large."""


OutgoingRecord = tuple[Destination, bytes | None, bytes | None, list[Header]]
"""A record that goes out with the transaction: where to, its key, value and headers."""


class Router:
    """The ways out of one partition of `partitions`."""

    def __init__(self, partition: int, partitions: int, *, cloudevents: bool = False) -> None:
        self.partition = partition
        self.partitions = partitions
        self._describe = _describe_cloudevent if cloudevents else _describe
        self._activity = (ACTIVITY, partition)
        self._commands = (COMMANDS, partition)
        self._profile_updates = (PROFILE_UPDATES, partition)
        self._dead_letters = (DEAD_LETTERS, partition)

    def route(self, key: bytes, effect: Effect) -> OutgoingRecord:
        """Return the record of an effect for this key; raises OversizeError."""
        if type(effect) is Activity:
            return self._activity, key, _encode(effect), NO_HEADERS
        if type(effect) is Command:
            return self._commands, key, _encode(effect.value), self._describe(effect)
        if type(effect) is ProfileUpdate:
            return self._profile_updates, key, _encode(effect), NO_HEADERS
        assert type(effect) is Forward
        there = partition_of(effect.key, self.partitions)
        return (INBOX, there), effect.key, _encode(effect.message), NO_HEADERS

    def dead_letter(self, topic: str, record: SourceRecord, problem: Rejection, now: datetime) -> OutgoingRecord:
        """Return a dead letter: key, value and headers as they came, and why the record could not be used."""
        value = record.value
        headers = [
            *record.headers,
            *_explain(problem, now),
            ("dlq.topic", topic.encode()),
            ("dlq.partition", str(self.partition).encode()),
            ("dlq.offset", str(record.offset).encode()),
            ("dlq.timestamp", str(record.timestamp).encode()),
        ]
        if value is not None and len(value) > MAX_RECORD:  # compressed it fitted, plain it would not
            headers.append(("dlq.truncated", str(len(value)).encode()))
            value = value[:MAX_RECORD]
        return self._dead_letters, record.key, value, headers

    def notice(self, key: bytes, given: FailWait | Sweep, problem: Rejection, now: datetime) -> OutgoingRecord:
        """Return a dead letter for what came of no record: what was done, and why it could not be told in full."""
        return self._dead_letters, key, _write(given), _explain(problem, now)


def _explain(problem: Rejection, now: datetime) -> list[Header]:
    return [
        ("dlq.code", problem.code.encode()),
        ("dlq.reason", problem.reason.encode()),
        ("dlq.at", now.isoformat().encode()),
    ]


def _encode(message: Any) -> bytes:
    value = _write(message)
    if len(value) > MAX_RECORD:
        raise OversizeError(f"What comes of it has {len(value)} bytes, but {MAX_RECORD} fit.")
    return value


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
