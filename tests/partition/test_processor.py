"""Every input reaches the customer or the places that it is for; what can't be used becomes a dead letter."""

import msgspec
import pytest

from models.messages import Source as Origin
from streams.engine.advance import advance
from streams.engine.effects import Command, Outcome, SendCommand
from streams.engine.inputs import Arrived, CountActive, Enroll, InboxMessage, RequestPlace
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import COMMANDS, DEAD_LETTERS, INBOX
from streams.partition.internal_rows import POSITION
from streams.partition.queue import Portion
from tests.partition.case import HERE, KEY, TOPIC, Case
from tests.partition.model import JOURNEY, START, Record, Records, Source, event, make_router

PLACES = f":places:{JOURNEY}".encode()


def test_an_event_reaches_its_customer() -> None:
    case = Case()
    (command,) = case.take(TOPIC, event(1, "c-7"))[COMMANDS]
    assert command.key == KEY
    customer = case.transaction.find(KEY)
    assert customer is not None
    assert customer.profile == {"events": ["e-1"]}


def test_a_command_has_the_headers_of_a_cloudevent_if_asked_for() -> None:
    sent = msgspec.convert(
        {
            "commandId": "7b0d", "tenantId": "pinehurst", "clubId": None, "customerId": "c-7", "channel": "EMAIL",
            "templateId": "welcome", "journeyId": JOURNEY, "journeyName": "Welcome", "journeyVersion": 1,
            "enrollmentId": "n-1", "stepId": "send", "stepNumber": 2, "visit": 1, "variants": {}, "data": {},
            "issuedAt": START, "notAfter": None,
        },
        SendCommand,
    )  # fmt: skip
    plain = [("command-id", b"7b0d"), ("tenant-id", b"pinehurst"), ("channel", b"EMAIL")]
    for asked, names in ((False, set()), (True, {"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"})):
        router = make_router(HERE, 4, cloudevents=asked)
        case = Case(router=router)
        case.processor._advance = lambda *_: Outcome(None, (Command(sent),))
        (command,) = case.take(TOPIC, event(1, "c-7"))[COMMANDS]
        assert list(command.headers[:3]) == plain
        assert {name for name, _ in command.headers[3:]} >= names
        assert (len(command.headers) > 3) == asked


def test_a_cloudevent_reaches_its_customer_and_a_bad_one_the_dead_letters_as_it_came() -> None:
    attributes = {"specversion": "1.0", "id": "e-1", "time": "2026-11-23T10:00:00Z", "tenantid": "pinehurst"}
    headers = [(f"ce_{name}", item.encode()) for name, item in attributes.items()]
    case = Case()
    case.isolation.take(case.transaction, Portion(TOPIC, [Source(5, b"{}", None, headers, 9)], 6), START)  # type: ignore[list-item]
    assert case.code() == b"schema"
    ((letter,),) = case.transaction.outputs.values()
    assert letter.headers[: len(headers)] == headers
    good = [*headers, ("ce_customerid", b"c-7")]
    case.isolation.take(case.transaction, Portion(TOPIC, [Source(6, b"{}", None, good, 9)], 7), START)  # type: ignore[list-item]
    customer = case.transaction.find(KEY)
    assert customer is not None
    assert customer.profile == {"events": ["e-1"]}


def test_an_event_that_nobody_wants_touches_nothing() -> None:
    case = Case()
    assert case.take("teetime.booked", event(1, "c-7")) == {}
    assert case.transaction.prepare().rows.keys() == {POSITION}


def test_an_event_on_a_foreign_partition_is_sent_on_with_where_it_came_from() -> None:
    case = Case((HERE + 1) % 4)
    (forward,) = case.take(TOPIC, event(1, "c-7"))[INBOX]
    assert (forward.key, list(case.transaction.outputs)) == (KEY, [(INBOX, HERE)])
    arrived = msgspec.json.decode(forward.value or b"", type=InboxMessage)
    assert isinstance(arrived, Arrived)
    assert arrived.source == Origin(TOPIC, (HERE + 1) % 4, 5)
    assert arrived.event.event_id == "e-1"
    there = Case()
    assert list(there.take(INBOX, forward.value, KEY)) == [COMMANDS]
    assert there.transaction.prepare().rows.keys() == {KEY, POSITION}


def test_a_message_on_a_foreign_partition_is_sent_on_as_it_is() -> None:
    message = msgspec.json.encode(Enroll(JOURNEY, START))
    case = Case((HERE + 1) % 4)
    (forward,) = case.take(INBOX, message, KEY)[INBOX]
    assert forward == Record(KEY, message)


def test_a_record_of_a_further_partition_of_a_topic_is_told_of_by_that_partition() -> None:
    further = HERE + 4
    case = Case((HERE + 1) % 4)
    name = f"{TOPIC}:{further}"
    (forward,) = case.take(name, event(1, "c-7"))[INBOX]
    arrived = msgspec.json.decode(forward.value or b"", type=InboxMessage)
    assert isinstance(arrived, Arrived)
    assert arrived.source == Origin(TOPIC, further, 5)
    assert msgspec.json.decode(case.transaction.prepare().rows[POSITION] or b"") == {name: 6}
    there = Case()
    assert list(there.take(f"{INBOX}:{further}", forward.value, KEY)) == [COMMANDS]
    bad = Case()
    (letter,) = bad.take(name, b"{")[DEAD_LETTERS]
    told = dict(letter.headers)
    assert (told["dlq.topic"], told["dlq.partition"]) == (TOPIC.encode(), str(further).encode())
    assert list(bad.transaction.outputs) == [(DEAD_LETTERS, HERE)]


