"""Events and controls by hand, and commands read back."""

import msgspec
import pytest
from confluent_kafka import Producer

from models.ids import journey_id
from streams.clock import now
from streams.control.publishing import BadLine, OutgoingRecord, control, read_commands, read_events, send
from streams.engine.inputs import Enroll, InboxMessage
from streams.errors import FairwayError
from streams.kafka.topics import COMMANDS, INBOX
from streams.settings import Settings
from tests import client

GOOD = b'{"eventId":"e","eventType":"a.b","tenantId":"t","customerId":"c","occurredAt":"2026-11-23T10:00:00Z"}'
TOPICS = frozenset({"a.b"})


def test_each_event_goes_to_its_topic_under_its_customer_s_key() -> None:
    bad = GOOD.replace(b"a.b", b"x")
    assert list(read_events([GOOD + b"\n", b"", b"{", bad, GOOD.replace(b'"a.b"', b'""')], TOPICS, None)) == [
        OutgoingRecord("a.b", b"t:c", GOOD),
        BadLine(3, "The value is not JSON."),
        BadLine(4, "No topic with role 'events' is named 'x'."),
        BadLine(5, "The field 'eventType' is missing, and with it the topic."),
    ]


def test_a_cloudevent_goes_to_the_topic_of_its_type() -> None:
    line = (
        b'{"specversion":"1.0","id":"e","type":"a.b","tenantid":"t","customerid":"c","time":"2026-11-23T10:00:00Z"}'
    )
    assert list(read_events([line], TOPICS, None)) == [OutgoingRecord("a.b", b"t:c", line)]


def test_raw_lines_go_where_they_are_told_as_they_are() -> None:
    assert list(read_events([b"{\n"], TOPICS, "a.b")) == [OutgoingRecord("a.b", None, b"{")]


def produce_in_transaction(brokers: str, value: str, *, commit: bool) -> None:
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": value})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(COMMANDS, value.encode(), b"k")
    producer.flush()
    (producer.commit_transaction if commit else producer.abort_transaction)()
    client.await_marks(brokers, value)


@pytest.mark.broker
async def test_only_committed_commands_are_printed_and_the_end_is_found(settings: Settings, prefix: str) -> None:
    lines = [
        OutgoingRecord(COMMANDS, f"{prefix}:{number}".encode(), f"{prefix}-{number}".encode())
        for number in range(20)
    ]
    told: list[int] = []
    assert await send(settings, lines, told.append) == 20
    assert told == [20]
    produce_in_transaction(settings.brokers, f"{prefix}-aborted", commit=False)
    produce_in_transaction(settings.brokers, f"{prefix}-last", commit=True)
    found = [value async for value in read_commands(settings, from_start=True, follow=False)]
    mine = {value.decode().removeprefix(f"{prefix}-") for value in found if value.startswith(prefix.encode())}
    assert mine == {str(number) for number in range(20)} | {"last"}


@pytest.mark.broker
async def test_an_enrolment_by_hand_lies_in_the_inbox(settings: Settings, prefix: str) -> None:
    message = Enroll(journey_id=journey_id(prefix, "Welcome"), at=now(), data={"a": 1})
    await control(settings, prefix, "c-1", message)
    records = client.read_committed(settings.brokers, INBOX)
    mine = [record.value for record in records if record.key == f"{prefix}:c-1".encode()]
    assert [msgspec.json.decode(value or b"", type=InboxMessage) for value in mine] == [message]


@pytest.mark.broker
async def test_a_topic_that_does_not_exist_is_told_before_anything_is_sent_there(settings: Settings) -> None:
    lines = [OutgoingRecord(COMMANDS, None, b"1"), OutgoingRecord("nosuch.topic", None, b"2")]
    with pytest.raises(FairwayError) as caught:
        await send(settings, lines)
    sentence = "The topic 'nosuch.topic' is missing: name it in topics.yaml, and run 'fairway topics apply'."
    assert str(caught.value) == sentence
