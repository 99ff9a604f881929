"""Waits are counted in parts that add up, round after round, held ones among them."""

from streams.state.counting import WaitCount
from streams.state.memory import MemoryMap
from streams.state.store import Store


def store(waits: int, held: int) -> Store:
    found = Store(MemoryMap())
    marks = [b"w%03d" % number for number in range(waits)] + [b"h%03d" % number for number in range(held)]
    found.write({b"t:c": b"{}"}, dict.fromkeys([*marks, b"m1", b"d1"], True), 1)
    return found


def test_one_look_suffices_for_few() -> None:
    one = store(7, 3)
    count = WaitCount(one)
    assert [count.go_on(100), count.go_on(100)] == [10, 10]
    one.write({}, {b"w000": False, b"h000": False, b"h001": False}, 2)
    assert count.go_on(100) == 7
    assert WaitCount(store(0, 0)).go_on(100) == 0


def test_many_are_counted_over_several_looks_and_told_as_the_last_round_found_them() -> None:
    one = store(7, 3)
    count = WaitCount(one)
    assert [count.go_on(4) for _ in range(3)] == [4, 8, 10]
    one.write({}, dict.fromkeys([b"w1%02d" % number for number in range(5)], True), 2)
    assert [count.go_on(4) for _ in range(4)] == [10, 10, 10, 15]


def test_parts_that_end_with_a_kind_are_none_too_many() -> None:
    for most in range(1, 12):
        count = WaitCount(store(6, 3))
        assert max(count.go_on(most) for _ in range(40)) == 9


def test_another_store_is_counted_anew() -> None:
    one, other = store(1, 0), store(1, 0)
    assert WaitCount(one).is_of(one)
    assert not WaitCount(one).is_of(other)
