"""A topic that the group no longer reads keeps its place, and the group's offsets are told without it."""

from datetime import timedelta
from itertools import count

import msgspec

from streams.dispatch import Dispatch
from streams.engine.journeys import Journeys
from streams.fetch import Fetch, Place
from streams.ledger import UnreadError
from streams.partition import PartitionTask
from streams.store import MemoryMap
from streams.topics import COMMANDS
from streams.transaction import POSITION, Commit
from tests.streams.model import START, Broker, ModelLedger, Source, decide, event

GONE, READ = "customer.unsubscribed", "customer.updated"


async def seek(topic: str, number: int, offset: int) -> Place:
    if topic == GONE:
        raise UnreadError(f"'{topic}' is not read")
    return Place(offset, 0)


async def test_a_topic_that_is_not_read_keeps_its_position_until_it_is_read_again() -> None:
    broker, journeys = Broker(), Journeys()
    broker.commit(Commit({POSITION: msgspec.json.encode({GONE: 7, READ: 0})}, {}, {}))
    seconds = count()
    task = PartitionTask(
        Dispatch(0, 1, decide), ModelLedger(broker), MemoryMap, lambda: journeys, timedelta(0),
        clock=lambda: START + timedelta(seconds=next(seconds)),
    )  # fmt: skip
    task.intake.assign(0, seek)
    await task.open()
    task.take(Fetch(READ, 0, 0, 1, [Source(0, event(0, "c-1"))], 0, 0))
    await task.step()
    await task.commit()
    assert broker.group == {READ: 1}
    assert msgspec.json.decode(broker.rows(99)[POSITION]) == {GONE: 7, READ: 1}
    task.take(Fetch(GONE, 0, 6, 8, [Source(number, event(number, "c-1")) for number in (6, 7)], 0, 0))
    await task.step()
    await task.commit()
    assert broker.group == {READ: 1, GONE: 8}
    sent = [msgspec.json.decode(record.value or b"")["commandId"] for record in broker.emitted[COMMANDS, 0]]
    assert sent == ["e-0", "e-7"]
