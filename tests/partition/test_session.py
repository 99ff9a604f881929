"""A session commits all that it did, goes on where the last owner stopped, and rewinds where it must."""

import asyncio
from datetime import timedelta
from itertools import count

import msgspec
import pytest
from structlog.testing import capture_logs

from models.customer import decode
from streams.errors import FairwayError
from streams.kafka.errors import MigratedError, UnreadError
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.limits import Limits
from streams.kafka.records import Commit
from streams.kafka.topics import COMMANDS, DEAD_LETTERS, INBOX
from streams.partition.internal_rows import POSITION
from streams.partition.pacing import Pace, Pacing
from streams.partition.task import PartitionTask
from tests.partition.model import START, Broker, ModelProducer, Source, event, make_task, wait_id

GONE, READ = "customer.unsubscribed", "customer.updated"


async def seek(topic: str, number: int, offset: int) -> SeekResult:
    if topic == GONE:
        raise UnreadError(f"'{topic}' is not read")
    return SeekResult(offset, 0)


async def test_a_topic_that_is_not_read_keeps_its_position_until_it_is_read_again() -> None:
    broker = Broker()
    broker.commit(Commit({POSITION: msgspec.json.encode({GONE: 7, READ: 0})}, {}, {}))
    seconds = count()
    task = make_task(broker, seek=seek, clock=lambda: START + timedelta(seconds=next(seconds)))
    session = await task.open()
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 0))
    await session.step()
    await session.commit()
    assert broker.group == {INBOX: 0, READ: 1}
    assert msgspec.json.decode(broker.rows(99)[POSITION]) == {GONE: 7, READ: 1}
    task.take(Fetch(GONE, 0, 6, 8, [Source(number, event(number, "c-1")) for number in (6, 7)], 0, 0))
    await session.step()
    await session.commit()
    assert broker.group == {INBOX: 0, READ: 1, GONE: 8}
    assert commands(broker) == ["e-0", "e-7"]


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    broker, ids = Broker(), {READ: "topic 1", COMMANDS: "topic 9"}

    async def seek(topic: str, number: int, offset: int) -> SeekResult:
        return SeekResult(offset, 0, 1, ids[topic])

    async def handle(*numbers: int) -> None:
        task = make_task(broker, seek=seek, topics=(READ,))
        session = await task.open()
        source = [Source(offset, event(number, "c-1")) for offset, number in enumerate(numbers)]
        task.take(Fetch(READ, 0, 0, len(source), source, 0, 0, len(source)))
        await session.step()
        await session.commit()
        await task.close(None)

    await handle(0, 1, 2)
    await handle(0, 1, 2)  # redelivered
    assert commands(broker) == ["e-0", "e-1", "e-2"]
    ids[READ] = "topic 2"
    with capture_logs() as logs:
        await handle(3, 4)
    assert commands(broker) == ["e-0", "e-1", "e-2", "e-3", "e-4"]
    assert sum("was made anew" in str(log) for log in logs) == 1


async def test_a_partition_whose_state_was_made_with_another_number_of_partitions_is_refused() -> None:
    broker = Broker()

    async def open_one_of(partitions: int) -> PartitionTask:
        task = make_task(broker, partitions=partitions)
        await (await task.open()).commit()
        return task

    for _ in range(2):
        await (await open_one_of(4)).close(None)
    with pytest.raises(FairwayError) as refusal:
        await open_one_of(8)
    assert str(refusal.value) == (
        "The state of partition 0 was made when there were 4 partitions, and now there are 8: most customers' "
        "events would come to one that does not know them. Where topics.yaml was changed, change it back; "
        "'fairway state move' moves the state."
    )


async def test_the_group_s_offsets_go_along_with_each_commit() -> None:
    broker = Broker()
    task = make_task(broker)
    session = await task.open()
    for number in range(3):
        task.take(Fetch(READ, 0, number, number + 1, [Source(number, event(number, "c-1"))], 0, 0))
        await session.step()
        await session.commit()
        assert broker.group[READ] == number + 1


