"""What comes of an enrolment or exit by hand: sends it, and finds its own answer in the activity."""

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import RecordMetadata

from models.ids import customer_key
from streams.clock import steady
from streams.control.answers import awaiting
from streams.control.publishing import control
from streams.engine.effects import Cause
from streams.engine.entries import EnrollmentRefused
from streams.engine.inputs import Enroll, Exit
from streams.history.records import Record, StoredEntry, read_record
from streams.history.wording import describe_refusal
from streams.kafka.topics import ACTIVITY, INBOX
from streams.settings import Settings

_DONE = {Enroll: "entered", Exit: "left"}

_read_cause = msgspec.json.Decoder(Cause).decode


class Answer(msgspec.Struct, frozen=True):
    """Whether a worker took the control up, and what it then did in the journey; nothing for an exit is final."""

    is_taken: bool
    entries: tuple[StoredEntry, ...] = ()


async def ask(
    settings: Settings, tenant_id: str, customer_id: str, message: Enroll | Exit, seconds: float
) -> Answer:
    """Send a control and wait for what comes of it, at most so many seconds; raises KafkaError."""
    key = customer_key(tenant_id, customer_id)
    async with awaiting(settings, ACTIVITY, key, settings.app_id) as (consumer, activity):
        sent = await control(settings, tenant_id, customer_id, message)
        return await _wait(consumer, activity, key, message, sent, steady() + seconds)


async def _wait(
    consumer: AIOKafkaConsumer,
    activity: TopicPartition,
    key: bytes,
    message: Enroll | Exit,
    sent: RecordMetadata,
    until: float,
) -> Answer:
    is_taken = False
    while steady() < until:
        is_taken = is_taken or (await consumer.committed(sent.topic_partition) or 0) > sent.offset
        end = (await consumer.end_offsets([activity]))[activity]
        for records in (await consumer.getmany(timeout_ms=100)).values():
            for record in records:
                if record.key == key and (found := _find(read_record(record.value, record.offset), message, sent)):
                    return Answer(True, found)
        if is_taken and isinstance(message, Exit) and await consumer.position(activity) >= end:
            break
    return Answer(is_taken)


def _find(record: Record, message: Enroll | Exit, sent: RecordMetadata) -> tuple[StoredEntry, ...]:
    """Return the entries of the journey, if this record answers what was sent."""
    cause = _read_cause(record.cause)
    is_own = (cause.topic, cause.partition, cause.offset) == (INBOX, sent.partition, sent.offset)
    # Whether there is a place is answered later (R5), to a candidate that has no event if it came by hand.
    is_place = cause.kind == "admission" and not cause.event_id and isinstance(message, Enroll)
    if not is_own and not is_place:
        return ()
    return tuple(entry for entry in record.entries if getattr(entry, "journey_id", None) == message.journey_id)


class Outcome(msgspec.Struct, frozen=True):
    """Whether a control did what it is for, and a sentence that says so, or why not."""

    is_done: bool
    text: str


def describe(answer: Answer, message: Enroll | Exit, customer: str, journey: str, seconds: float) -> Outcome:
    """Return what came of a control within so many seconds, in words."""
    refused = next((entry for entry in answer.entries if isinstance(entry, EnrollmentRefused)), None)
    if refused is not None:
        return Outcome(False, f"Customer '{customer}' did not enter '{journey}': {describe_refusal(refused)}.")
    if answer.entries:
        return Outcome(True, f"Customer '{customer}' has {_DONE[type(message)]} '{journey}'.")
    if not answer.is_taken:
        return Outcome(False, f"No worker took it up within {seconds:g} seconds; it is done as soon as one does.")
    if isinstance(message, Exit):
        return Outcome(False, f"Customer '{customer}' was not in '{journey}'.")
    return Outcome(False, f"A worker took it up, but wrote down nothing of it within {seconds:g} seconds.")
