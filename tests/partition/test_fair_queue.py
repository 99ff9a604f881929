"""Topics take turns, and one with a few records now and then comes before those that have waited."""

from collections.abc import Iterator

import pytest

from streams.kafka.fetch import Fetch
from streams.partition.fair_queue import FairQueue

FEW = 50  # records that may come before those that wait


def fetch(topic: str, start: int = 0) -> Fetch:
    return Fetch(topic, 0, start, start + 9, (), 0, 0)


def make(*topics: str) -> FairQueue:
    queue = FairQueue()
    for topic in topics:
        queue.add(fetch(topic))
    return queue


def turn(queue: FairQueue, records: int = 1, *, is_all: bool = True) -> str:
    """Let the topic whose turn it is take so many records, and return which it was."""
    head = next(queue.heads)
    queue.take(head.topic, records, is_all=is_all)
    return head.topic


def turns(queue: FairQueue, records: int = 1) -> Iterator[str]:
    while queue:
        yield turn(queue, records)


def test_what_comes_of_topics_of_which_nothing_waits_is_next_in_the_order_in_which_it_came() -> None:
    queue = make("flood", "import")
    turn(queue, 200, is_all=False)
    turn(queue, 200, is_all=False)
    assert not queue.new
    for topic in "abc":
        queue.add(fetch(topic))
    assert queue.new
    assert list(turns(queue)) == [*"abc", "flood", "import"]


def test_topics_that_wait_take_turns() -> None:
    queue = make("a", "b")
    assert [turn(queue, FEW, is_all=False) for _ in range(6)] == [*"ababab"]


def test_a_topic_keeps_the_order_of_its_fetches() -> None:
    queue, starts = FairQueue(), list[int]()
    for start in range(0, 90, 9):
        queue.add(fetch("a", start))
        queue.add(fetch("b", start))
    while queue:
        starts += [head.start for head in queue.heads if head.topic == "a"][:1]
        turn(queue, FEW)
        turn(queue, FEW)
    assert starts == list(range(0, 90, 9))


@pytest.mark.parametrize("records", [1, 7, FEW, 200])
@pytest.mark.parametrize("others", ["a", "abc"])
def test_one_that_waits_has_its_turn_however_often_others_come(records: int, others: str) -> None:
    queue = make("flood")
    turn(queue, 200, is_all=False)
    ahead = 0
    for number in range(1000):
        for topic in others:
            if topic not in queue:
                queue.add(fetch(topic, number))
        if turn(queue, records, is_all=next(queue.heads).topic != "flood") == "flood":
            break
        ahead += records
    assert ahead <= len(others) * (FEW - 1 + records)
    queue.add(fetch("new"))
    assert turn(queue) == "new"  # after that turn all begins anew


def test_a_topic_that_is_alone_comes_first_again_and_again() -> None:
    queue = FairQueue()
    for number in range(20):
        queue.add(fetch("a", number))
        assert queue.new
        turn(queue, FEW - 1)
    queue.add(fetch("flood"))
    turn(queue, FEW, is_all=False)
    queue.add(fetch("a"))
    assert turn(queue) == "a"


@pytest.mark.parametrize("is_dropped", [True, False], ids=["dropped", "cleared"])
def test_what_was_dropped_is_not_in_line(is_dropped: bool) -> None:
    queue = make("a")
    if is_dropped:
        queue.drop("a")
    else:
        queue.clear()
    assert not queue
    assert not queue.new
    assert "a" not in queue
    queue.add(fetch("b"))
    assert list(turns(queue)) == ["b"]


@pytest.mark.parametrize("is_dropped", [True, False], ids=["dropped", "cleared"])
def test_it_knows_how_much_waits(is_dropped: bool) -> None:
    queue = FairQueue()
    for number, topic in enumerate("aab"):
        queue.add(fetch(topic, number)._replace(records=[None] * (number + 1), size=10**number))
    assert (queue.records, queue.size) == (6, 111)
    queue.drop("a")
    assert (queue.records, queue.size) == (5, 110)
    if is_dropped:
        turn(queue)
        turn(queue)
    else:
        queue.clear()
    assert (queue.records, queue.size) == (0, 0)
