"""Brings every input to the customer or the places that it is for, and every effect to its topic."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from models.customer import Customer, encode
from models.ids import customer_key
from models.messages import Source
from streams.decoding import Rejection, decode
from streams.engine.admission import Places, decide
from streams.engine.advance import advance, is_of_use
from streams.engine.effects import Activity, Command, Effect, Forward, Outcome, ProfileUpdate
from streams.engine.inputs import (
    Arrived,
    Ask,
    CustomerInput,
    Enroll,
    Exit,
    InboxMessage,
    Join,
    PlacesInput,
    Release,
)
from streams.engine.journeys import Journeys
from streams.errors import FairwayError
from streams.fetch import SourceRecord
from streams.partitioner import partition_of
from streams.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.transaction import MAX_RECORD, Destination, Record, Transaction

_PLACES = b":places:"
_PARTITIONS = b":partitions"

_read_message: Callable[[bytes], InboxMessage] = msgspec.json.Decoder(InboxMessage).decode
_read_places = msgspec.json.Decoder(Places).decode
_write = msgspec.json.Encoder().encode

Advance = Callable[[Customer | None, str, str, CustomerInput, datetime, Journeys], Outcome]


class OversizeError(Exception):
    """What one input would write is too large for the broker."""


class Dispatch:
    """The inputs of one partition of `partitions`, and where they lead."""

    def __init__(self, partition: int, partitions: int, decide_customer: Advance = advance) -> None:
        self.partition = partition
        self.partitions = partitions
        self._advance = decide_customer
        self.journeys = Journeys()
        self._activity = (ACTIVITY, partition)
        self._commands = (COMMANDS, partition)
        self._profile_updates = (PROFILE_UPDATES, partition)
        self.careful: set[bytes] = set()  # keys whose rows have become too large before

    def claim(self, transaction: Transaction) -> None:
        """Note in the state how many partitions there are; raises FairwayError if there were others."""
        row = transaction.row(_PARTITIONS)
        if row is None:
            transaction.put(_PARTITIONS, self.partitions)
            transaction.inputs += 1
        elif int(row) != self.partitions:
            raise FairwayError(
                f"The state of partition {self.partition} was made when there were {int(row)} partitions, and now "
                f"there are {self.partitions}: most customers' events would come to one that does not know them. "
                "Make the topics anew with the first number, or start afresh with another FAIRWAY_APP_ID."
            )

    def take(self, transaction: Transaction, topic: str, record: SourceRecord, now: datetime) -> None:
        """Handle a record: an event, or a message of the inbox. What can't be used becomes a dead letter."""
        try:
            if topic == INBOX:
                self._take_message(transaction, record, now)
            else:
                self._take_event(transaction, topic, record, now)
        except OversizeError as error:
            self._bury(transaction, topic, record, Rejection("too-large", str(error)), now)

    def _take_event(self, transaction: Transaction, topic: str, record: SourceRecord, now: datetime) -> None:
        event = decode(record.value, record.headers, topic)
        if type(event) is Rejection:
            self._bury(transaction, topic, record, event, now)
            return
        if not is_of_use(event, self.journeys):
            return
        key = customer_key(event.tenant_id, event.customer_id)
        given = Arrived(event, Source(topic, self.partition, record.offset))
        if partition_of(key, self.partitions) == self.partition:
            self.advance(transaction, key, event.tenant_id, event.customer_id, given, now)
        else:
            self._forward(transaction, Forward(key, given))

    def _take_message(self, transaction: Transaction, record: SourceRecord, now: datetime) -> None:
        key = record.key or b""
        try:
            given = _read_message(record.value or b"")
            tenant_id, separator, customer_id = key.decode().partition(":")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            tenant_id = separator = customer_id = ""
        is_places = key.startswith(_PLACES)
        if not separator or not customer_id or (is_places != isinstance(given, PlacesInput)):
            problem = Rejection("schema", f"The message in '{INBOX}' is none that Fairway writes.")
            self._bury(transaction, INBOX, record, problem, now)
        elif partition_of(key, self.partitions) != self.partition:
            self._forward(transaction, Forward(key, given))
        elif isinstance(given, Ask | Release | Join):
            self._decide(transaction, key, given)
        else:
            if isinstance(given, Enroll | Exit) and given.source is None:
                source = Source(INBOX, self.partition, record.offset)
                given = msgspec.structs.replace(given, source=source)
            self.advance(transaction, key, tenant_id, customer_id, given, now)

    def advance(
        self,
        transaction: Transaction,
        key: bytes,
        tenant_id: str,
        customer_id: str,
        given: CustomerInput,
        now: datetime,
    ) -> None:
        """Let the engine decide, and put what comes of it into the transaction; raises OversizeError."""
        before = transaction.customer(key)
        outcome = self._advance(before, tenant_id, customer_id, given, now, self.journeys)
        if key in self.careful and outcome.customer and len(encode(outcome.customer)) > MAX_RECORD:
            raise OversizeError(f"The customer's row would be larger than {MAX_RECORD} bytes.")
        if outcome.effects:
            self._emit(transaction, key, outcome.effects)
        transaction.change(key, before, outcome.customer)

    def _decide(self, transaction: Transaction, key: bytes, given: PlacesInput) -> None:
        """Let the places of a journey decide who is admitted (R5)."""
        row = transaction.row(key)
        newest = self.journeys.newest(given.journey_id)
        limit = newest.max_enrollments if newest else None
        places, answers = decide(_read_places(row) if row else None, given, limit, self.partitions)
        transaction.put(key, places)
        self._emit(transaction, key, answers)

    def _emit(self, transaction: Transaction, key: bytes, effects: Sequence[Effect]) -> None:
        """Emit all of them or, if one is too large, none."""
        transaction.emit([self._address(key, effect) for effect in effects])

    def _address(self, key: bytes, effect: Effect) -> tuple[Destination, Record]:
        if type(effect) is Activity:
            return self._activity, Record(key, _encode(effect))
        if type(effect) is Command:
            return self._commands, Record(key, _encode(effect.value), _headers(effect))
        if type(effect) is ProfileUpdate:
            return self._profile_updates, Record(key, _encode(effect))
        assert type(effect) is Forward
        there = partition_of(effect.key, self.partitions)
        return (INBOX, there), Record(effect.key, _encode(effect.message))

    def _forward(self, transaction: Transaction, forward: Forward) -> None:
        self._emit(transaction, forward.key, (forward,))

    def join(self, transaction: Transaction, journey_id: str, active: int) -> None:
        """Tell the places of a journey how many ACTIVE enrolments this partition has."""
        message = Join(journey_id, self.partition, active)
        self._forward(transaction, Forward(_PLACES + journey_id.encode(), message))

    def _bury(
        self, transaction: Transaction, topic: str, record: SourceRecord, problem: Rejection, now: datetime
    ) -> None:
        """Emit a dead letter: key, value and headers as they came, and why it could not be used."""
        value = record.value
        headers = [
            *record.headers,
            ("dlq.code", problem.code.encode()),
            ("dlq.reason", problem.reason.encode()),
            ("dlq.topic", topic.encode()),
            ("dlq.partition", str(self.partition).encode()),
            ("dlq.offset", str(record.offset).encode()),
            ("dlq.timestamp", str(record.timestamp).encode()),
            ("dlq.at", now.isoformat().encode()),
        ]
        if value is not None and len(value) > MAX_RECORD:  # compressed it fitted, plain it would not
            headers.append(("dlq.truncated", str(len(value)).encode()))
            value = value[:MAX_RECORD]
        transaction.emit([((DEAD_LETTERS, self.partition), Record(record.key, value, headers))])


def _encode(message: Any) -> bytes:
    value = _write(message)
    if len(value) > MAX_RECORD:
        raise OversizeError(f"What comes of it has {len(value)} bytes, but {MAX_RECORD} fit.")
    return value


def _headers(command: Command) -> list[tuple[str, bytes | None]]:
    value = command.value
    headers: list[tuple[str, bytes | None]] = [
        ("command-id", value.command_id.encode()),
        ("tenant-id", value.tenant_id.encode()),
        ("channel", value.channel.encode()),
    ]
    if command.traceparent is not None:
        headers.append(("traceparent", command.traceparent.encode()))
    return headers
