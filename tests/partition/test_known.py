"""Customers are kept decoded while their rows are small, those seen last, as many as there is room for."""

from models.customer import Customer
from streams.partition.known import KnownCustomers

ANN, BEN = Customer("t", "ann"), Customer("t", "ben")
LARGE = bytes(64 * 1024 + 1)


def test_those_seen_last_are_kept() -> None:
    known = KnownCustomers(4)
    known.keep({b"%d" % number: ANN for number in range(5)}, {})
    assert list(known) == [b"3", b"4"]


def test_a_customer_whose_row_is_large_is_not_kept_and_kept_no_longer() -> None:
    known = KnownCustomers(4)
    known.keep({b"a": ANN, b"b": BEN}, {b"a": b"small", b"b": LARGE})
    assert known == {b"a": ANN}
    known.keep({b"a": ANN}, {b"a": LARGE})
    assert known == {}


def test_one_that_is_refused_never_comes_back() -> None:
    known = KnownCustomers(4)
    known.keep({b"a": ANN}, {})
    known.refuse(b"a")
    known.keep({b"a": ANN}, {b"a": b"small"})
    assert (known, known.may_keep(b"a", b"small")) == ({}, False)


def test_that_nobody_is_there_is_worth_keeping() -> None:
    known = KnownCustomers(4)
    known.keep({b"a": None}, {b"a": None})
    assert known == {b"a": None}
