"""A queue hands out what goes on from where its partition is, and sends the consumer back to what is missing."""

import pytest
from structlog.testing import capture_logs

from streams.kafka.errors import MigratedError, UnreadError
from streams.kafka.fetch import Fetch, SeekResult
from streams.partition.queue import Portion, RecordQueue
from tests.partition.model import Source

TOPIC = "customer.updated"


class Consumer:
    """A consumer at a topic that begins at `begin`; it notes where it was sent."""

    def __init__(self, begin: int = 0) -> None:
        self.begin = begin
        self.sought: list[int] = []

    async def seek(self, topic: str, partition: int, offset: int) -> SeekResult:
        if topic == "gone":
            raise UnreadError
        self.sought.append(offset)
        return SeekResult(max(offset, self.begin), len(self.sought))


def make(consumer: Consumer | None = None) -> RecordQueue:
    queue = RecordQueue(0, 4)
    queue.assign(1, (consumer or Consumer()).seek)
    return queue


def fetch(start: int, end: int, *, assignment: int = 1, seeks: int = 0, topic: str = TOPIC) -> Fetch:
    return Fetch(topic, 0, start, end, [Source(number, b"") for number in range(start, end)], assignment, seeks)


def offsets(portion: Portion | None) -> list[int]:
    assert portion is not None
    return [record.offset for record in portion.records]


async def test_a_fetch_is_handed_out_in_portions_that_say_how_far_they_go() -> None:
    queue = make()
    queue.add(fetch(0, 5))
    portions = [await queue.next({TOPIC: at}, 2) for at in (0, 2, 4)]
    assert [offsets(portion) for portion in portions] == [[0, 1], [2, 3], [4]]
    assert [portion.position for portion in portions if portion] == [2, 4, 5]
    assert not queue


async def test_what_was_handled_before_is_left_out() -> None:
    queue = make()
    queue.add(fetch(0, 5))
    assert offsets(await queue.next({TOPIC: 3}, 9)) == [3, 4]
    queue.add(fetch(0, 3))
    assert await queue.next({TOPIC: 5}, 9) is None
    assert not queue


async def test_a_fetch_from_before_the_partition_was_assigned_is_dropped_and_one_while_it_stays_is_not() -> None:
    queue = make()
    queue.add(fetch(0, 5, assignment=0))
    assert not queue
    assert queue.filled.is_set()
    queue.assign(2, Consumer().seek)
    queue.add(fetch(0, 5, assignment=1))
    assert queue


async def test_the_consumer_is_sent_back_once_to_records_that_are_missing_before_a_fetch() -> None:
    consumer = Consumer()
    queue = make(consumer)
    queue.add(fetch(3, 5))
    queue.add(fetch(5, 7))
    assert [await queue.next({TOPIC: 1}, 9) for _ in range(2)] == [None, None]
    assert consumer.sought == [1]
    queue.add(fetch(1, 3, seeks=1))
    assert offsets(await queue.next({TOPIC: 1}, 9)) == [1, 2]


async def test_where_the_missing_records_are_gone_the_topic_goes_on_at_its_beginning() -> None:
    queue = make(Consumer(begin=3))
    queue.add(fetch(3, 5))
    with capture_logs() as logs:
        assert await queue.next({TOPIC: 1}, 9) == Portion(TOPIC, (), 3)
    assert [log["log_level"] for log in logs] == ["warning"]


async def test_a_topic_that_ends_before_the_position_is_looked_into_once_and_lost_if_it_is_another() -> None:
    ids, sought = iter(["a", "a", "b"]), list[int]()

    async def seek(topic: str, partition: int, offset: int) -> SeekResult:
        sought.append(offset)
        return SeekResult(offset, len(sought), topic_id=next(ids))

    queue = RecordQueue(0, 4)
    queue.assign(1, seek)
    await queue.seek({TOPIC: 7})
    for _ in range(2):  # what was truncated is another matter
        queue.add(fetch(0, 2)._replace(known_end=2))
        assert await queue.next({TOPIC: 7}, 9) is None
    assert sought == [7, 7]
    queue.add(fetch(2, 3)._replace(known_end=3))
    with pytest.raises(MigratedError, match="was made anew"):
        await queue.next({TOPIC: 7}, 9)


async def test_a_fetch_that_came_while_the_consumer_was_sent_back_is_not_dropped_for_another() -> None:
    consumer = Consumer()
    queue = make(consumer)

    async def seek(topic: str, partition: int, offset: int) -> SeekResult:
        queue.clear()
        queue.add(fetch(1, 3, assignment=2, seeks=1))
        return SeekResult(offset, 1)

    queue.add(fetch(3, 5))
    queue.assign(2, seek)
    assert await queue.next({TOPIC: 1}, 9) is None
    assert offsets(await queue.next({TOPIC: 1}, 9)) == [1, 2]


