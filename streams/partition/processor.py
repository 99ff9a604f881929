"""Brings every input to the customer or the places that it is for, and every effect to its topic.

It goes over a slice of records in rounds: decode all, look all their customers up, decide about all, encode all,
write all. What does one thing at a time stays in the processor's cache (docs/decisions/031-speed.md).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import compress
from typing import Any

import msgspec

from models.customer import Customer
from models.ids import customer_key
from models.limits import find_bad_id
from models.messages import Source
from streams.engine.admission import Places, decide
from streams.engine.advance import advance, is_of_use
from streams.engine.cloudevents import cloudevent_headers
from streams.engine.decoding import decode
from streams.engine.effects import Activity, Command, Effect, Forward, Outcome, ProfileUpdate
from streams.engine.inputs import (
    Arrived,
    CountActive,
    CustomerInput,
    Enroll,
    Exit,
    InboxMessage,
    PlacesInput,
)
from streams.engine.journeys import Journeys
from streams.engine.leaving import places_key
from streams.engine.payload import Rejection, check_data, is_too_deep
from streams.errors import FairwayError
from streams.kafka.fetch import SourceRecord
from streams.kafka.partitioner import partition_of
from streams.kafka.records import MAX_RECORD, NO_HEADERS, Destination, Header
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.partition.transaction import OversizeKeyError, Transaction, encode_row

_PLACES = places_key("")  # what the keys of places begin with
_PARTITIONS = b":partitions"

_DEEPEST = 200  # levels of JSON: a profile has a hundred at most
_FOREIGN = Rejection("schema", f"The message in '{INBOX}' is none that Fairway writes.")

_decode_message: Callable[[bytes], InboxMessage] = msgspec.json.Decoder(InboxMessage).decode
_decode_places = msgspec.json.Decoder(Places).decode
_write = msgspec.json.Encoder().encode

_Input = tuple[bytes, str, str, CustomerInput | PlacesInput]
"""An input with the key that it is for, in one piece and as tenantId and customerId."""
Advance = Callable[[Customer | None, str, str, CustomerInput, datetime, Journeys], Outcome]


class Processor:
    """The inputs of one partition of `partitions`, and where they lead."""

    def __init__(
        self, partition: int, partitions: int, decide_customer: Advance = advance, *, cloudevents: bool = False
    ) -> None:
        self.partition = partition
        self.partitions = partitions
        self._describe = _describe_cloudevent if cloudevents else _describe
        self._advance = decide_customer
        self.journeys = Journeys()
        self._activity = (ACTIVITY, partition)
        self._commands = (COMMANDS, partition)
        self._profile_updates = (PROFILE_UPDATES, partition)
        self.oversize_keys: set[bytes] = set()  # keys for which too much was to be written before

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

    def take(self, transaction: Transaction, topic: str, records: Sequence[SourceRecord], now: datetime) -> None:
        """Handle records: events, or messages of the inbox. What can't be used becomes a dead letter.

        Raises OversizeKeyError.
        """
        read = self._read_message if topic == INBOX else self._read_event
        inputs = [read(record, topic) for record in records]
        partition, partitions = self.partition, self.partitions
        keys = [given[0] if type(given) is tuple else b"" for given in inputs]
        here = [key != b"" and partition_of(key, partitions) == partition for key in keys]
        transaction.look_up([key for key in compress(keys, here) if not key.startswith(_PLACES)])
        for record, given, is_here in zip(records, inputs, here, strict=True):
            if type(given) is Rejection:
                self._dead_letter(transaction, topic, record, given, now)
            elif given is not None:
                try:
                    if is_here:
                        self._handle(transaction, *given, now)
                    else:
                        self._emit(transaction, given[0], (Forward(given[0], given[3]),))
                except OversizeKeyError as error:
                    self._dead_letter(transaction, topic, record, Rejection("too-large", str(error)), now)
        transaction.inputs += len(records)
        self.flush(transaction)

    def _read_event(self, record: SourceRecord, topic: str) -> _Input | Rejection | None:
        event = decode(record.value, record.headers, topic)
        if type(event) is Rejection:
            return event
        if not is_of_use(event, self.journeys):
            return None
        tenant_id, customer_id = event.tenant_id, event.customer_id
        given = Arrived(event, Source(topic, self.partition, record.offset))
        return customer_key(tenant_id, customer_id), tenant_id, customer_id, given

    def _read_message(self, record: SourceRecord, topic: str) -> _Input | Rejection:
        key, value = record.key or b"", record.value or b""
        if is_too_deep(value, _DEEPEST):
            return _FOREIGN
        try:
            given = _decode_message(value)
            tenant_id, _, customer_id = key.decode().partition(":")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _FOREIGN
        if fault := _find_fault(key, tenant_id, customer_id, given):
            return fault
        if (
            isinstance(given, Enroll | Exit)
            and given.source is None
            and partition_of(key, self.partitions) == self.partition
        ):
            given = msgspec.structs.replace(given, source=Source(topic, self.partition, record.offset))
        return key, tenant_id, customer_id, given

    def _handle(
        self,
        transaction: Transaction,
        key: bytes,
        tenant_id: str,
        customer_id: str,
        given: CustomerInput | PlacesInput,
        now: datetime,
    ) -> None:
        if type(given) is Arrived or not isinstance(given, PlacesInput):  # to ask for a union takes 0.3 µs
            self.advance(transaction, key, tenant_id, customer_id, given, now)
        else:
            self._decide(transaction, key, given)

    def advance(
        self,
        transaction: Transaction,
        key: bytes,
        tenant_id: str,
        customer_id: str,
        given: CustomerInput,
        now: datetime,
    ) -> None:
        """Let the engine decide, and put what comes of it into the transaction; raises OversizeKeyError."""
        before = transaction.customer(key)
        outcome = self._advance(before, tenant_id, customer_id, given, now, self.journeys)
        if key in self.oversize_keys and outcome.customer:
            encode_row(key, outcome.customer)
        if outcome.effects:
            self._emit(transaction, key, outcome.effects)
        transaction.change(key, before, outcome.customer)

    def _decide(self, transaction: Transaction, key: bytes, given: PlacesInput) -> None:
        """Let the places of a journey decide who is admitted (R5)."""
        row = transaction.row(key)
        newest = self.journeys.newest(given.journey_id)
        limit = newest.max_enrollments if newest else None
        places, answers = decide(_decode_places(row) if row else None, given, limit, self.partitions)
        self._emit(transaction, key, answers)
        transaction.put(key, places)

    def join(self, transaction: Transaction, journey_id: str, active: int) -> None:
        """Tell the places of a journey how many ACTIVE enrolments this partition has."""
        key = places_key(journey_id)
        self._emit(transaction, key, (Forward(key, CountActive(journey_id, self.partition, active)),))

    def _emit(self, transaction: Transaction, key: bytes, effects: Sequence[Effect]) -> None:
        """Leave effects to the next flush; where one was too large before, raise OversizeKeyError if one is."""
        if key in self.oversize_keys:
            for effect in effects:
                self._route(key, effect)
        transaction.effects.append((key, effects))

    def flush(self, transaction: Transaction) -> None:
        """Write what was decided, effects in order and rows; raises OversizeKeyError."""
        address = self._route
        records = [address(key, effect) for key, effects in transaction.effects for effect in effects]
        for place, key, value, headers in records:
            transaction.emit(place, key, value, headers)
        transaction.effects.clear()
        transaction.encode_changes()

    def _route(self, key: bytes, effect: Effect) -> tuple[Destination, bytes, bytes, list[Header]]:
        if type(effect) is Activity:
            return self._activity, key, _encode(key, effect), NO_HEADERS
        if type(effect) is Command:
            return self._commands, key, _encode(key, effect.value), self._describe(effect)
        if type(effect) is ProfileUpdate:
            return self._profile_updates, key, _encode(key, effect), NO_HEADERS
        assert type(effect) is Forward
        there = partition_of(effect.key, self.partitions)
        return (INBOX, there), effect.key, _encode(key, effect.message), NO_HEADERS

    def _dead_letter(
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
        transaction.emit((DEAD_LETTERS, self.partition), record.key, value, headers)


def _find_fault(key: bytes, tenant_id: str, customer_id: str, given: InboxMessage) -> Rejection | None:
    """Say why a message of the inbox can't be used: whoever wrote it, it is held to what an event is held to."""
    is_places = key.startswith(_PLACES)
    if is_places or isinstance(given, PlacesInput):
        return None if is_places and isinstance(given, PlacesInput) else _FOREIGN
    if not tenant_id or not customer_id:
        return _FOREIGN
    if fault := find_bad_id(tenant_id, customer_id):
        return Rejection("schema", fault)
    data = check_data(given.data) if isinstance(given, Enroll) else None
    return data if isinstance(data, Rejection) else None


def _encode(key: bytes, message: Any) -> bytes:
    value = _write(message)
    if len(value) > MAX_RECORD:
        raise OversizeKeyError(key, f"What comes of it has {len(value)} bytes, but {MAX_RECORD} fit.")
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
