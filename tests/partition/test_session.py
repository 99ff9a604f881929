"""A session commits all that it did, goes on where the last owner stopped, and rewinds where it must."""

import asyncio
from datetime import timedelta
from itertools import count

import msgspec
import pytest

from models.customer import decode
from streams.errors import FairwayError
from streams.kafka.errors import UnreadError
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.records import Commit
from streams.kafka.topics import COMMANDS, DEAD_LETTERS
from streams.partition import transaction
from streams.partition.internal_rows import POSITION
from streams.partition.pacing import Pacing
from streams.partition.task import PartitionTask
from tests.partition.model import START, Broker, Source, event, make_task

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
    assert broker.group == {READ: 1}
    assert msgspec.json.decode(broker.rows(99)[POSITION]) == {GONE: 7, READ: 1}
    task.take(Fetch(GONE, 0, 6, 8, [Source(number, event(number, "c-1")) for number in (6, 7)], 0, 0))
    await session.step()
    await session.commit()
    assert broker.group == {READ: 1, GONE: 8}
    sent = [msgspec.json.decode(record.value or b"")["commandId"] for record in broker.emitted[COMMANDS, 0]]
    assert sent == ["e-0", "e-7"]


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
        "events would come to one that does not know them. Make the topics anew with the first number, "
        "or start afresh with another FAIRWAY_APP_ID."
    )


async def test_the_group_s_offsets_go_along_once_a_second_and_at_a_flush() -> None:
    now = START
    broker = Broker()
    task = make_task(broker, clock=lambda: now)
    session = await task.open()
    told = []
    for number, seconds in enumerate((0.0, 0.5, 0.4, 0.2, 0.1)):
        now += timedelta(seconds=seconds)
        task.take(Fetch(READ, 0, number, number + 1, [Source(number, event(number, "c-1"))], 0, 0))
        await session.step()
        await session.commit()
        told.append(broker.group.get(READ, 0))
    assert told == [0, 0, 0, 4, 4]
    flushing = asyncio.create_task(task.flush())
    await asyncio.sleep(0)
    await session.step()
    await flushing
    assert broker.group[READ] == 5


async def test_a_row_that_grew_too_large_input_by_input_takes_nothing_else_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transaction, "MAX_RECORD", 250)
    broker = Broker()
    sought = list[int]()

    async def seek(topic: str, number: int, offset: int) -> SeekResult:
        sought.append(offset)
        return SeekResult(offset, len(sought))

    task = make_task(broker, seek=seek, pacing=Pacing(slice_records=1, slice_time=timedelta()))
    session = await task.open()
    records = [Source(number, event(number, "c-1" if number % 2 else "c-2")) for number in range(40)]
    for attempt in range(2):
        task.take(Fetch(READ, 0, 0, 40, records, 0, attempt))
        while task.queue:
            await session.step()
        await session.commit()
    assert task.session is session  # nothing was fenced, nothing restored
    rows = {key: row for key, row in broker.rows(broker.changelog_end).items() if not key.startswith(b":")}
    assert all(len(row) <= 250 for row in rows.values())
    handled = sum(len(decode(row).profile["events"]) for row in rows.values())
    assert handled == len(broker.emitted[COMMANDS, 0])
    assert handled + len(broker.emitted[DEAD_LETTERS, 0]) == 40
