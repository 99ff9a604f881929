"""Of a damaged row, one bad part costs itself and nothing else."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from models.customer import Candidate, Customer, Enrollment, EntryHistory, encode
from models.ids import CustomerKey, journey_id, name_uuid
from streams.engine.salvage import is_sound, salvage

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
KEY = CustomerKey.of("pinehurst", "c-7")
JOURNEY = journey_id("pinehurst", "Welcome")
ONE, TWO = name_uuid(JOURNEY, "1"), name_uuid(JOURNEY, "2")
WHOLE = Customer(
    "pinehurst", "c-7", {"name": "Ann", "age": 40},
    {
        ONE: Enrollment(ONE, JOURNEY, 1, NOW, "wait", waiting_until=NOW),
        TWO: Enrollment(TWO, JOURNEY, 1, NOW, "wait"),
    },
    {ONE: Candidate(ONE, JOURNEY, NOW)}, {JOURNEY: {"": EntryHistory(2, NOW)}},
    b"12345678", 7, ("c-1",), ({"kind": "exit", "at": "2026-11-23T10:00:00Z"},),
)  # fmt: skip


def fields() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(WHOLE)
    return found


def salvaged(row: object) -> tuple[Customer, tuple[str, ...]]:
    found = salvage(msgspec.json.encode(row), KEY)
    assert found is not None
    assert is_sound(found.customer)
    return found


def test_a_whole_row_is_read_whole() -> None:
    assert salvage(encode(WHOLE), KEY) == (WHOLE, ())
    assert is_sound(WHOLE)
    assert salvaged({}) == (Customer("pinehurst", "c-7"), ())


@pytest.mark.parametrize("row", [b"", b"{", b"[]", b"\xff", b'"text"', b"[" * 2_000])
def test_of_what_is_no_object_nothing_is_read(row: bytes) -> None:
    assert salvage(row, KEY) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("profile", []), ("enrollments", 1), ("candidates", "x"), ("history", None), ("recent", 5),
        ("records", "many"), ("merging", {}), ("deferred", [1]),
    ],
)  # fmt: skip
def test_a_part_of_another_shape_is_lost_and_the_others_stay(name: str, value: object) -> None:
    customer, lost = salvaged(fields() | {name: value})
    default = getattr(Customer("pinehurst", "c-7"), name)
    assert customer == msgspec.structs.replace(WHOLE, **{name: default})
    assert lost == (name,)


@pytest.mark.parametrize(
    "bad",
    [
        {}, {"id": TWO}, {"journeyId": "no-id"}, {"journeyId": JOURNEY.upper()}, {"enrolledAt": NAIVE},
        {"waitingUntil": NAIVE}, {"enteredAt": "soon"},
    ],
)  # fmt: skip
def test_an_enrolment_that_can_t_be_used_is_lost_and_the_others_stay(bad: dict[str, object]) -> None:
    row = fields()
    row["enrollments"][ONE] = row["enrollments"][ONE] | bad if bad else []
    customer, lost = salvaged(row)
    assert (customer.enrollments.keys(), lost) == ({TWO}, (f"enrollments '{ONE}'",))


@pytest.mark.parametrize("bad", [{}, {"kind": "count"}, {"kind": "exit", "at": "soon"}])
def test_a_deferred_input_that_is_none_is_lost_and_the_others_stay(bad: dict[str, object]) -> None:
    customer, lost = salvaged(fields() | {"deferred": [bad, *WHOLE.deferred]})
    assert (customer, lost) == (WHOLE, ("1 of deferred",))


def test_history_is_lost_journey_by_journey() -> None:
    row = fields()
    row["history"] |= {"a": {"": [1, "soon"]}, "b": {"": [1, NAIVE]}}
    customer, lost = salvaged(row)
    assert (customer.history, lost) == (WHOLE.history, ("history 'a'", "history 'b'"))


@pytest.mark.parametrize(
    "change",
    [
        {"enrollments": {"x": WHOLE.enrollments[ONE]}},
        {"enrollments": {"x": Enrollment("x", JOURNEY, 1, NOW, "wait")}},
        {"candidates": {ONE: Candidate(ONE, "no-id", NOW)}},
        {"deferred": ({"kind": "nothing"},)},
    ],
)
def test_a_row_that_the_engine_could_not_use_is_not_sound(change: dict[str, Any]) -> None:
    assert not is_sound(msgspec.structs.replace(WHOLE, **change))