def test_an_enrolment_by_hand_is_told_of_by_the_inbox_s_partition_that_it_came_by() -> None:
    case, further = Case(), HERE + 8
    given: list[object] = []
    case.processor._advance = lambda _, __, came, *___: given.append(came) or Outcome(None)  # type: ignore[func-returns-value]
    case.take(f"{INBOX}:{further}", msgspec.json.encode(Enroll(JOURNEY, START)), KEY)
    assert given == [Enroll(JOURNEY, START, source=Origin(INBOX, further, 5))]


def test_R5_places_are_decided_where_their_key_lives_and_kept_in_a_row() -> None:
    case = Case(partition_of(PLACES, 4))
    for partition in range(4):
        case.take(INBOX, msgspec.json.encode(CountActive(JOURNEY, partition, 0)), PLACES)
    (answer,) = case.take(INBOX, msgspec.json.encode(RequestPlace(JOURNEY, "pinehurst", "c-7", "x")), PLACES)[INBOX]
    assert answer.key == KEY
    assert msgspec.json.decode(case.transaction.row(PLACES) or b"")["taken"] == 1


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (None, KEY),
        (b"{", KEY),
        (b'{"kind":"unknown"}', KEY),
        (msgspec.json.encode(Enroll(JOURNEY, START)), None),
        (msgspec.json.encode(Enroll(JOURNEY, START)), b"\xff:c"),
        (msgspec.json.encode(Enroll(JOURNEY, START)), b"no colon"),
        (msgspec.json.encode(Enroll(JOURNEY, START)), b"pinehurst:"),
        (msgspec.json.encode(Enroll(JOURNEY, START)), PLACES),
        (msgspec.json.encode(CountActive(JOURNEY, 0, 0)), KEY),
    ],
)
def test_a_message_that_fairway_does_not_write_becomes_a_dead_letter(
    value: bytes | None, key: bytes | None
) -> None:
    case = Case()
    (letter,) = case.take(INBOX, value, key)[DEAD_LETTERS]
    assert (letter.key, letter.value, letter.headers[0]) == (key, value, ("h", b"1"))
    assert dict(letter.headers) == {
        "h": b"1", "dlq.code": b"schema",
        "dlq.reason": b"The message in 'fairway.inbox' is none that Fairway writes.",
        "dlq.topic": b"fairway.inbox", "dlq.partition": str(HERE).encode(), "dlq.offset": b"5",
        "dlq.timestamp": b"9", "dlq.at": b"2026-11-23T10:00:00+00:00",
    }  # fmt: skip


def test_R24_a_late_opt_out_crosses_partitions_to_the_survivor() -> None:
    cases = [Case(number) for number in range(4)]
    home = {name: partition_of(f"pinehurst:{name}".encode(), 4) for name in ("old", "survivor")}
    assert home["old"] != home["survivor"]

    def give(number: int, topic: str, value: bytes, key: bytes) -> None:
        outputs = cases[number].transaction.outputs
        cases[number].processor._advance = advance
        cases[number].take(topic, value, key)
        for there in range(4):
            waiting = outputs.pop((INBOX, there), Records())
            assert isinstance(waiting, Records)
            for record in waiting:
                give(there, INBOX, record.value or b"", record.key or b"")

    for topic, name, data in (
        ("customer.merged", "survivor", {"fromCustomerId": "old"}),
        ("customer.unsubscribed", "old", {"channel": "email"}),
    ):
        give(home[name], topic, event(len(topic), name, **data), f"pinehurst:{name}".encode())
    survivor = cases[home["survivor"]].transaction.find(b"pinehurst:survivor")
    assert survivor is not None
    assert survivor.profile == {"subscriptions": {"EMAIL": False}}


NO_TENANT = "The tenantId must be a text of 1 to 100 characters without a colon or control characters."
NO_CUSTOMER = "The customerId must be a text of 1 to 256 characters without U+0000."


def enrolled(data: bytes) -> bytes:
    return msgspec.json.encode(Enroll(JOURNEY, START)).removesuffix(b"}") + b',"data":' + data + b"}"


@pytest.mark.parametrize(
    ("value", "key", "code", "reason"),
    [
        (enrolled(b"{}"), b"pinehurst:" + b"c" * 257, "schema", NO_CUSTOMER),
        (enrolled(b"{}"), b"pinehurst:c\0", "schema", NO_CUSTOMER),
        (enrolled(b"{}"), b"t" * 101 + b":c", "schema", NO_TENANT),
        (enrolled(b"{}"), b"a\nb:c", "schema", NO_TENANT),
        (enrolled(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"), KEY, "too-deep", None),
        (enrolled(b'{"a":"\\u0000"}'), KEY, "schema", None),
        (enrolled(b'{"a":9223372036854775808}'), KEY, "schema", None),
        (enrolled(b'{"a":"' + b"x" * 262_144 + b'"}'), KEY, "too-large", None),
        (enrolled(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), KEY, "schema", None),
        (b'{"kind":"exit","at":"2026-11-23T10:00:00"}', KEY, "schema", None),
    ],
)
def test_the_inbox_refuses_what_an_event_may_not_hold(
    value: bytes, key: bytes, code: str, reason: str | None
) -> None:
    case = Case()
    emitted = case.take(INBOX, value, key)
    (letter,) = emitted.pop(DEAD_LETTERS)
    assert emitted == {}
    headers = {name: (found or b"").decode() for name, found in letter.headers}
    assert headers["dlq.code"] == code
    assert reason in (None, headers["dlq.reason"])