async def test_a_flush_commits_what_is_on_its_way_and_what_is_done_since() -> None:
    broker = Broker()
    task = make_task(broker)
    session = await task.open()
    await session.step()
    await session.commit()
    task._producer.holds = True
    for number in range(2):
        task.take(Fetch(READ, 0, number, number + 1, [Source(number, event(number, "c-1"))], 0, 0))
        await session.step()
        await asyncio.sleep(0)  # the first commit is on its way, and the second input handled meanwhile
    flushing = asyncio.create_task(task.flush())
    await asyncio.sleep(0)
    stepping = asyncio.create_task(session.step())
    while not flushing.done():
        task._producer.arrive("")
        await asyncio.sleep(0)
    await stepping
    assert broker.group[READ] == 2
    assert commands(broker) == ["e-0", "e-1"]


async def test_partitions_of_a_worker_commit_together() -> None:
    now, pace = START, Pace(Pacing(timedelta(seconds=10)), START)
    sessions = []
    for task in [make_task(Broker(), pace=pace, clock=lambda: now) for _ in range(3)]:
        session = await task.open()
        await session.step()
        await session.commit()
        sessions.append((task, session))
    first, second, idle = sessions
    for task, _ in (first, second):
        task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 0))
    now += timedelta(milliseconds=5)
    await second[1].step()  # another has just committed
    assert commands(second[0]._producer.broker) == []
    now += timedelta(seconds=11)
    for _, session in sessions:
        await session.step()  # the first one's time has come, and the second goes along
        await asyncio.sleep(0)
    assert [commands(task._producer.broker) for task, _ in sessions] == [["e-0"], ["e-0"], []]
    assert not await idle[1].step()


async def test_a_row_that_grew_too_large_input_by_input_takes_nothing_else_with_it() -> None:
    broker = Broker()
    sought = list[int]()

    async def seek(topic: str, number: int, offset: int) -> SeekResult:
        sought.append(offset)
        return SeekResult(offset, len(sought))

    small = Limits({"changelog": 840})
    pacing = Pacing(slice_records=1, slice_time=timedelta())
    task = make_task(broker, seek=seek, pacing=pacing, limits=small, topics=(READ,))
    session = await task.open()
    records = [Source(number, event(number, "c-1" if number % 2 else "c-2")) for number in range(80)]
    for _ in range(4):  # each of the two rows is found to be too large at a commit, and then at its inputs
        task.take(Fetch(READ, 0, 0, 80, records, 0, len(sought)))
        while task.queue:
            await session.step()
        await session.commit()
    assert task.session is session  # nothing was fenced, nothing restored
    rows = {key: row for key, row in broker.rows(broker.changelog_end).items() if not key.startswith(b":")}
    assert all(len(row) <= 320 for row in rows.values())
    handled = sum(len(decode(row).profile["events"]) for row in rows.values())
    assert handled == len(broker.emitted[COMMANDS, 0])
    assert handled + len(broker.emitted[DEAD_LETTERS, 0]) == 80


async def test_records_of_a_topic_without_a_position_are_read_again_after_a_commit_was_lost() -> None:
    broker, cursor = Broker(), {READ: 0, GONE: 0}

    async def seek(topic: str, number: int, offset: int) -> SeekResult:
        cursor[topic] = offset
        return SeekResult(offset, 1)

    task = make_task(broker, seek=seek, topics=(READ, GONE))
    session = await task.open()
    cursor[READ] = 1  # the consumer goes on
    producer = task._producer
    assert isinstance(producer, ModelProducer)
    producer.fault = "lost before"
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 1))
    with pytest.raises(MigratedError):
        await session.step()
    task._end_session("lost")
    session = await task.open()
    assert cursor == {READ: 0, GONE: 0}
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 1))
    await session.step()
    await session.commit()
    assert len(broker.emitted[COMMANDS, 0]) == 1


