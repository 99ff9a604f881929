"""The repair of a customer's damaged state: sends the request, and finds its own answer among the dead letters."""

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.structs import RecordMetadata

from models.ids import customer_key
from streams.clock import steady
from streams.control.answers import awaiting
from streams.control.publishing import control
from streams.engine.inputs import RepairState
from streams.kafka.topics import DEAD_LETTERS, INBOX
from streams.settings import Settings


class Answer(msgspec.Struct, frozen=True):
    """What a worker did about a request, in its words, and where the dead letter lies that holds the row."""

    is_repaired: bool
    reason: str
    partition: int
    offset: int


async def ask(
    settings: Settings, tenant_id: str, customer_id: str, request: RepairState, seconds: float
) -> Answer | None:
    """Send a request and wait for its answer, at most so many seconds; None if none came. Raises KafkaError."""
    key = customer_key(tenant_id, customer_id)
    async with awaiting(settings, DEAD_LETTERS, key) as (consumer, _):
        sent = await control(settings, tenant_id, customer_id, request)
        until = steady() + seconds
        while steady() < until:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    if record.key == key and (answer := read_answer(record, sent)):
                        return answer
    return None


def read_answer(letter: ConsumerRecord, sent: RecordMetadata) -> Answer | None:
    """Return what a dead letter says about a request; None if it is another input's."""
    headers = dict(letter.headers)
    is_repaired = headers.get("dlq.code") == b"repaired"
    at = (headers.get("dlq.topic"), headers.get("dlq.partition"), headers.get("dlq.offset"))
    if not is_repaired and at != (INBOX.encode(), b"%d" % sent.partition, b"%d" % sent.offset):
        return None
    reason = headers.get("dlq.reason", b"").decode(errors="replace")
    return Answer(is_repaired, reason, letter.partition, letter.offset)
