"""Whatever goes wrong with an input costs that input its place, and nothing beside it."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from models.customer import Customer, Enrollment, decode, encode
from models.ids import CustomerKey
from models.journey import Journey, JourneyStatus
from streams.engine.advance import advance
from streams.engine.effects import Outcome
from streams.engine.inputs import InboxMessage, MergeAway, MergeIn
from streams.engine.journeys import Journeys
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX
from streams.partition.internal_rows import POSITION
from streams.partition.processor import Advance
from streams.partition.queue import Portion
from streams.partition.transaction import UnwritableRowError
from streams.state.errors import StoreError
from streams.state.index import DAMAGED, marks_of_row
from tests.partition.case import HERE, KEY, TOPIC, Case
from tests.partition.model import START, Source, decide, event, make_router, place, wait_id
from tests.small import command


def test_what_would_not_fit_the_broker_becomes_a_dead_letter_and_takes_nothing_else_with_it() -> None:
    case = Case(router=make_router(HERE, 4, room=1_500))
    case.processor._advance = lambda before, key, given, now, journeys: (
        Outcome(Customer("pinehurst", "c-7"), (command("1", "t", "x" * 2_000),))
        if given.event.event_id == "e-1"  # type: ignore[union-attr]
        else decide(before, key, given, now, journeys)
    )
    records = [Source(number, event(number, "c-7")) for number in range(3)]
    case.isolation.take(case.transaction, Portion(TOPIC, records, 3), START)
    prepared = case.transaction.prepare()
    (letter,) = prepared.outputs[DEAD_LETTERS, HERE]  # type: ignore[misc]
    assert letter.value == event(1, "c-7")
    assert dict(letter.headers)["dlq.code"] == b"too-large"
    assert [record.key for record in prepared.outputs[COMMANDS, HERE]] == [KEY, KEY]  # type: ignore[attr-defined]
    row = decode(prepared.rows[KEY] or b"")
    assert row.profile == {"events": ["e-0", "e-2"]}
    assert case.transaction.positions == {TOPIC: 3}


def test_R30_an_input_does_not_answer_for_the_wait_that_comes_before_it() -> None:
    case = Case(router=make_router(HERE, 4, room=3_000))
    journey = make_journey()
    case.processor._advance = advance
    case.processor.journeys = Journeys().with_version(journey).with_status(journey.id, JourneyStatus.ACTIVE, 1)
    case.take("x", msgspec.json.encode(entering(1, "y" * 900, START)), KEY)
    later = START + timedelta(minutes=1)
    case.take("x", msgspec.json.encode(entering(2, "z", later)), KEY, now=later)
    letters = case.transaction.outputs.get((DEAD_LETTERS, HERE), [])
    activity = case.transaction.outputs[ACTIVITY, HERE]
    entries = [entry for one in activity for entry in msgspec.json.decode(one.value)["entries"]]  # type: ignore[attr-defined]
    assert letters == []
    (failed,) = [entry for entry in entries if entry["type"] == "enrollment.failed"]
    assert failed["error"].startswith("A record of 5")
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


def test_a_row_that_would_not_fit_is_found_at_the_input_to_blame() -> None:
    case = Case(router=make_router(HERE, 4, room=300))
    case.transaction._known.refuse(KEY)
    for number in range(40):
        case.take(TOPIC, event(number, "c-7"))
    prepared = case.transaction.prepare()
    assert len(prepared.rows[KEY] or b"") <= 300
    assert len(prepared.outputs[COMMANDS, HERE]) + len(prepared.outputs[DEAD_LETTERS, HERE]) == 40  # type: ignore[arg-type]


def test_a_row_that_grows_too_large_while_its_customer_is_kept_decoded_is_found_at_the_commit() -> None:
    case = Case(router=make_router(HERE, 4, room=300))
    for number in range(40):
        case.take(TOPIC, event(number, "c-7"))
    with pytest.raises(
        UnwritableRowError,
        match="would go to 'changelog', which takes 300",
    ) as raised:
        case.transaction.prepare()
    assert raised.value.key == KEY


def test_a_row_that_can_t_be_written_at_the_commit_whatever_the_reason_is_found_there() -> None:
    case = Case()
    case.processor._advance = lambda before, *_: Outcome(
        Customer("pinehurst", "c-7", {"a": "b" if before is None or not before.profile else "\ud800"})
    )
    for number in range(3):
        case.take(TOPIC, event(number, "c-7"))
    with pytest.raises(UnwritableRowError) as raised:
        case.transaction.prepare()
    assert raised.value.key == KEY


def test_a_wait_that_can_t_even_fail_since_its_row_does_not_fit_any_more_ends_nothing() -> None:
    case = Case(router=make_router(HERE, 4, room=500))
    journey = make_journey()
    case.processor._advance = advance
    case.processor.journeys = Journeys().with_version(journey).with_status(journey.id, JourneyStatus.ACTIVE, 1)
    one = Enrollment(wait_id("1"), journey.id, 1, START, "step-2", waiting_until=START)
    row = encode(Customer("pinehurst", "c-7", {"a": "x" * 900}, {one.id: one}))
    case.store.write({KEY: row}, dict.fromkeys(marks_of_row(KEY, row), True), 1)
    case.isolation.fire(case.transaction, CustomerKey.read(KEY), one.id, START)
    (letter,) = case.outputs()[DEAD_LETTERS]
    assert dict(letter.headers)["dlq.code"] == b"too-large"
    assert KEY not in case.transaction.prepare().rows


def failing_for(*events: str) -> Advance:
    """Return what decides as the model does, but has a fault of its own that some events find."""

    def decide_badly(before: Any, key: CustomerKey, given: Any, now: datetime, journeys: Any) -> Outcome:
        if given.event.event_id in events:
            raise ZeroDivisionError("a fault")
        return decide(before, key, given, now, journeys)

    return decide_badly


def test_an_input_that_fairway_itself_fails_on_becomes_a_dead_letter_and_is_logged_with_the_traceback() -> None:
    case = Case()
    case.processor._advance = failing_for("e-1", "e-3")
    records = [Source(number, event(number, "c-7")) for number in range(5)]
    with capture_logs() as logs:
        case.isolation.take(case.transaction, Portion(TOPIC, records, 5), START)
    outputs = case.outputs()
    assert [letter.value for letter in outputs[DEAD_LETTERS]] == [event(1, "c-7"), event(3, "c-7")]
    assert {dict(letter.headers)["dlq.code"] for letter in outputs[DEAD_LETTERS]} == {b"failed"}
    assert dict(outputs[DEAD_LETTERS][0].headers)["dlq.reason"] == (
        b"Fairway failed on it (ZeroDivisionError: a fault); the log has the rest."
    )
    assert len(outputs[COMMANDS]) == 3
    assert [log["exc_info"].args for log in logs] == [("a fault",)] * 2


def test_a_store_that_can_t_answer_is_no_input_s_fault() -> None:
    case = Case()

    def fail(keys: Any) -> Any:
        raise StoreError("no such file")

    case.store.get_all = fail  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        case.take(TOPIC, event(1, "c-7"))
    assert case.outputs() == {}
    assert case.transaction.positions == {}


NAIVE = START.replace(tzinfo=None)
DAMAGED_ROWS = [
    b"",
    b"{",
    b"[]",
    b'{"tenantId":"pinehurst"}',
    b'{"tenantId":"pinehurst","customerId":"c-7","records":"many"}',
    b'{"tenantId":"pinehurst","customerId":"c-7","profile":' + b"[" * 1_500 + b"]" * 1_500 + b"}",
    encode(Customer("pinehurst", "c-7", enrollments={"x": place("e-1", START, START)})),
    encode(
        Customer("pinehurst", "c-7", enrollments={wait_id("e-1"): place("e-1", START, START.replace(tzinfo=None))})
    ),
    encode(Customer("pinehurst", "c-7", enrollments={"no-id": Enrollment("no-id", "no-id", 1, START, "wait")})),
]


def damage(row: bytes) -> Case:
    """Return a case in which one customer's row is damaged, and decided upon by the engine."""
    case = Case()
    marks = (mark for mark in marks_of_row(KEY, row) if mark.startswith(DAMAGED))
    case.store.write({KEY: row}, dict.fromkeys(marks, True), 1)
    case.processor._advance = advance
    return case


