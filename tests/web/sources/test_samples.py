"""The last minutes in numbers, from samples that were taken."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.cancellation import end_tasks
from streams.database import create_engine
from streams.health.observation import Link, Waiting
from streams.kafka.topics import ACTIVITY, INBOX
from streams.web.access.visitor import Visitor
from streams.web.sources import samples as module
from streams.web.sources.broker import Part
from streams.web.sources.samples import Sample, Samples, measure_waiting

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def sample(second: int, done: int) -> Sample:
    parts = (
        Part("events", 0, 0, 100, done), Part(INBOX, 0, 0, 10, 4), Part(ACTIVITY, 0, 0, 50, 20),
        Part("unread", 0, 0, 9),
    )  # fmt: skip
    return Sample(START + timedelta(seconds=second), parts)


def test_what_waits_is_counted_apart_from_what_is_not_yet_written() -> None:
    one = sample(0, 40)
    assert (one.handled(), one.lag(), one.unwritten(), one.dead(Visitor())) == (40, 66, 30, None)


class Nothing:
    """An index of no dead letters."""

    async def refresh(self) -> None:
        pass

    def count(self, _: object) -> Counter[Any]:
        return Counter()


class Odd:
    """A broker of which one answer can't be read."""

    async def parts(self) -> list[Part]:
        return [Part("events", 0, 0, 9, 5)]

    async def members(self) -> list[Any]:
        raise ValueError("a member of another kind")


@pytest.mark.database
async def test_what_can_t_be_read_leaves_a_gap_and_the_next_look_is_taken(engine: AsyncEngine) -> None:
    samples = Samples(engine, Odd(), Nothing())  # type: ignore[arg-type]
    for _ in range(2):
        taken = await samples.take(START)
        assert (taken.lag(), taken.members, taken.sent) == (4, None, {})
    assert (samples.kafka, samples.postgres) == (Link(START), Link(START))


class Away:
    """A broker that does not answer, until it does."""

    is_back = False

    async def parts(self) -> list[Part]:
        if not self.is_back:
            raise KafkaConnectionError("away")
        return [Part("events", 0, 0, 9, 5)]

    async def members(self) -> list[Any]:
        return []

    async def oldest_waiting(self, _: object) -> dict[int, datetime]:
        return {0: START - timedelta(seconds=3)}


async def test_since_when_kafka_and_postgres_are_away_is_known_and_neither_hides_the_other() -> None:
    broker, nobody = Away(), create_engine("postgresql://nobody@127.0.0.1:1/none")
    samples = Samples(nobody, broker, Nothing())  # type: ignore[arg-type]
    for second in range(2):
        taken = await samples.take(START + timedelta(seconds=second))
        assert (taken.lag(), taken.handled(), taken.unwritten(), taken.sends(Visitor())) == (None,) * 4
    assert (samples.kafka, samples.postgres) == (Link(None, START), Link(None, START))
    broker.is_back = True
    taken = await samples.take(START + timedelta(seconds=2))
    assert (taken.lag(), taken.behind, taken.members) == (4, timedelta(seconds=5), ())
    assert (samples.kafka, samples.postgres) == (Link(taken.at), Link(None, START))
    await nobody.dispose()


async def test_samples_are_taken_again_after_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, looks = Samples(None, None, None), list[datetime]()  # type: ignore[arg-type]

    async def take(now: datetime) -> Sample:
        looks.append(now)
        if len(looks) == 1:
            raise TypeError("an error of ours")
        return Sample(START)

    monkeypatch.setattr(samples, "take", take)
    monkeypatch.setattr(module, "EVERY", timedelta())
    running = asyncio.create_task(samples.run())
    async with asyncio.timeout(30):
        while not samples.taken:
            await asyncio.sleep(0)
    assert len(looks) == 2
    await end_tasks(running)


def test_what_waits_is_told_by_partition_from_the_newest_sample_that_knows() -> None:
    def look(second: int, *done: int) -> Sample:
        parts = [Part("events", number, 0, 100, count) for number, count in enumerate(done)]
        return Sample(START + timedelta(seconds=second), (*parts, Part(INBOX, 0, 0, 5, 0)), oldest={0: START})

    assert measure_waiting([], 2) == measure_waiting([Sample(START)], 2) == {}
    assert measure_waiting([look(0, 90)], 2) == {0: Waiting(15, START, None)}
    taken = [look(0, 0, 0), look(50, 0, 40), look(100, 10, 90), Sample(START + timedelta(seconds=105))]
    assert measure_waiting([look(0, 90, 50)], 1) == {0: Waiting(65, START, None)}
    assert measure_waiting(taken, 2) == {0: Waiting(95, START, 0.2), 1: Waiting(10, None, 1.0)}


def test_rates_are_of_the_last_minute_and_never_below_zero() -> None:
    samples = Samples(None, None, None)  # type: ignore[arg-type]
    assert (samples.newest, samples.last_minute(Sample.handled)) == (None, (0, 0.0))
    samples.taken += [sample(0, 10), sample(30, 20), sample(60, 50), sample(90, 40)]
    assert samples.rates(Sample.handled) == [10 / 30, 1.0, 0.0]
    assert samples.last_minute(Sample.handled) == (20, 60.0)


def test_a_gap_is_no_growth() -> None:
    samples = Samples(None, None, None)  # type: ignore[arg-type]
    samples.taken += [sample(0, 10), Sample(START + timedelta(seconds=5)), sample(10, 30), sample(15, 35)]
    assert samples.rates(Sample.handled) == [0.0, 0.0, 1.0]
    assert samples.last_minute(Sample.handled) == (25, 15.0)


def test_sends_are_those_of_the_tenants_that_a_visitor_sees() -> None:
    one = Sample(START, sent={("golf", "EMAIL"): 3, ("golf", "SMS"): 1, ("tennis", "PUSH"): 9})
    golfer = Visitor("ann", frozenset({"golf"}))
    assert (one.sends(golfer), one.sends(golfer, "SMS"), one.channels(golfer)) == (4, 1, ["EMAIL", "SMS"])
    assert (one.sends(Visitor()), one.channels(Visitor())) == (13, ["EMAIL", "PUSH", "SMS"])


def test_growth_by_the_minute_is_counted_and_never_made_out_of_seconds() -> None:
    """591 sends within a few seconds are 591 in that minute, not thousands."""
    samples = Samples(None, None, None)  # type: ignore[arg-type]
    samples.taken.extend(sample(second, done) for second, done in ((0, 0), (5, 0), (10, 391), (15, 591), (60, 591)))
    assert samples.by_minute(Sample.handled) == [0, 391, 591, 591]
    samples.taken.extend(sample(second, done) for second, done in ((66, 592), (72, 592), (78, 592)))
    assert samples.by_minute(Sample.handled)[4:] == [201, 1, 1]
    samples.taken.append(Sample(START + timedelta(seconds=80)))
    samples.taken.append(sample(85, 600))
    assert samples.by_minute(Sample.handled)[7:] == [1, 1]
