"""Every input reaches the customer or the places that it is for; what can't be used becomes a dead letter."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from models.customer import Customer, decode
from models.journey import Journey, JourneyStatus
from models.messages import Source as Origin
from streams.engine.effects import Command, Outcome, SendCommand
from streams.engine.inputs import Arrived, CountActive, Enroll, InboxMessage, RequestPlace
from streams.engine.journeys import Journeys
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX
from streams.partition import outputs
from streams.partition import transaction as transactions
from streams.partition.internal_rows import POSITION
from streams.partition.known import KnownCustomers
from streams.partition.outputs import Router
from streams.partition.processor import Processor
from streams.partition.queue import Portion
from streams.partition.transaction import OversizeRowError, Transaction
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import JOURNEY, START, Record, Records, Source, decide, event
from tests.small import command

TOPIC = "customer.updated"
KEY = b"pinehurst:c-7"
HERE = partition_of(KEY, 4)
PLACES = f":places:{JOURNEY}".encode()


class Case:
    """A dispatch of partition `partition` of 4, and a transaction."""

    def __init__(self, partition: int = HERE, router: Router | None = None) -> None:
        router = router or Router(partition, 4)
        self.processor = Processor(router, decide)
        self.transaction = Transaction(Store(MemoryMap()), KnownCustomers(9), {}, router, Records)

    def take(
        self, topic: str, value: bytes | None, key: bytes | None = None, now: datetime = START
    ) -> dict[str, Sequence[Record]]:
        """Return what a record gives, by topic."""
        self.processor.take(self.transaction, Portion(topic, [Source(5, value, key, (("h", b"1"),), 9)], 6), now)  # type: ignore[list-item]
        return {place[0]: records for place, records in self.transaction.outputs.items()}

    def code(self) -> bytes | None:
        ((_, record),) = [(place, records[0]) for place, records in self.transaction.outputs.items()]
        return dict(record.headers)["dlq.code"]


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
        router = Router(HERE, 4, cloudevents=asked)
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
    case.processor.take(case.transaction, Portion(TOPIC, [Source(5, b"{}", None, headers, 9)], 6), START)  # type: ignore[list-item]
    assert case.code() == b"schema"
    ((letter,),) = case.transaction.outputs.values()
    assert letter.headers[: len(headers)] == headers
    good = [*headers, ("ce_customerid", b"c-7")]
    case.processor.take(case.transaction, Portion(TOPIC, [Source(6, b"{}", None, good, 9)], 7), START)  # type: ignore[list-item]
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
    partitions = [Processor(Router(number, 4)) for number in range(4)]
    routers = [Router(number, 4) for number in range(4)]
    transactions = [Transaction(Store(MemoryMap()), KnownCustomers(9), {}, router, Records) for router in routers]
    home = {name: partition_of(f"pinehurst:{name}".encode(), 4) for name in ("old", "survivor")}
    assert home["old"] != home["survivor"]

    def give(number: int, topic: str, value: bytes, key: bytes) -> None:
        portion = Portion(topic, [Source(5, value, key)], 6)  # type: ignore[list-item]
        partitions[number].take(transactions[number], portion, START)
        for (to, there), records in [*transactions[number].outputs.items()]:
            waiting = [record for record in records if to == INBOX]
            if waiting:
                del transactions[number].outputs[to, there]
            for record in waiting:
                give(there, INBOX, record.value or b"", record.key or b"")

    for topic, name, data in (
        ("customer.merged", "survivor", {"fromCustomerId": "old"}),
        ("customer.unsubscribed", "old", {"channel": "email"}),
    ):
        give(home[name], topic, event(len(topic), name, **data), f"pinehurst:{name}".encode())
    survivor = transactions[home["survivor"]].find(b"pinehurst:survivor")
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


def test_what_would_not_fit_the_broker_becomes_a_dead_letter_and_takes_nothing_else_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outputs, "MAX_RECORD", 200)
    case = Case()
    case.processor._advance = lambda before, key, given, now, journeys: (
        Outcome(Customer("pinehurst", "c-7"), (command("1", "t", "x" * 200),))
        if given.event.event_id == "e-1"  # type: ignore[union-attr]
        else decide(before, key, given, now, journeys)
    )
    records = [Source(number, event(number, "c-7")) for number in range(3)]
    case.processor.take(case.transaction, Portion(TOPIC, records, 3), START)
    prepared = case.transaction.prepare()
    (letter,) = prepared.outputs[DEAD_LETTERS, HERE]  # type: ignore[misc]
    assert letter.value == event(1, "c-7")
    assert dict(letter.headers)["dlq.code"] == b"too-large"
    assert [record.key for record in prepared.outputs[COMMANDS, HERE]] == [KEY, KEY]  # type: ignore[attr-defined]
    row = decode(prepared.rows[KEY] or b"")
    assert row.profile == {"events": ["e-0", "e-2"]}
    assert case.transaction.positions == {TOPIC: 3}


def test_R30_an_input_does_not_answer_for_the_wait_that_comes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MAX_RECORD", 2_000)
    case = Case()
    journey = make_journey()
    case.processor = Processor(Router(HERE, 4))
    case.processor.journeys = Journeys().with_version(journey).with_status(journey.id, JourneyStatus.ACTIVE, 1)
    case.take("x", msgspec.json.encode(entering(1, "y" * 900, START)), KEY)
    later = START + timedelta(minutes=1)
    case.take("x", msgspec.json.encode(entering(2, "z", later)), KEY, now=later)
    letters = case.transaction.outputs.get((DEAD_LETTERS, HERE), [])
    activity = case.transaction.outputs[ACTIVITY, HERE]
    entries = [entry for one in activity for entry in msgspec.json.decode(one.value)["entries"]]  # type: ignore[attr-defined]
    assert letters == []
    (failed,) = [entry for entry in entries if entry["type"] == "enrollment.failed"]
    assert failed["error"].startswith("What comes of it has 5")
    assert [entry["type"] for entry in entries].count("enrollment.started") == 2


def entering(number: int, text: str, at: datetime) -> dict[str, Any]:
    ids = {"eventId": f"e-{number}", "tenantId": "pinehurst", "customerId": "c-7"}
    return ids | {"occurredAt": at, "data": {"text": text, "key": str(number)}}


def make_journey() -> Journey:
    """Return a journey that tells the trigger's text four times, after a wait of 3 seconds."""
    rules = [{"field": "trigger.text", "operator": "contains", "value": "y"}] * 4
    steps = [
        {"type": "TRIGGER", "config": {"eventType": "x", "conditions": []}},
        {"type": "WAIT", "config": {"duration": "3 seconds"}},
        {"type": "CONDITION", "config": {"rules": rules}},
    ]
    settings = {"allowReentry": True, "enrollmentKey": "trigger.key"}
    return Journey.model_validate(
        {"tenantId": "pinehurst", "name": "Model", "triggerType": "x", "steps": steps} | settings
    )


def test_a_row_that_would_not_fit_is_found_at_the_input_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MAX_RECORD", 130)
    case = Case()
    case.transaction._known.refuse(KEY)
    for number in range(20):
        case.take(TOPIC, event(number, "c-7"))
    prepared = case.transaction.prepare()
    assert len(prepared.rows[KEY] or b"") <= 130
    assert len(prepared.outputs[COMMANDS, HERE]) + len(prepared.outputs[DEAD_LETTERS, HERE]) == 20  # type: ignore[arg-type]


def test_a_row_that_grows_too_large_while_its_customer_is_kept_decoded_is_found_at_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transactions, "MAX_RECORD", 130)
    case = Case()
    for number in range(20):
        case.take(TOPIC, event(number, "c-7"))
    with pytest.raises(OversizeRowError, match=r"^The row would have \d\d\d bytes, but 130 fit\.$") as raised:
        case.transaction.prepare()
    assert raised.value.key == KEY