async def test_a_topic_without_a_position_that_lost_its_oldest_records_long_ago_is_read_from_where_it_begins() -> (
    None
):
    async def seek(topic: str, number: int, offset: int) -> SeekResult:
        return SeekResult(max(offset, 40), 1)

    with capture_logs() as logs:
        task = make_task(broker := Broker(), seek=seek, topics=(READ,))
        session = await task.open()
        task.take(Fetch(READ, 0, 40, 41, [Source(40, event(40, "c-1"))], 0, 1))
        await session.step()
        await session.commit()
    assert len(broker.emitted[COMMANDS, 0]) == 1
    assert logs == []


async def test_R32_what_lay_in_a_topic_when_the_partition_was_opened_comes_before_the_waits_that_were_due() -> None:
    now, broker = START, Broker()
    task = make_task(broker, seek=seek, clock=lambda: now, topics=(READ,))
    session = await task.open()
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1", wait=60))], 0, 1))
    await session.step()
    await session.commit()
    task._end_session("lost")

    now += timedelta(hours=1)  # an outage, in which the wait falls due and an event comes

    async def seek_before_the_end(topic: str, number: int, offset: int) -> SeekResult:
        return SeekResult(offset, 0, end=2)

    task.queue.assign(0, seek_before_the_end)
    session = await task.open()
    for _ in range(3):
        await session.step()
        now += timedelta(seconds=1)
    assert commands(broker) == ["e-0"]
    task.take(Fetch(READ, 0, 1, 2, [Source(1, event(1, "c-2"))], 0, 1, known_end=2))
    await session.step()
    await session.commit()
    assert commands(broker) == ["e-0", "e-1", wait_id("e-0")]


async def test_R32_a_fetch_tells_what_a_wait_comes_after() -> None:
    now, broker = START, Broker()
    task = make_task(
        broker, clock=lambda: now, topics=(READ,), pacing=Pacing(slice_records=1, slice_time=timedelta())
    )
    session = await task.open()
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1", wait=60))], 0, 1, known_end=1))
    await session.step()
    await session.commit()
    now += timedelta(seconds=61)
    task.take(Fetch(READ, 0, 1, 3, [Source(number, event(number, "c-2")) for number in (1, 2)], 0, 1, known_end=4))
    for _ in range(3):
        await session.step()
        await session.commit()
        now += timedelta(seconds=0.1)
    assert commands(broker) == ["e-0", "e-1", "e-2"]
    task.take(Fetch(READ, 0, 3, 4, [Source(3, event(3, "c-2"))], 0, 1, known_end=9))
    await session.step()
    await session.commit()
    assert commands(broker) == ["e-0", "e-1", "e-2", "e-3", wait_id("e-0")]


def commands(broker: Broker) -> list[str]:
    return [msgspec.json.decode(record.value or b"")["commandId"] for record in broker.emitted[COMMANDS, 0]]


@pytest.mark.parametrize("earlier", [0, 3], ids=["a customer who is new", "one who is kept decoded"])
async def test_what_comes_while_a_commit_is_on_its_way_goes_on_from_it(earlier: int) -> None:
    broker = Broker()
    task = make_task(broker)
    session = await task.open()

    async def take(start: int, end: int) -> None:
        source = [Source(number, event(number, "c-1")) for number in range(start, end)]
        task.take(Fetch(READ, 0, start, end, source, 0, 0))
        await session.step()
        await asyncio.sleep(0)

    for number in range(earlier):
        await take(number, number + 1)
    await session.commit()
    task._producer.holds = True
    for number in range(earlier, earlier + 2):
        await take(number, number + 1)
    committing = asyncio.create_task(session.commit())
    while not committing.done():
        task._producer.arrive("")
        await asyncio.sleep(0)
    row = broker.rows(broker.changelog_end)[b"pinehurst:c-1"]
    assert decode(row).profile["events"] == [f"e-{number}" for number in range(earlier + 2)]
