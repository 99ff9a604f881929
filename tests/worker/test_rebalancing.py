"""What the group decides reaches every reader: each gets the partitions of its own topics."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from streams.errors import FairwayError
from streams.kafka.fetch import Fetch, Seek
from streams.worker.rebalancing import Rebalancing

TP = namedtuple("TP", ["topic", "partition"])


class Signal:
    def connect(self, receiver: Callable[..., Any], **_: Any) -> None:
        self.send = receiver


class Reader:
    def __init__(self, *topics: str) -> None:
        self.topics: Sequence[str] = topics
        self.told: list[Any] = []

    def wants(self, topic: str, partition: int) -> bool:
        return True

    def take(self, fetch: Fetch) -> None: ...

    async def assign(self, partitions: Sequence[int], assignment: int, seek: Seek) -> None:
        self.told.append((partitions, assignment))


class App:
    """What rebalancing asks of Faust's app: an assignor with an opinion, and a consumer that can rejoin."""

    assignments = 7

    def __init__(self, *readers: Reader, reads_all: bool | FairwayError = True, is_shared: bool = True) -> None:
        self.readers = readers
        self.reads_all = reads_all
        self.is_shared = is_shared
        self.told: list[Any] = []
        self.rejoined = 0
        self.assignor = self.consumer = self
        self.on_partitions_assigned = Signal()

    def check(self, partitions: int) -> bool:
        if isinstance(self.reads_all, FairwayError):
            raise self.reads_all
        return self.reads_all

    async def rejoin(self) -> None:
        self.rejoined += 1

    async def seek_to(self, topic: str, partition: int, offset: int) -> Any: ...


ASSIGNED = {TP("booked", 1), TP("booked", 0), TP("inbox", 1), TP("inbox", 0), TP("activity", 3)}


def make(app: App, *, is_named: bool = False) -> list[BaseException]:
    crashed: list[BaseException] = []
    Rebalancing(app, 4, is_named=is_named, join=app.told.append, crash=crashed.append)
    return crashed


async def test_each_reader_is_given_the_partitions_of_its_topics() -> None:
    tasks, history = Reader("booked", "inbox"), Reader("activity")
    app = App(tasks, history)
    make(app)
    await app.on_partitions_assigned.send(app, ASSIGNED)
    assert tasks.told == [([0, 1], 7)]
    assert history.told == [([3], 7)]
    assert app.told == [ASSIGNED]


async def test_a_worker_that_the_group_can_t_use_is_given_nothing_and_ends_with_the_sentence() -> None:
    reader, refusal = Reader("booked"), FairwayError("Give all workers the same file.")
    app = App(reader, reads_all=refusal)
    crashed = make(app)
    await app.on_partitions_assigned.send(app, ASSIGNED)
    assert (crashed, reader.told, app.told) == ([refusal], [], [])


@pytest.mark.parametrize(("is_named", "times"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("given", [{"reads_all": False}, {"is_shared": False}], ids=["topics", "older workers"])
async def test_a_named_worker_that_knows_more_than_it_was_given_asks_once(
    is_named: bool, times: int, given: dict[str, bool]
) -> None:
    app = App(Reader("booked"), **given)
    make(app, is_named=is_named)
    for _ in range(3):
        await app.on_partitions_assigned.send(app, ASSIGNED)
    assert app.rejoined == times