@pytest.mark.parametrize("row", DAMAGED_ROWS)
def test_a_damaged_row_sends_its_customer_s_inputs_to_the_dead_letters_and_no_other_s(row: bytes) -> None:
    case = damage(row)
    near = next(f"c-{number}" for number in range(8, 99) if case.processor.is_here(b"pinehurst:c-%d" % number))
    records = [Source(1, event(1, "c-7", a=1)), Source(2, event(2, near, a=1))]
    case.isolation.take(case.transaction, Portion(TOPIC, records, 3), START)
    (letter,) = case.outputs()[DEAD_LETTERS]
    headers = dict(letter.headers)
    assert (letter.value, headers["dlq.code"]) == (event(1, "c-7", a=1), b"damaged")
    assert headers["dlq.reason"] == (
        b"The state of customer 'c-7' is damaged: run 'fairway state repair --tenant pinehurst --customer c-7', "
        b"then replay this."
    )
    prepared = case.transaction.prepare()
    assert prepared.rows.keys() == {f"pinehurst:{near}".encode(), POSITION}
    assert prepared.marks[DAMAGED + KEY] is True


def test_a_customer_whose_row_is_damaged_can_be_erased() -> None:
    case = damage(b"{")
    case.isolation.take(case.transaction, Portion("customer.deleted", [Source(1, event(1, "c-7"))], 2), START)
    assert DEAD_LETTERS not in case.outputs()
    prepared = case.transaction.prepare()
    assert prepared.rows[KEY] is None
    assert prepared.marks[DAMAGED + KEY] is False


def test_a_survivor_does_not_wait_for_the_repair_of_whoever_was_merged_into_it() -> None:
    case = damage(b"{")
    outputs = case.take(INBOX, msgspec.json.encode(MergeAway("c-1", "e-9", START)), KEY)
    (answer,) = outputs[INBOX]
    assert answer.key == b"pinehurst:c-1"
    assert isinstance(msgspec.json.decode(answer.value or b"", type=InboxMessage), MergeIn)
    assert [dict(letter.headers)["dlq.code"] for letter in outputs[DEAD_LETTERS]] == [b"damaged"]
    assert KEY not in case.transaction.prepare().rows
