"""What the transport hands to those who read: all records of one fetch of a topic's partition, in one piece."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from streams.kafka.records import Headers


class SourceRecord(Protocol):
    """A record as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Fetch(NamedTuple):
    """Records from `start` to before `end`, without a gap: offsets between that are missing hold nothing to read.

    `seeks` counts how often the consumer had been told to seek on this partition, so that whoever asked can
    tell what was fetched before from what comes after. `known_end` is up to where the topic's partition could be
    read when the broker was last asked for more. `size` is how many bytes were decompressed for it, at most.
    `assignment` counts how often the group had given this worker its partitions: not the group's generation, which
    begins anew where a broker has forgotten the group.
    """

    topic: str
    partition: int
    start: int
    end: int
    records: Sequence[SourceRecord]
    assignment: int
    seeks: int
    known_end: int = 0
    size: int = 0


class SeekResult(NamedTuple):
    """Where a topic's partition goes on after a seek, the `seeks` of fetches that follow, and where it ends now.

    `topic_id` is what no other topic has, nor one that is made anew under the name; empty if it is not known.
    """

    offset: int
    seeks: int
    end: int = 0
    topic_id: str = ""


Seek = Callable[[str, int, int], Awaitable[SeekResult]]
"""Move the consumer to (topic, partition, offset), or to where the topic begins now; raises MigratedError."""


class Reader(Protocol):
    """Who reads some topics: the partition tasks, or a projection."""

    topics: Sequence[str]

    def wants(self, topic: str, partition: int) -> bool:
        """Say whether the next fetch may hold this partition; False is back-pressure."""

    def take(self, fetch: Fetch) -> None:
        """Take a fetch in; never waits."""

    async def assign(self, partitions: Sequence[int], assignment: int, seek: Seek) -> None:
        """Own these partitions from now on, and no others."""


def share(whole: int, partitions: int) -> int:
    """Return what one of so many partitions gets: a quarter at most, and of what few would get some at least."""
    return max(whole // 32, min(whole // 4, whole // partitions))
