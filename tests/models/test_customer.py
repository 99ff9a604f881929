"""A customer's memory of events."""

from models.customer import Customer, fingerprint, remember, remembers


def test_R7_a_match_across_two_marks_is_none() -> None:
    one, other = b"AAAAAAAB", b"BBBBBBBB"
    across = (one + other)[1:9]
    assert not remembers(one + other, across)
    assert remembers(one + other + across, across)
    assert remembers(one + other, other)


def test_R7_the_oldest_is_forgotten_first() -> None:
    recent = b""
    for number in range(257):
        recent = remember(recent, fingerprint(f"e-{number}"))
    assert not remembers(recent, fingerprint("e-0"))
    assert remembers(recent, fingerprint("e-1"))
    assert len(recent) == 256 * 8


def test_a_new_customer_has_nothing() -> None:
    assert Customer("pinehurst", "c-7").enrollments == {}
