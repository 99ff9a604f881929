"""The watch asks every worker, and Kafka who is in the group: in each sample, and when one answers no more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from streams.cancellation import end_tasks
from streams.health.observation import Link, PartitionReport, Report, Thresholds
from streams.kafka.members import Member
from streams.settings import Settings
from streams.web.sources.broker import Part
from streams.web.sources.samples import Sample, Samples
from streams.web.sources.watch import Own, Watch, read_thresholds
from streams.worker.address import WebPort
from streams.worker.table import Table

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


class Kafka:
    """As much of a broker as a watch asks."""

    def __init__(self) -> None:
        self.ids: frozenset[str] | None = None

    async def member_ids(self) -> frozenset[str]:
        if self.ids is None:
            raise KafkaConnectionError("away")
        return self.ids


class Scene:
    """A watch of worker w1, which has partition 0, and the web server of w2, which has partition 1."""

    def __init__(self, address: str, serving: "asyncio.Task[None]") -> None:
        self.serving = serving
        self.kafka = Kafka()
        self.samples = Samples(None, None, None)  # type: ignore[arg-type]
        self.samples.kafka = self.samples.postgres = Link(START)
        own = Own("w1", Table("changelog", 2, {}), lambda: False)
        self.watch = Watch(self.samples, self.kafka, own, Thresholds())  # type: ignore[arg-type]
        self.members = (
            Member("h", 1, "a", "w1", "1.0", "http://nowhere", (0,)),
            Member("h", 1, "b", "w2", "1.0", address, (1,)),
        )

    def sample(self, second: float, *members: Member) -> None:
        parts = tuple(Part("events", number, 0, 10, 10 - 3 * number) for number in range(2))
        self.samples.taken.append(Sample(at(second), parts, members))

    async def look(self, second: float) -> None:
        await self.watch.look(lambda: at(second))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    told = Report({1: PartitionReport("running")}, "w2")

    async def answer(_: object) -> Response:
        return Response(msgspec.json.encode(told))

    port = WebPort(Settings(web_port=0))
    serving = asyncio.create_task(port.serve(Starlette(routes=[Route("/readyz", answer)])))
    scene = Scene(port.address, serving)
    yield scene
    await end_tasks(serving)
    await scene.watch.close()


async def test_a_worker_that_answers_no_more_is_silent(scene: Scene) -> None:
    assert scene.watch.judge(START).line == "Degraded: Kafka has not been looked at yet."
    scene.sample(0, *scene.members)
    await scene.look(1)
    seen = scene.watch.observe(at(1))
    assert [(one.worker, one.stage, one.lag) for one in seen.partitions] == [
        ("w1", "fencing", 0),
        ("w2", "running", 3),
    ]
    assert [one.heard for one in seen.workers] == [at(1), at(1)]
    await end_tasks(scene.serving)
    await scene.look(7)
    assert scene.watch.judge(at(7)).line.startswith(
        "Degraded: worker w2 silent for 6 s, partition 1 holds 3 events"
    )


async def test_a_worker_that_answers_no_more_is_forgotten_when_kafka_says_before_its_session_ends_that_it_left(
    scene: Scene,
) -> None:
    scene.sample(0, *scene.members)
    await scene.look(1)
    await end_tasks(scene.serving)
    await scene.look(5)
    scene.kafka.ids = frozenset("a")
    await scene.look(5.5)
    assert [one.name for one in scene.watch.observe(at(5.5)).workers] == ["w1"]
    scene.sample(5.2, *scene.members)
    await scene.look(6)
    assert [one.name for one in scene.watch.observe(at(6)).workers] == ["w1"], "the sample is older"


def test_thresholds_are_the_settings() -> None:
    given = Settings(
        health_silent_seconds=1, health_closed_seconds=2, health_lag_seconds=3, health_history_records=4
    )
    assert read_thresholds(given) == Thresholds(*(timedelta(seconds=number) for number in (1, 2, 3)), 4)
    assert read_thresholds(Settings()) == Thresholds()
