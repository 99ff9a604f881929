"""A partition's input: fetches in a queue, each taken only where it goes on from what was taken before."""

from collections import deque
from datetime import datetime

import structlog

from streams.kafka.errors import UnreadError
from streams.kafka.fetch import Fetch, Seek, share
from streams.partition.processor import Processor
from streams.partition.transaction import Transaction

# Records waiting in all partitions together: of more, each is out of the processor's cache by its turn.
_ROOM = 4000
_log = structlog.get_logger()


class RecordQueue:
    """The queue of one partition. Where records are missing before a fetch, the consumer is sent back to them."""

    def __init__(self, partition: int, partitions: int) -> None:
        self._partition = partition
        self._room = share(_ROOM, partitions)
        self._queue: deque[Fetch] = deque()
        self._waiting = 0
        self._taken = 0  # records of the first fetch in the queue that are done
        self._seeks: dict[str, int] = {}
        self._seek: Seek | None = None
        self.unread: set[str] = set()  # topics that have a position, but that the group does not read
        self.generation = -1

    def __bool__(self) -> bool:
        return bool(self._queue)

    def assign(self, generation: int, seek: Seek) -> None:
        """Take fetches of this generation of the consumer group from now on."""
        self.generation, self._seek = generation, seek

    def has_room(self) -> bool:
        """Say whether another fetch is welcome."""
        return self._waiting < self._room

    def add(self, fetch: Fetch) -> None:
        """Queue a fetch; one from before the last rebalance is dropped, for it will be fetched again."""
        if fetch.generation == self.generation:
            self._queue.append(fetch)
            self.unread.discard(fetch.topic)
            self._waiting += len(fetch.records)

    def forget(self) -> None:
        """Drop what is queued."""
        self._queue.clear()
        self._waiting = self._taken = 0

    async def seek(self, positions: dict[str, int]) -> None:
        """Let the consumer go on at these positions; what a topic no longer holds is passed over, and logged."""
        assert self._seek is not None, "Assign before input."
        for topic, position in tuple(positions.items()):
            try:
                place = await self._seek(topic, self._partition, position)
            except UnreadError:
                self.unread.add(topic)
                continue
            self._seeks[topic] = place.seeks
            if place.offset > position:
                positions[topic] = place.offset
                _log.warning("Records are gone from '%s': %s to %s.", topic, position, place.offset - 1)

    async def take(self, transaction: Transaction, processor: Processor, now: datetime, limit: int) -> None:
        """Hand up to `limit` records of the first fetch to `dispatch`; raises MigratedError if it can't seek."""
        if not self._queue:
            return
        fetch = self._queue[0]
        if not self._taken and not await self._follows(fetch, transaction.positions):
            self._drop_first()
            return
        topic, position = fetch.topic, transaction.positions.get(fetch.topic, 0)
        last = min(self._taken + limit, len(fetch.records))
        records = fetch.records[self._taken : last]
        if records and records[0].offset < position:  # below, they were delivered and committed before
            records = [record for record in records if record.offset >= position]
        processor.take(transaction, topic, records, now)
        if last == len(fetch.records):
            transaction.positions[topic] = max(position, fetch.end)
            self._drop_first()
        else:
            transaction.positions[topic] = max(position, fetch.records[last - 1].offset + 1)
            self._taken = last

    async def _follows(self, fetch: Fetch, positions: dict[str, int]) -> bool:
        """Say whether a fetch goes on at the position; if records are missing before it, seek them."""
        position = positions.get(fetch.topic, 0)
        if fetch.start > position and fetch.seeks >= self._seeks.get(fetch.topic, 0):
            sought = {fetch.topic: position}
            await self.seek(sought)
            if sought[fetch.topic] > position:
                positions |= sought
        return fetch.start <= position < fetch.end

    def _drop_first(self) -> None:
        if self._queue:  # it may have been forgotten meanwhile
            self._waiting -= len(self._queue.popleft().records)
        self._taken = 0
