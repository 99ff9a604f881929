"""How all workers are: each is asked every two seconds; what Kafka and Postgres say is held beside."""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from aiokafka.errors import KafkaError

from streams.clock import now as read_clock
from streams.health.judgement import judge
from streams.health.memory import Memory
from streams.health.observation import Judgement, Link, Observation, Report, Thresholds
from streams.kafka.members import Member
from streams.settings import Settings
from streams.web.sources.broker import Broker
from streams.web.sources.reports import ask_report, make_client, report_tasks
from streams.web.sources.samples import Samples, measure_waiting
from streams.web.sources.worker import Table

_EVERY, _EACH = 2.0, 0.1  # seconds between two looks, at least; and for each worker, where there are many
_PATIENCE = 2.0  # seconds, for Kafka's answer who is in the group
_log = structlog.get_logger()


class Own(NamedTuple):
    """The worker that looks, which need not ask itself."""

    name: str
    table: Table
    is_stopping: Callable[[], bool]

    def report(self, health: Judgement | None = None) -> Report:
        """Return what it would answer."""
        return Report(report_tasks(self.table.tasks.values()), self.name, self.is_stopping(), health, os.getpid())


def read_thresholds(settings: Settings) -> Thresholds:
    """Return the thresholds that the settings name."""
    silent, closed, lag = (
        timedelta(seconds=seconds)
        for seconds in (
            settings.health_silent_seconds, settings.health_closed_seconds, settings.health_lag_seconds
        )
    )  # fmt: skip
    return Thresholds(silent, closed, lag, settings.health_history_records)


class Watch:
    """Looks while someone runs it; judges at any time, by what it knows then."""

    def __init__(self, samples: Samples, broker: Broker, own: Own, thresholds: Thresholds) -> None:
        self._samples, self._broker, self._own, self._thresholds = samples, broker, own, thresholds
        self._memory = Memory()
        self._client = make_client()
        self._looked: datetime | None = None
        self._members_at: datetime | None = None  # when Kafka was asked for those that are known

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.look(read_clock)
            except Exception as error:
                _log.warning("The workers can't be looked at for now.", error=str(error) or repr(error))
            await asyncio.sleep(max(_EVERY, _EACH * len(self._memory.members)))

    async def look(self, clock: Callable[[], datetime]) -> None:
        """Ask every worker once; where one does not answer, ask Kafka whether it has left."""
        newest = self._samples.newest
        is_newer = newest is not None and (self._members_at is None or newest.at > self._members_at)
        if newest is not None and newest.members is not None and is_newer:
            self._members_at = newest.at
            self._memory.note_members(newest.members, newest.at)
        await asyncio.gather(*(self._ask(member, clock) for member in self._memory.members.values()))
        if self._memory.in_vain:
            await self._see_who_left(clock)
        self._looked = clock()
        self.observe(self._looked)

    async def _ask(self, member: Member, clock: Callable[[], datetime]) -> None:
        is_own = member.name == self._own.name
        report = self._own.report() if is_own else await ask_report(self._client, member.address, member.name)
        self._memory.note_answer(member.name, report, clock())

    async def _see_who_left(self, clock: Callable[[], datetime]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                ids = await self._broker.member_ids()
        except (KafkaError, OSError, TimeoutError):
            return
        self._members_at = clock()
        self._memory.note_present(ids, self._members_at)

    def observe(self, at: datetime) -> Observation:
        """Return all that is known at this moment."""
        samples, newest, count = self._samples, self._samples.newest, self._own.table.partitions
        known = next((sample for sample in reversed(samples.taken) if sample.parts), None)
        return Observation(
            at,
            self._looked,
            samples.kafka if self._members_at else Link(None, samples.kafka.away_since),
            samples.postgres,
            self._memory.list_workers(),
            self._memory.list_partitions(count, measure_waiting(samples.taken, count), at),
            (known.unwritten() or 0) if known else 0,
            newest.unsent if newest else 0,
        )

    def report(self, at: datetime) -> Report:
        """Return how this worker is, and by what it knows all of them are."""
        return self._own.report(self.judge(at))

    def judge(self, at: datetime) -> Judgement:
        """Return how it is at this moment."""
        return judge(self.observe(at), self._thresholds)
