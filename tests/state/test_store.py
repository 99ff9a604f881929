"""A store moves in one write, offset and all, and knows which changelog it was made from."""

from datetime import timedelta

import pytest

from streams.state.errors import ForeignError
from streams.state.index import marks_of
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.state.machine import JOURNEYS, KEYS, NOW, place


def test_a_store_stands_where_its_last_write_stood_when_it_is_opened_again() -> None:
    entries = MemoryMap()
    marks = marks_of(KEYS[0], [place(0, JOURNEYS[0], NOW)])
    Store(entries).write({KEYS[0]: b"row"}, dict.fromkeys(marks, True), 7)
    opened = Store(entries)
    assert (opened.offset, opened.get(KEYS[0]), opened.next_due()) == (7, b"row", NOW)
    opened.write({KEYS[0]: None}, dict.fromkeys(marks, False), 9)
    opened = Store(entries)
    assert (opened.offset, opened.get(KEYS[0]), opened.next_due()) == (9, None, None)


def test_a_wait_that_is_added_before_the_first_one_is_the_next_to_fire() -> None:
    store = Store(MemoryMap())
    for number, seconds in enumerate((9, 3, 6)):
        marks = marks_of(KEYS[0], [place(number, JOURNEYS[0], NOW + timedelta(seconds=seconds))])
        store.write({}, dict.fromkeys(marks, True), number)
    assert store.next_due() == NOW + timedelta(seconds=3)


def test_a_store_is_claimed_once_and_refused_to_any_other_changelog() -> None:
    store = Store(MemoryMap())
    for _ in range(2):
        store.claim("topic 1 of cluster 1")
    with pytest.raises(
        ForeignError, match=r"^it was made from topic 1 of cluster 1, but the changelog is topic 2$"
    ):
        store.claim("topic 2")


def test_a_store_with_rows_of_an_unknown_changelog_is_refused() -> None:
    store = Store(MemoryMap())
    store.write({KEYS[0]: b"row"}, {}, 7)
    with pytest.raises(ForeignError):
        store.claim("topic 1")
