"""The changelog of one partition: what tells it from any other, and its committed rows up to the end.

Held to a real broker by tests/broker/test_changelog.py.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.clock import steady
from streams.kafka.clients import stop
from streams.kafka.connection import consumer_arguments
from streams.kafka.errors import MigratedError
from streams.kafka.topic_ids import topic_id
from streams.settings import Settings

_PAGE_ROWS = 5000
_PAGE_BYTES = 4 * 1024 * 1024
_REQUEST_TIMEOUT_MS = 10_000
_SILENCE_SECONDS = 60.0  # longer than a cluster needs to give a partition another leader


class Page(NamedTuple):
    """Some rows of the changelog, the offset after them, and the offset at which it ends."""

    rows: Sequence[tuple[bytes, bytes | None]]
    offset: int
    end: int


class Changelog(Protocol):
    """Where the rows of a partition stand; to be started before it is asked, and stopped."""

    async def start(self) -> None:
        """Connect; raises MigratedError."""

    async def stop(self) -> None:
        """Let go of connections."""

    async def identity(self) -> str:
        """Return what tells this changelog from any other, also of the same name; raises MigratedError."""

    def read(self, offset: int) -> AsyncGenerator[Page, None]:
        """Yield the committed rows from this offset to the end as it is at the start; raises MigratedError."""


class Changelogs(Changelog, Protocol):
    """The rows of several partitions, of which one is read at a time."""

    def beside(self, partition: int) -> Changelog:
        """Return the changelog of a partition, over the same connections; it need not be started."""

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return up to which offset each of these partitions can be read; raises MigratedError."""


class ChangelogReader:
    """The changelog as it stands on the broker."""

    def __init__(self, settings: Settings, topic: str, partition: int) -> None:
        self._settings = settings
        self._place = TopicPartition(topic, partition)
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connect; raises MigratedError."""
        self._consumer = AIOKafkaConsumer(
            **consumer_arguments(self._settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_PAGE_BYTES,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            check_crcs=False,
        )
        try:
            await self._consumer.start()
        except (KafkaError, TimeoutError, OSError) as error:
            raise _explain(error) from error

    async def stop(self) -> None:
        """Let go of connections."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop(consumer)

    async def identity(self) -> str:
        """Return what tells this changelog from any other, also of the same name; raises MigratedError."""
        assert self._consumer is not None
        try:
            return await topic_id(self._consumer._client, self._place.topic)
        except (KafkaError, TimeoutError, OSError) as error:
            raise _explain(error) from error

    def beside(self, partition: int) -> "ChangelogReader":
        """Return the changelog of a partition, over the same connections; it need not be started."""
        other = ChangelogReader(self._settings, self._place.topic, partition)
        other._consumer = self._consumer
        return other

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return up to which offset each of these partitions can be read; raises MigratedError."""
        assert self._consumer is not None
        places = [TopicPartition(self._place.topic, partition) for partition in partitions]
        try:
            found = await self._consumer.end_offsets(places)
        except (KafkaError, TimeoutError, OSError) as error:
            raise _explain(error) from error
        return {place.partition: end for place, end in found.items()}

    async def read(self, offset: int) -> AsyncGenerator[Page, None]:
        """Yield the committed rows from this offset to the end as it is at the start; raises MigratedError.

        Nothing more is fetched then, though the connections stay.
        """
        consumer, place = self._consumer, self._place
        assert consumer is not None
        consumer.assign([place])
        try:
            end = (await consumer.end_offsets([place]))[place]
            yield Page((), offset, end)
            consumer.seek(place, offset)
            moved = steady()
            while offset < end:
                fetched = await consumer.getmany(place, timeout_ms=200, max_records=_PAGE_ROWS)
                rows = [(record.key, record.value) for record in fetched.get(place, ())]
                before, offset = offset, await consumer.position(place)
                yield Page(rows, offset, end)
                if offset > before:
                    moved = steady()
                elif steady() >= moved + _SILENCE_SECONDS:  # another consumer may do better
                    raise MigratedError(f"nothing comes of its changelog, which ends at {end}, from {offset} on")
        except (KafkaError, TimeoutError, OSError) as error:
            raise _explain(error) from error
        finally:
            consumer.pause(place)


def _explain(error: Exception) -> MigratedError:
    return MigratedError(f"its changelog can't be read: {error!r}")
