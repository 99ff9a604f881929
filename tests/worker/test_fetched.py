"""Of what was fetched, readers that are full leave it: they are asked soon again, and by and by less often."""

from collections.abc import Set

from faust.types import TP

from streams.worker.fetched import Fetched

ONE, OTHER = TP("teetime.booked", 0), TP("fairway.activity", 1)
SOON, SELDOM = 0.02, 0.2


class Readers:
    """Readers of which some have room, and who was asked."""

    def __init__(self, *fetched: TP, free: Set[TP] = frozenset()) -> None:
        self.free = free
        self.asked: set[TP] = set()
        self.fetched = Fetched(self.wants)
        for place in fetched:
            self.fetched[place] = object()

    def wants(self, topic: str, partition: int) -> bool:
        place = TP(topic, partition)
        assert place not in self.asked
        self.asked.add(place)
        return place in self.free

    def ask(self, now: float) -> set[TP]:
        """Choose, and return who was asked."""
        self.asked.clear()
        assert self.fetched.choose(now) == self.asked & self.free
        return self.asked


def test_who_has_room_is_chosen_until_it_is_taken() -> None:
    readers = Readers(ONE, OTHER, free={ONE})
    assert readers.ask(0.0) == {ONE, OTHER}
    assert readers.ask(0.002) == {ONE}
    del readers.fetched[ONE]
    assert readers.ask(0.003) == set()
    readers.fetched[ONE] = object()
    assert readers.ask(0.004) == {ONE}


def test_who_is_full_is_asked_soon_again_and_who_comes_meanwhile_at_once() -> None:
    readers = Readers(ONE)
    assert readers.ask(0.0) == {ONE}
    assert readers.ask(0.002) == set()
    readers.fetched[OTHER] = object()
    assert readers.ask(0.003) == {OTHER}
    assert round(readers.fetched.ask_again_after(0.01) or 0.0, 6) == SOON / 2
    assert readers.ask(0.021) == {ONE, OTHER}


def test_who_has_been_full_for_a_second_is_asked_seldom() -> None:
    readers = Readers(OTHER)
    for now in (0.0, 0.1, 0.21, 0.3, 0.42, 0.63, 0.84):
        assert readers.ask(now) == {OTHER}
    readers.fetched[ONE] = object()
    assert readers.ask(1.05) == {ONE, OTHER}
    assert readers.ask(1.1) == {ONE}
    assert round(readers.fetched.ask_again_after(1.1) or 0.0, 6) == SOON
    assert readers.ask(1.26) == {ONE, OTHER}
    readers.free = {ONE, OTHER}
    assert readers.ask(1.36) == {ONE}
    del readers.fetched[ONE]
    assert round(readers.fetched.ask_again_after(1.36) or 0.0, 6) == SELDOM / 2
    assert readers.ask(1.47) == {OTHER}
    assert readers.fetched.ask_again_after(1.47) is None


def test_what_has_gone_is_asked_for_no_more_and_nobody_waits_for_it() -> None:
    readers = Readers(ONE)
    readers.ask(0.0)
    readers.fetched.clear()
    assert readers.ask(0.1) == set()
    assert readers.ask(0.2) == set()
    assert readers.fetched.ask_again_after(0.2) is None


def test_all_are_asked_at_once_when_one_is_told_where_to_go_on() -> None:
    readers = Readers(ONE)
    readers.ask(0.0)
    readers.ask(5.0)
    assert readers.ask(5.1) == set()
    readers.fetched.expect()
    assert readers.ask(5.11) == {ONE}
    assert round(readers.fetched.ask_again_after(5.11) or 0.0, 6) == SOON
