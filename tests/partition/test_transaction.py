"""A transaction holds what its slices did: all of each, or nothing of one that ended with an error."""

from datetime import timedelta

import pytest

from models.customer import Customer, decode, encode
from streams.engine.effects import Outcome
from streams.partition.internal_rows import POSITION
from streams.partition.known import KnownCustomers
from streams.partition.outputs import OversizeError
from streams.partition.transaction import Transaction
from streams.state.index import marks_of
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import START, Records, make_router, place
from tests.small import command

KEY = b"pinehurst:c-7"
NOBODY = Customer("pinehurst", "c-7")
WAITING = Customer("pinehurst", "c-7", enrollments={"x": place("e-1", START, START + timedelta(hours=1))})


def begin(row: Customer | None = None, known: Customer | None = None, room: int = 1_000_000) -> Transaction:
    store = Store(MemoryMap())
    store.write({} if row is None else {KEY: encode(row)}, {}, 1)
    customers = KnownCustomers(9)
    customers.keep({} if known is None else {KEY: known}, {})
    return Transaction(store, customers, {}, make_router(room=room), lambda _: Records())


def change(transaction: Transaction, *states: Customer | None) -> None:
    for state in states:
        with transaction.slice([KEY]) as slice_:
            slice_.apply(KEY, slice_.customer(KEY), Outcome(state))
            assert slice_.customer(KEY) == state
        assert transaction.find(KEY) == state


def row(transaction: Transaction) -> Customer | None:
    found = transaction.prepare().rows[KEY]
    return None if found is None else decode(found)


def test_who_comes_once_is_encoded_and_let_go() -> None:
    transaction = begin()
    change(transaction, WAITING)
    assert (transaction.customers, row(transaction)) == ({}, WAITING)
    assert transaction.marks == dict.fromkeys(marks_of(KEY, WAITING.enrollments.values()), True)


def test_who_comes_again_is_kept_and_the_last_state_counts() -> None:
    transaction = begin(NOBODY)
    change(transaction, WAITING, NOBODY)
    assert (transaction.customers, row(transaction)) == ({KEY: NOBODY}, NOBODY)
    assert transaction.marks == dict.fromkeys(marks_of(KEY, WAITING.enrollments.values()), False)


def test_who_is_known_from_before_is_kept_at_once() -> None:
    transaction = begin(NOBODY, known=NOBODY)
    change(transaction, WAITING)
    assert (transaction.customers, row(transaction)) == ({KEY: WAITING}, WAITING)


def test_who_is_erased_leaves_a_tombstone_and_may_come_again() -> None:
    transaction = begin(WAITING)
    change(transaction, None)
    assert row(transaction) is None
    change(transaction, NOBODY, WAITING)
    assert row(transaction) == WAITING
    assert set(transaction.marks.values()) == {True}


def test_who_did_not_change_has_no_row_to_write() -> None:
    for transaction in (begin(NOBODY), begin(NOBODY, known=NOBODY)):
        with transaction.slice() as slice_:
            before = slice_.customer(KEY)
            slice_.apply(KEY, before, Outcome(before))
        assert KEY not in transaction.prepare().rows


def test_a_slice_that_ends_with_an_error_leaves_no_trace() -> None:
    transaction = begin(NOBODY)

    def fail() -> None:
        with transaction.slice([KEY]) as slice_:
            slice_.apply(KEY, slice_.customer(KEY), Outcome(WAITING))
            slice_.emit(KEY, (command("1", "t"),))
            slice_.put(b":row", 1)
            slice_.mark(b"w", stands=True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert_empty(transaction)


def test_a_slice_of_which_something_is_too_large_leaves_no_trace() -> None:
    def write_too_much(transaction: Transaction) -> None:
        with transaction.slice([KEY, b"other"]) as slice_:
            slice_.apply(KEY, slice_.customer(KEY), Outcome(WAITING))
            slice_.apply(b"other", None, Outcome(Customer("t", "x" * 600)))
            slice_.emit(KEY, (command("1", "t"),))

    for transaction in (begin(NOBODY, room=500), begin(NOBODY, known=NOBODY, room=500)):
        with pytest.raises(OversizeError):
            write_too_much(transaction)
        assert_empty(transaction)


def test_what_the_last_slice_did_is_seen_by_the_next_whichever_way_it_was_kept() -> None:
    transaction = begin()
    for size in (10, 70_000, 10):
        grown = Customer("pinehurst", "c-7", {"text": "x" * size})
        change(transaction, grown)
        with transaction.slice([KEY]) as slice_:
            assert slice_.customer(KEY) == grown


def test_a_stale_mark_goes_unless_the_transaction_has_set_it_again() -> None:
    transaction = begin()
    with transaction.slice() as slice_:
        slice_.mark(b"w1", stands=True)
    with transaction.slice() as slice_:
        slice_.drop_stale(b"w1")
        slice_.drop_stale(b"w2")
    assert transaction.marks == {b"w1": True, b"w2": False}


def test_a_position_is_a_row() -> None:
    transaction = begin()
    assert not transaction.has_moved
    transaction.advance("topic", 7, inputs=2)
    assert (transaction.has_moved, transaction.inputs) == (True, 2)
    assert transaction.prepare().rows == {POSITION: b'{"topic":7}'}


def assert_empty(transaction: Transaction) -> None:
    assert transaction.find(KEY) == NOBODY
    assert transaction.prepare() == ({POSITION: b"{}"}, {}, {})
    assert transaction.outputs.size == 0
