"""A transaction's customers: as of now within it, and one row each when it is encoded."""

from datetime import timedelta

from models.customer import Customer, decode, encode
from streams.partition.transaction import Transaction
from streams.state.index import marks_of
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import START, Records, place

KEY = b"pinehurst:c-7"
NOBODY = Customer("pinehurst", "c-7")
WAITING = Customer("pinehurst", "c-7", enrollments={"x": place("e-1", START, START + timedelta(hours=1))})


def begin(row: Customer | None = None, known: Customer | None = None) -> Transaction:
    store = Store(MemoryMap())
    store.write({} if row is None else {KEY: encode(row)}, {}, 1)
    return Transaction(store, {} if known is None else {KEY: known}, {}, Records)


def change(transaction: Transaction, *states: Customer | None) -> None:
    for state in states:
        transaction.change(KEY, transaction.customer(KEY), state)
        assert transaction.customer(KEY) == state
        transaction.encode_changes()
        assert transaction.customer(KEY) == state


def row(transaction: Transaction) -> Customer | None:
    found = transaction.encode()[0].rows[KEY]
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
        before = transaction.customer(KEY)
        transaction.change(KEY, before, before)
        assert KEY not in transaction.encode()[0].rows
