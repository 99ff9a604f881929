"""A reader that takes part from the start, but comes up later: its imports take seconds that partitions need."""

from collections.abc import Sequence

from streams.kafka.fetch import Fetch, Reader, Seek


class DeferredReader:
    """Stands in for a reader of these topics: wants nothing before `arrive`, then is that reader."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.topics = topics
        self._reader: Reader | None = None
        self._assigned: tuple[Sequence[int], int, Seek] | None = None

    async def arrive(self, reader: Reader) -> None:
        """Hand everything to this reader from now on, first what is assigned already."""
        self._reader = reader
        if self._assigned is not None:
            await reader.assign(*self._assigned)

    def wants(self, topic: str, partition: int) -> bool:
        """Say whether the reader is there and has room."""
        return self._reader is not None and self._reader.wants(topic, partition)

    def take(self, fetch: Fetch) -> None:
        """Hand a fetch on."""
        if self._reader is not None:
            self._reader.take(fetch)

    async def assign(self, partitions: Sequence[int], assignment: int, seek: Seek) -> None:
        """Let the reader own these partitions, or remember them for it."""
        self._assigned = (partitions, assignment, seek)
        if self._reader is not None:
            await self._reader.assign(partitions, assignment, seek)
