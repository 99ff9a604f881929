"""Journeys on their way to the workers: who follows the definitions topic into memory."""

import asyncio
from collections.abc import Callable

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Gauge
from tenacity import RetryCallState, retry, retry_if_exception_type, wait_fixed

from streams.cancellation import end_tasks
from streams.clock import steady
from streams.engine.journeys import Journeys
from streams.errors import FairwayError
from streams.journeys.catalogue import Catalogue, compile_pending, read
from streams.kafka.clients import look_seldom, stop
from streams.kafka.connection import client_arguments
from streams.kafka.readiness import find_partitions
from streams.kafka.topics import DEFINITIONS
from streams.settings import Settings

REFUSED = Gauge("fairway_definitions_refused", "Records of the definitions topic that can't be used.")

_log = structlog.get_logger()
_Records = list[tuple[bytes | None, bytes | None]]
_PARTITION = TopicPartition(DEFINITIONS, 0)
_WAIT_MS = 2_000  # for which the broker keeps a fetch while nobody publishes anything
_AGAIN = 1.0  # seconds until the broker is asked again after an error


def _ignore(_: Journeys) -> None:
    """Stand in for a callback."""


def _warn(attempt: RetryCallState) -> None:
    error = attempt.outcome and attempt.outcome.exception()
    _log.warning("the definitions can't be read for now", error=str(error))


AGE = Gauge("fairway_definitions_age_seconds", "Seconds since the definitions topic answered last.")


class Definitions:
    """Follows the definitions topic; `journeys` is the newest snapshot, `catalogue` what it was made of."""

    def __init__(self, settings: Settings, changed: Callable[[Journeys], None] = _ignore) -> None:
        """Follow nothing yet; `changed` is called with each snapshot that follows the first."""
        self.catalogue = Catalogue()
        self.journeys = Journeys()
        self.changed = changed
        self._consumer = AIOKafkaConsumer(
            **client_arguments(settings), enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed", fetch_max_wait_ms=_WAIT_MS,
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None
        self._heard = steady()
        self._answered: int | None = None  # when the broker did last; while it is away, a fetch is just empty

    async def start(self) -> "asyncio.Task[None]":
        """Read the topic to its end; return what goes on following it until `stop`.

        Raises FairwayError, as the task does later, for a journey that needs a newer Fairway than this.
        """
        await self.load()
        AGE.set_function(self.age)
        await self._put_in_force(self.catalogue)
        self._task = asyncio.create_task(self._follow())
        return self._task

    async def load(self) -> Catalogue:
        """Read the topic to its end, and compile nothing."""
        await self._consumer.start()
        look_seldom(self._consumer)
        self._consumer.assign([_PARTITION])
        end = (await self._consumer.end_offsets([_PARTITION]))[_PARTITION]
        while await self._consumer.position(_PARTITION) < end:
            self.catalogue = read(self.catalogue, await self._fetch())
        return self.catalogue

    def age(self) -> float:
        """Return for how many seconds the broker has not answered, as far as was looked."""
        if (answered := self._consumer.last_poll_timestamp(_PARTITION)) != self._answered:
            self._answered, self._heard = answered, steady()
        return steady() - self._heard

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            await end_tasks(self._task)
        await stop(self._consumer)

    async def _follow(self) -> None:
        while True:
            if records := await self._fetch_patiently():
                await self._put_in_force(read(self.catalogue, records))
                self.changed(self.journeys)

    @retry(retry=retry_if_exception_type(KafkaError), wait=wait_fixed(_AGAIN), before_sleep=_warn)
    async def _fetch_patiently(self) -> _Records:
        return await self._fetch()

    async def _fetch(self) -> _Records:
        batches = await self._consumer.getmany(_PARTITION, timeout_ms=10 * _WAIT_MS)
        self.age()
        return [(record.key, record.value) for batch in batches.values() for record in batch]

    async def _put_in_force(self, catalogue: Catalogue) -> None:
        """Bring what was read into force; beside the loop, for many and long journeys take seconds."""
        if catalogue.newer:
            raise FairwayError(next(iter(catalogue.newer.values())))
        before = self.catalogue.refused if self._task else {}
        self.catalogue = await asyncio.to_thread(compile_pending, catalogue)
        self.journeys = self.catalogue.journeys()
        REFUSED.set(len(self.catalogue.refused))
        for key, reason in self.catalogue.refused.items():
            if before.get(key) != reason:
                _log.error("a definition can't be used and is put aside", key=key, reason=reason)


async def load_catalogue(settings: Settings) -> Catalogue:
    """Return what the definitions topic says now; raises FairwayError where there is none."""
    await find_partitions(settings, DEFINITIONS)
    definitions = Definitions(settings)
    try:
        return await definitions.load()
    finally:
        await definitions.stop()
