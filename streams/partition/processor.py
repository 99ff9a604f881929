"""Brings every input to the customer or the places that it is for, and what comes of it into the transaction.

It goes over a slice of records in rounds: decode all, look all their customers up, decide about all, encode all,
write all. What does one thing at a time stays in the processor's cache (docs/decisions/031-speed.md).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import compress

from models.customer import Customer
from models.ids import CustomerKey
from streams.engine.admission import decide
from streams.engine.advance import advance
from streams.engine.effects import Forward, Outcome
from streams.engine.inputs import Arrived, CountActive, CustomerInput, PlacesInput
from streams.engine.journeys import Journeys
from streams.engine.leaving import places_key
from streams.engine.payload import Rejection
from streams.kafka.fetch import SourceRecord
from streams.kafka.inputs import read_input
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import INBOX
from streams.partition.inputs import Addressed, AddressedToPlaces, AddressedToRow, read_event, read_message
from streams.partition.internal_rows import read_places
from streams.partition.metrics import Tally
from streams.partition.outputs import Router
from streams.partition.repair import repair
from streams.partition.transaction import Slice, Transaction

Advance = Callable[[Customer | None, CustomerKey, CustomerInput, datetime, Journeys], Outcome]
Given = Addressed | AddressedToPlaces | AddressedToRow | Rejection
"""What a record holds."""


class Processor:
    """The inputs of one partition."""

    def __init__(self, router: Router, decide_customer: Advance = advance) -> None:
        self.router = router
        self._advance = decide_customer
        self.journeys = Journeys()

    def take(self, transaction: Transaction, name: str, records: Sequence[SourceRecord], now: datetime) -> None:
        """Handle records: events, or messages of the inbox; raises whatever goes wrong, and has done nothing.

        `name` is what the partition calls the topic's partition that they come by (`streams.kafka.inputs`).
        """
        read, partition, partitions = self.reader(name), self.router.partition, self.router.partitions
        inputs = [(record, given) for record in records if (given := read(record)) is not None]
        keys = [given[0].raw if type(given) is tuple else b"" for _, given in inputs]
        here = [key != b"" and partition_of(key, partitions) == partition for key in keys]
        with transaction.slice(compress(keys, here)) as slice_:
            for (record, given), is_here in zip(inputs, here, strict=True):
                if is_here and type(given) is tuple:
                    self.advance(slice_, given[0], given[1], now)
                else:
                    self.pass_on(slice_, name, record, given, now)
        topic, _ = read_input(name, partition)
        if topic != INBOX:
            _note_events(transaction.tally, topic, len(records), [given for _, given in inputs], sum(here))

    def reader(self, name: str) -> Callable[[SourceRecord], Given | None]:
        """Return what reads a record of this topic's partition: None if nobody wants what it holds."""
        topic, number = read_input(name, self.router.partition)
        if topic == INBOX:
            return partial(read_message, number, self.router.partitions)
        return partial(read_event, topic, number, self.journeys)

    def is_here(self, key: bytes) -> bool:
        """Say whether a row lies on this partition."""
        return partition_of(key, self.router.partitions) == self.router.partition

    def advance(self, slice_: Slice, key: CustomerKey, given: CustomerInput, now: datetime) -> None:
        """Let the engine decide, and add what comes of it to the slice."""
        raw = key.raw
        before = slice_.customer(raw)
        slice_.apply(raw, before, self._advance(before, key, given, now, self.journeys))

    def decide(self, before: Customer | None, key: CustomerKey, given: CustomerInput, now: datetime) -> Outcome:
        """Return what the engine decides, and do nothing about it."""
        return self._advance(before, key, given, now, self.journeys)

    def pass_on(self, slice_: Slice, name: str, record: SourceRecord, given: Given, now: datetime) -> None:
        """Handle what is not for a customer of this partition, or for nobody: the less frequent inputs."""
        match given:
            case Rejection():
                slice_.put_aside(self.router.dead_letter(name, record, given, now), given)
            case AddressedToPlaces(raw=raw, given=content) if self.is_here(raw):
                self._decide_places(slice_, raw, content)
            case AddressedToPlaces(raw=raw, given=content):
                slice_.emit(raw, (Forward(raw, content),))
            case AddressedToRow(key=key, given=request) if self.is_here(key.raw):
                repair(slice_, self.router, (name, record), key, request, now)
            case AddressedToRow(key=key, given=request):
                slice_.emit(key.raw, (Forward(key.raw, request),))
            case (key, content):
                slice_.emit(key.raw, (Forward(key.raw, content),))

    def _decide_places(self, slice_: Slice, raw: bytes, given: PlacesInput) -> None:
        """Let the places of a journey decide who is admitted (R5)."""
        row = slice_.row(raw)
        newest = self.journeys.newest(given.journey_id)
        limit = newest.max_enrollments if newest else None
        places, answers = decide(read_places(row) if row else None, given, limit, self.router.partitions)
        slice_.emit(raw, answers)
        slice_.put(raw, places)

    def join(self, slice_: Slice, journey_id: str, active: int) -> None:
        """Tell the places of a journey how many ACTIVE enrolments this partition has."""
        key = places_key(journey_id)
        slice_.emit(key, (Forward(key, CountActive(journey_id, self.router.partition, active)),))


def _note_events(tally: Tally, topic: str, records: int, inputs: Sequence[Given], used: int) -> None:
    """Note what became of the events of a slice, and when the first that is used occurred: they came together."""
    first = next((given[1] for given in inputs if type(given) is tuple), None)
    if isinstance(first, Arrived):
        tally.note_age(first.event.occurred_at)
    bad = sum(type(given) is Rejection for given in inputs) if used < len(inputs) else 0
    tally.note_events(topic, "used", used)
    tally.note_events(topic, "ignored", records - len(inputs))
    tally.note_events(topic, "dead-letter", bad)
    tally.note_events(topic, "foreign", len(inputs) - used - bad)
