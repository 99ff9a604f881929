"""A mark says what was put in, and sorts as it must."""

from datetime import UTC, datetime, timedelta

import pytest

from models.customer import Customer, encode
from streams.state import index
from tests.state.machine import ENROLLMENTS, JOURNEYS, KEYS, NOW, place


def test_a_wait_s_mark_says_what_was_put_in_to_the_microsecond() -> None:
    due = datetime(2026, 11, 23, 10, 0, 0, 123457, tzinfo=UTC)
    member, wait = sorted(index.marks_of(KEYS[0], [place(0, JOURNEYS[0], due)]))
    expected = index.DueWait(due, ENROLLMENTS[0], JOURNEYS[0], KEYS[0])
    assert member == b"m" + index.pack(JOURNEYS[0]) + KEYS[0]
    assert index.read_wait(wait) == expected
    assert index.read_wait(index.hold(wait)) == expected
    assert wait < index.due_before(due)
    assert wait >= index.due_before(due - timedelta(microseconds=1))


def test_a_row_s_marks_are_those_of_its_enrolments() -> None:
    places = [place(0, JOURNEYS[0], NOW), place(1, JOURNEYS[1], None)]
    row = encode(Customer("pinehurst", "c-1", enrollments={one.id: one for one in places}))
    assert index.marks_of_row(KEYS[0], row) == index.marks_of(KEYS[0], places)


@pytest.mark.parametrize(("key", "row"), [(KEYS[0], None), (KEYS[0], b"{}"), (b":joined", b'["enrollments"]')])
def test_a_row_without_enrolments_and_one_that_is_no_customer_s_have_no_marks(
    key: bytes, row: bytes | None
) -> None:
    assert index.marks_of_row(key, row) == set()


@pytest.mark.parametrize(
    "row",
    [
        b'{"enrollments":',
        b'{"enrollments":[]}',
        b'{"tenantId":"t","customerId":"c","enrollments":{"x":{}}}',
        encode(Customer("t", "c", enrollments={"x": place(0, JOURNEYS[0], NOW)})),
        b'"enrollments"\xff',
    ],
)
def test_a_row_whose_enrolments_can_t_be_used_has_the_mark_of_the_damaged(row: bytes) -> None:
    assert index.marks_of_row(KEYS[0], row) == {b"d" + KEYS[0]}
