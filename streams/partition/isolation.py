"""Whatever goes wrong with an input costs that input its place, and nothing beside it.

Inputs are handled together; where something goes wrong, nothing of it counts, and each is handled by itself. What
can't be handled becomes a dead letter that says why; a due wait that can't fire fails its enrolment.
"""

from contextlib import suppress
from datetime import datetime

import msgspec
import structlog

from models.ids import CustomerKey
from streams.engine.advance import waits_before
from streams.engine.effects import Outcome
from streams.engine.inputs import Arrived, CustomerInput, Due, FailWait, MergeAway, Sweep
from streams.engine.payload import Rejection
from streams.kafka.fetch import SourceRecord
from streams.kafka.inputs import read_input
from streams.kafka.topics import INBOX
from streams.partition.metrics import Tally
from streams.partition.outputs import OversizeError
from streams.partition.processor import Processor
from streams.partition.queue import Portion
from streams.partition.repair import describe_damage, is_damaged
from streams.partition.transaction import DamagedError, Letter, Transaction
from streams.state.errors import StoreError
from streams.state.index import DAMAGED

_KEY_SHOWN = 1200  # bytes of a dead letter's key in the log

log = structlog.get_logger()


class Isolation:
    """Keeps the inputs of one partition from each other's faults."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    def take(self, transaction: Transaction, portion: Portion, now: datetime) -> None:
        """Handle records: events, or messages of the inbox."""
        topic, records = portion.topic, portion.records
        try:
            self._processor.take(transaction, topic, records, now)
        except StoreError:
            raise
        except Exception:
            for record in records:
                self._take_one(transaction, topic, record, now)
        transaction.advance(topic, portion.position, len(records))

    def _take_one(self, transaction: Transaction, topic: str, record: SourceRecord, now: datetime) -> None:
        """Handle a record; if that can't be done, it becomes a dead letter."""
        try:
            self._take(transaction, topic, record, now)
        except StoreError:
            raise
        except Exception as error:
            problem = self._diagnose(error)
            self._note(transaction, topic, "dead-letter")
            with transaction.slice() as slice_:
                slice_.put_aside(self._processor.router.dead_letter(topic, record, problem, now), problem)
                if isinstance(error, DamagedError):
                    slice_.mark(DAMAGED + error.key, stands=True)

    def _take(self, transaction: Transaction, topic: str, record: SourceRecord, now: datetime) -> None:
        given = self._processor.reader(topic)(record)
        if given is None:
            self._note(transaction, topic, "ignored")
        elif type(given) is tuple and self._processor.is_here(given[0].raw):
            self._advance(transaction, given[0], given[1], now)
            self._note(transaction, topic, "used")
        else:
            with transaction.slice() as slice_:
                self._processor.pass_on(slice_, topic, record, given, now)
            self._note(transaction, topic, "dead-letter" if isinstance(given, Rejection) else "foreign")

    def _note(self, transaction: Transaction, name: str, result: str) -> None:
        topic, _ = read_input(name, self._processor.router.partition)
        if topic != INBOX:
            transaction.tally.note_events(topic, result)

    def _advance(self, transaction: Transaction, key: CustomerKey, given: CustomerInput, now: datetime) -> None:
        """Let the engine decide, after the waits that come before (R30): the input does not answer for those."""
        if not self._fire_before(transaction, key, given, now):
            self._advance_damaged(transaction, key, given, now)
            return
        with transaction.slice() as slice_:
            self._processor.advance(slice_, key, given, now)

    def _fire_before(self, transaction: Transaction, key: CustomerKey, given: CustomerInput, now: datetime) -> bool:
        """Fire the waits that come before an input; False, and nothing done, if the customer's row is damaged."""
        with transaction.slice() as slice_:
            if is_damaged(slice_, key):
                return False
            before = waits_before(slice_.customer(key.raw), given, now, self._processor.journeys)
        for enrollment_id in before:
            self.fire(transaction, key, enrollment_id, now)
        return True

    def _advance_damaged(
        self, transaction: Transaction, key: CustomerKey, given: CustomerInput, now: datetime
    ) -> None:
        """Do what must not wait for a repair: erase the customer, and let a survivor go on; raises DamagedError."""
        is_erasure = isinstance(given, Arrived) and given.event.event_type == "customer.deleted"
        if is_erasure or isinstance(given, MergeAway):
            with transaction.slice() as slice_:
                slice_.emit(key.raw, self._processor.decide(None, key, given, now).effects)
                if is_erasure:
                    slice_.replace(key.raw, None)
                    slice_.mark(DAMAGED + key.raw, stands=False)
        if not is_erasure:
            raise DamagedError(key.raw)

    def fire(self, transaction: Transaction, key: CustomerKey, enrollment_id: str, now: datetime) -> None:
        """Fire one wait; if what it leads to can't be done, its enrolment fails and says why."""
        try:
            with transaction.slice() as slice_:
                if is_damaged(slice_, key):
                    slice_.mark(DAMAGED + key.raw, stands=True)
                else:
                    self._processor.advance(slice_, key, Due(enrollment_id), now)
        except StoreError:
            raise
        except Exception as error:
            self._finish(transaction, key, FailWait(enrollment_id, self._diagnose(error).reason), now)

    def sweep(self, transaction: Transaction, key: CustomerKey, given: Sweep, now: datetime) -> None:
        """End a customer's enrolments in an archived journey, after the waits that come before."""
        if self._fire_before(transaction, key, given, now):
            self._finish(transaction, key, given, now)
        else:
            with transaction.slice() as slice_:
                slice_.mark(DAMAGED + key.raw, stands=True)

    def _finish(self, transaction: Transaction, key: CustomerKey, given: FailWait | Sweep, now: datetime) -> None:
        """Do what has to be done; if it can't be told in full, do it all the same, and say so in a dead letter."""
        try:
            with transaction.slice() as slice_:
                self._processor.advance(slice_, key, given, now)
        except StoreError:
            raise
        except Exception as error:
            problem = self._diagnose(error)
            if isinstance(error, OversizeError):
                self._finish_untold(transaction, key, given, now)
            with transaction.slice() as slice_:
                notice = self._processor.router.notice(key.raw, msgspec.json.encode(given), problem, now)
                slice_.put_aside(notice, problem)

    def _finish_untold(
        self, transaction: Transaction, key: CustomerKey, given: FailWait | Sweep, now: datetime
    ) -> None:
        """Change the row alone; one that is itself too large, since its topic takes less than it did, stays."""
        with suppress(OversizeError), transaction.slice() as slice_:
            before = slice_.customer(key.raw)
            slice_.apply(key.raw, before, Outcome(self._processor.decide(before, key, given, now).customer))

    def _diagnose(self, error: Exception) -> Rejection:
        if isinstance(error, OversizeError):
            return Rejection("too-large", str(error))
        if isinstance(error, DamagedError):
            return describe_damage(error.key)
        log.error("Fairway failed on an input, which is put aside; please report this.", exc_info=error)
        return Rejection("failed", f"Fairway failed on it ({type(error).__name__}: {error}); the log has the rest.")


def tell_letter(letter: Letter, tally: Tally) -> None:
    """Count what was put aside, and log it once: a key that is no customer's may be anything about a person."""
    code, raw = letter.problem.code, letter.record[1] or b""
    key = raw[:_KEY_SHOWN].decode(errors="replace") if b":" in raw else ""
    tally.note_letter(code, letter.record[3])
    log.warning("An input was put aside as a dead letter.", key=key, code=code, why=letter.problem.reason)
