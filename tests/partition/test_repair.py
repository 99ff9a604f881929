"""A damaged row is replaced when asked for, by what can be read of it or by nothing; the row as it was is kept."""

from datetime import timedelta

import msgspec
import pytest

from models.customer import Customer, decode, encode
from streams.engine.inputs import RepairState
from streams.kafka.topics import DEAD_LETTERS, INBOX
from streams.state.index import DAMAGED, marks_of
from tests.partition.case import HERE, KEY, TOPIC, Case
from tests.partition.model import START, Record, event, place

WAITING = place("e-1", START, START + timedelta(days=1))
SOUND = Customer("pinehurst", "c-7", {"name": "Ann"}, {WAITING.id: WAITING})
HALF = msgspec.json.encode(msgspec.to_builtins(SOUND) | {"records": "many"})


def ask(case: Case, *, discard: bool = False) -> tuple[Record, str, str]:
    """Ask for a repair; return the dead letter that answers, its code and its reason."""
    request = msgspec.json.encode(RepairState(START, discard))
    (letter,) = case.take(INBOX, request, KEY)[DEAD_LETTERS]
    headers = dict(letter.headers)
    return letter, (headers["dlq.code"] or b"").decode(), (headers["dlq.reason"] or b"").decode()


def make(row: bytes | None, partition: int = HERE) -> Case:
    case = Case(partition)
    case.store.write({KEY: row}, {DAMAGED + KEY: True} if row not in (None, encode(SOUND)) else {}, 1)
    return case


def test_what_can_be_read_is_kept_and_what_is_lost_is_named() -> None:
    case = make(HALF)
    letter, code, reason = ask(case)
    assert (letter.key, letter.value, code) == (KEY, HALF, "repaired")
    assert reason == (
        "The damaged state of 'pinehurst:c-7' was repaired, lost: records. This is the row as it was."
    )
    prepared = case.transaction.prepare()
    assert decode(prepared.rows[KEY] or b"") == SOUND
    assert prepared.marks == dict.fromkeys(marks_of(KEY, [WAITING]), True) | {DAMAGED + KEY: False}


def test_a_row_of_which_nothing_can_be_read_has_to_be_discarded() -> None:
    case = make(b"\xff{")
    letter, code, reason = ask(case)
    assert (code, reason) == (
        "damaged", "Nothing of the state of 'pinehurst:c-7' can be read: repair it with --discard."
    )  # fmt: skip
    assert KEY not in case.transaction.rows
    case.transaction.outputs.clear()
    letter, code, reason = ask(case, discard=True)
    assert (letter.value, code) == (b"\xff{", "repaired")
    assert reason == "The damaged state of 'pinehurst:c-7' was discarded: this is the row as it was."
    assert case.transaction.prepare().rows[KEY] is None
    assert not case.transaction.prepare().marks[DAMAGED + KEY]


@pytest.mark.parametrize("row", [None, encode(SOUND)], ids=["nobody", "sound"])
@pytest.mark.parametrize("discard", [False, True])
def test_a_row_that_is_not_damaged_is_left_as_it_is(row: bytes | None, discard: bool) -> None:
    case = make(row)
    _, code, reason = ask(case, discard=discard)
    assert (code, reason) == ("not-damaged", "The state of 'pinehurst:c-7' is not damaged.")
    assert KEY not in case.transaction.prepare().rows


def test_a_request_on_a_foreign_partition_is_sent_on() -> None:
    case = make(None, (HERE + 1) % 4)
    request = msgspec.json.encode(RepairState(START))
    assert case.take(INBOX, request, KEY) == {INBOX: [Record(KEY, request)]}


def test_a_repaired_customer_s_inputs_are_handled_again() -> None:
    case = make(HALF)
    ask(case)
    case.take(TOPIC, event(1, "c-7"))
    customer = case.transaction.find(KEY)
    assert customer is not None
    assert customer.profile == {"name": "Ann", "events": ["e-1"]}