async def test_a_topic_that_the_group_does_not_read_is_noted_until_it_is_fetched() -> None:
    queue = make()
    assert await queue.seek({"gone": 3, TOPIC: 2}) == {}
    assert queue.unread == {"gone"}
    queue.add(fetch(3, 4, topic="gone"))
    assert queue.unread == set()


async def test_further_partitions_of_a_topic_are_sought_and_handed_out_by_names_of_their_own() -> None:
    sought: list[tuple[str, int, int]] = []

    async def seek(topic: str, partition: int, offset: int) -> SeekResult:
        sought.append((topic, partition, offset))
        return SeekResult(offset, 1, topic_id=f"id of {topic}")

    queue = RecordQueue(1, 4)
    queue.assign(1, seek, [1, 5, 9])
    assert await queue.seek({f"{TOPIC}:5": 7, "old:13": 2}, [TOPIC]) == {}
    assert set(sought) == {("old", 13, 2), (TOPIC, 1, 0), (TOPIC, 5, 7), (TOPIC, 9, 0)}
    queue.add(Fetch(TOPIC, 5, 7, 9, [Source(number, b"") for number in (7, 8)], 1, 1))
    portion = await queue.next({f"{TOPIC}:5": 8}, 9)
    assert portion is not None
    assert (portion.topic, offsets(portion), portion.position) == (f"{TOPIC}:5", [8], 9)
    assert queue.ids[f"{TOPIC}:5"] == f"id of {TOPIC}"


async def test_topics_take_turns_a_portion_each_and_keep_their_own_order() -> None:
    queue = make()
    for one in (
        fetch(0, 90, topic="flood"),
        fetch(90, 150, topic="flood"),
        fetch(0, 70),
        fetch(0, 1, topic="other"),
    ):
        queue.add(one)
    positions, turns = dict[str, int](), list[tuple[str, int, int]]()
    while queue:
        portion = await queue.next(positions, 50)
        assert portion is not None
        assert offsets(portion) == list(range(positions.get(portion.topic, 0), portion.position))
        positions[portion.topic] = portion.position
        turns.append((portion.topic, len(portion.records), portion.position))
    assert turns == [
        ("flood", 50, 50), (TOPIC, 50, 50), ("other", 1, 1), ("flood", 40, 90), (TOPIC, 20, 70), ("flood", 50, 140),
        ("flood", 10, 150),
    ]  # fmt: skip


async def test_a_portion_is_at_the_end_where_nothing_more_of_its_topic_is_known() -> None:
    queue = make()
    queue.add(fetch(0, 2)._replace(known_end=3))
    queue.add(fetch(2, 3)._replace(known_end=3))
    found = []
    for at in (0, 2):
        portion = await queue.next({TOPIC: at}, 9)
        assert portion is not None
        found.append(queue.is_at_end(portion))
    queue.ends[TOPIC] = 4
    assert found == [False, True]
    assert not queue.is_at_end(Portion(TOPIC, (), 3))


def test_a_queue_knows_whether_the_broker_has_more_than_there_is_room_for() -> None:
    queue = make()
    assert not queue.lies_behind({})
    queue.ends[TOPIC] = 1001
    assert queue.lies_behind({})
    assert not queue.lies_behind({TOPIC: 1, "other": 0})


async def test_however_much_of_one_topic_waits_another_comes_first() -> None:
    queue = make()
    for start in range(0, 5000, 500):
        queue.add(fetch(start, start + 500, topic="flood"))
    await queue.next({}, 50)
    assert not queue.has_room("flood")
    assert queue.has_room(TOPIC)
    queue.add(fetch(0, 1))
    assert queue.new
    portions = [await queue.next({"flood": 50}, 50) for _ in range(2)]
    assert [portion and portion.topic for portion in portions] == [TOPIC, "flood"]
    assert not queue.new


@pytest.mark.parametrize("size", [1_000, 1_000_000, 20_000_000])
def test_what_waits_is_bounded_in_bytes_whatever_comes(size: int) -> None:
    queue, topics, waiting = make(), [f"topic-{number}" for number in range(20)], 0
    for number in range(10_000):
        topic = topics[number * number % 20]
        if queue.has_room(topic):
            queue.add(fetch(number, number + 1, topic=topic)._replace(size=size))
            waiting += size
    assert waiting <= 32 * 1024 * 1024 + 20 * size
    assert waiting <= 1000 * size + 20 * size, "or in records"


@pytest.mark.parametrize(("partitions", "room"), [(1, 1000), (4, 1000), (64, 125)])
def test_a_partition_has_room_for_its_share(partitions: int, room: int) -> None:
    queue = RecordQueue(0, partitions)
    queue.assign(1, Consumer().seek)
    queue.add(fetch(0, room - 1))
    assert queue.has_room()
    queue.add(fetch(room - 1, room))
    assert not queue.has_room()
    queue.clear()
    assert queue.has_room()
