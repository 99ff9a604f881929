"""Brings every input to the customer or the places that it is for, and what comes of it into the transaction.

It goes over a slice of records in rounds: decode all, look all their customers up, decide about all, encode all,
write all. What does one thing at a time stays in the processor's cache (docs/decisions/031-speed.md). A slice in
which something can't be written is done again, one input at a time, so that only the one to blame is put aside.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import compress

from models.customer import Customer
from models.ids import CustomerKey
from streams.engine.admission import decide
from streams.engine.advance import advance, waits_before
from streams.engine.effects import Forward, Outcome
from streams.engine.inputs import CountActive, CustomerInput, Due, FailWait, PlacesInput, Sweep
from streams.engine.journeys import Journeys
from streams.engine.leaving import places_key
from streams.engine.payload import Rejection
from streams.kafka.fetch import SourceRecord
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import INBOX
from streams.partition.inputs import Addressed, AddressedToPlaces, read_event, read_message
from streams.partition.internal_rows import read_places
from streams.partition.outputs import OversizeError, Router
from streams.partition.queue import Portion
from streams.partition.transaction import Slice, Transaction

Advance = Callable[[Customer | None, CustomerKey, CustomerInput, datetime, Journeys], Outcome]
Given = Addressed | AddressedToPlaces | Rejection
"""What a record holds."""


class Processor:
    """The inputs of one partition."""

    def __init__(self, router: Router, decide_customer: Advance = advance) -> None:
        self.router = router
        self._advance = decide_customer
        self.journeys = Journeys()

    def take(self, transaction: Transaction, portion: Portion, now: datetime) -> None:
        """Handle records: events, or messages of the inbox. What can't be used becomes a dead letter."""
        topic, records = portion.topic, portion.records
        partition, partitions = self.router.partition, self.router.partitions
        inputs: Sequence[Given | None]
        if topic == INBOX:
            inputs = [read_message(record, partition, partitions) for record in records]
        else:
            inputs = [read_event(record, topic, partition, self.journeys) for record in records]
        keys = [given[0].raw if type(given) is tuple else b"" for given in inputs]
        here = [key != b"" and partition_of(key, partitions) == partition for key in keys]
        try:
            with transaction.slice(compress(keys, here)) as slice_:
                for record, given, is_here in zip(records, inputs, here, strict=True):
                    if type(given) is tuple and is_here:
                        self.advance(slice_, given[0], given[1], now)
                    elif given is not None:
                        self._pass_on(slice_, topic, record, given, now)
        except OversizeError:
            for record, given, is_here in zip(records, inputs, here, strict=True):
                if given is not None:
                    self._take_alone(transaction, topic, record, given, is_here, now)
        transaction.advance(topic, portion.position, len(records))

    def _pass_on(self, slice_: Slice, topic: str, record: SourceRecord, given: Given, now: datetime) -> None:
        """Let places decide, send an input on to its own partition, or put aside what is no input."""
        if type(given) is Rejection:
            slice_.add(self.router.dead_letter(topic, record, given, now))
        elif type(given) is AddressedToPlaces:
            if partition_of(given.raw, self.router.partitions) == self.router.partition:
                self._decide(slice_, given.raw, given.given)
            else:
                slice_.emit(given.raw, (Forward(given.raw, given.given),))
        else:
            assert type(given) is tuple
            key, content = given
            slice_.emit(key.raw, (Forward(key.raw, content),))

    def _take_alone(
        self,
        transaction: Transaction,
        topic: str,
        record: SourceRecord,
        given: Given,
        is_here: bool,
        now: datetime,
    ) -> None:
        """Handle a record in a slice of its own; if what comes of it can't be written, it becomes a dead letter."""
        try:
            if type(given) is tuple and is_here:
                key, content = given
                self._fire_before(transaction, key, content, now)
                with transaction.slice() as slice_:
                    self.advance(slice_, key, content, now)
            else:
                with transaction.slice() as slice_:
                    self._pass_on(slice_, topic, record, given, now)
        except OversizeError as error:
            with transaction.slice() as slice_:
                problem = Rejection("too-large", str(error))
                slice_.add(self.router.dead_letter(topic, record, problem, now))

    def _fire_before(self, transaction: Transaction, key: CustomerKey, given: CustomerInput, now: datetime) -> None:
        """Fire the waits that come before an input (R30), so that it does not answer for what they lead to."""
        for enrollment_id in waits_before(transaction.find(key.raw), given, now, self.journeys):
            self.fire_alone(transaction, key, enrollment_id, now)

    def fire_alone(self, transaction: Transaction, key: CustomerKey, enrollment_id: str, now: datetime) -> None:
        """Fire one wait; if what it leads to can't be written, its enrolment fails and says why."""
        try:
            with transaction.slice() as slice_:
                self.advance(slice_, key, Due(enrollment_id), now)
        except OversizeError as error:
            self._finish(transaction, key, FailWait(enrollment_id, str(error)), now)

    def sweep_alone(self, transaction: Transaction, key: CustomerKey, given: Sweep, now: datetime) -> None:
        """End a customer's enrolments in an archived journey, after the waits that come before."""
        self._fire_before(transaction, key, given, now)
        self._finish(transaction, key, given, now)

    def _finish(self, transaction: Transaction, key: CustomerKey, given: FailWait | Sweep, now: datetime) -> None:
        """Do what has to be done, and if it can't be told in full, tell that it can't in a dead letter."""
        try:
            with transaction.slice() as slice_:
                self.advance(slice_, key, given, now)
        except OversizeError as error:
            with transaction.slice() as slice_:
                before = slice_.customer(key.raw)
                outcome = self._advance(before, key, given, now, self.journeys)
                slice_.change(key.raw, before, outcome.customer)
                slice_.add(self.router.notice(key.raw, given, Rejection("too-large", str(error)), now))

    def advance(self, slice_: Slice, key: CustomerKey, given: CustomerInput, now: datetime) -> None:
        """Let the engine decide, and add what comes of it to the slice."""
        before = slice_.customer(key.raw)
        outcome = self._advance(before, key, given, now, self.journeys)
        slice_.emit(key.raw, outcome.effects)
        slice_.change(key.raw, before, outcome.customer)

    def _decide(self, slice_: Slice, raw: bytes, given: PlacesInput) -> None:
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
