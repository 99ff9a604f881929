"""A reader that comes up later is handed what was assigned meanwhile, and takes nothing before."""

from collections.abc import Sequence

from streams.kafka.fetch import Fetch, Seek
from streams.worker.deferred import DeferredReader
from tests.partition.model import seek

FETCH = Fetch("activity", 1, 0, 1, (), 3, 0)


class Late:
    """A reader that notes what it is told."""

    topics: Sequence[str] = ("activity",)

    def __init__(self) -> None:
        self.told: list[object] = []

    def wants(self, topic: str, partition: int) -> bool:
        return partition == 1

    def take(self, fetch: Fetch) -> None:
        self.told.append(fetch)

    async def assign(self, partitions: Sequence[int], assignment: int, seek: Seek) -> None:
        self.told.append((tuple(partitions), assignment))


async def test_it_wants_nothing_before_the_reader_is_there_and_passes_all_on_after() -> None:
    deferred, late = DeferredReader(("activity",)), Late()
    await deferred.assign([0, 1], 3, seek)
    deferred.take(FETCH)
    assert not deferred.wants("activity", 1)
    await deferred.arrive(late)
    assert deferred.wants("activity", 1)
    assert not deferred.wants("activity", 0)
    deferred.take(FETCH)
    await deferred.assign([1], 4, seek)
    assert late.told == [((0, 1), 3), FETCH, ((1,), 4)]


async def test_of_what_was_assigned_meanwhile_only_the_last_is_handed_on() -> None:
    deferred, late = DeferredReader(("activity",)), Late()
    await deferred.assign([0], 3, seek)
    await deferred.assign([], 4, seek)
    await deferred.arrive(late)
    assert late.told == [((), 4)]
