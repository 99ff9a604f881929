"""A worker tells that it lives, whether it is ready, and how far a restore is."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette

from streams.engine.journeys import Journeys
from streams.health.observation import Judgement, Report
from streams.partition.context import Context
from streams.partition.metrics import DEAD_LETTERS
from streams.partition.pacing import Pace, Pacing
from streams.partition.restore import Progress
from streams.partition.task import PartitionTask
from streams.state.index import DAMAGED
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.web.health import make_routes
from streams.web.sources.reports import report_tasks
from streams.worker.assignment import Assignment
from tests.partition.model import START, Broker, ModelChangelog, ModelProducer
from tests.worker.copies import NoCopies


def make_task(partition: int) -> PartitionTask:
    broker, context = Broker(), Context(Journeys, Pace(Pacing(), START))
    return PartitionTask(partition, 2, ModelProducer(broker), ModelChangelog(broker), MemoryMap, context)


class Owner(Assignment):
    """An assignment whose tasks stand still at the stages that a test gives them."""

    def __init__(self, *tasks: PartitionTask) -> None:
        super().__init__((), 4, make_task, print, NoCopies())
        self._tasks = {task.partition: task for task in tasks}
        self.is_assigned = True


def at(partition: int, stage: str, progress: Progress | None = None) -> PartitionTask:
    task = make_task(partition)
    task.stage = stage
    task.progress = progress or Progress()
    return task


@pytest.fixture
def ask() -> Callable[[Assignment, str], Awaitable[httpx.Response]]:
    async def ask(assignment: Assignment, path: str) -> httpx.Response:
        def report(at: datetime) -> Report:
            return Report(report_tasks(assignment.tasks.values()), "w1", health=Judgement(at, "well", "Well."))

        transport = httpx.ASGITransport(Starlette(routes=make_routes(assignment, "memory", 4, report)))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
            return await client.get(path)

    return ask


async def test_a_worker_lives_before_it_is_ready(ask) -> None:
    joining = Assignment((), 4, make_task, print, NoCopies())
    assert (await ask(joining, "/livez")).text == "ok\n"
    assert (await ask(joining, "/readyz")).status_code == 503


async def test_a_worker_is_ready_when_all_its_partitions_are_open(ask) -> None:
    assert (await ask(Owner(at(0, "running"), at(1, "running")), "/readyz")).status_code == 200
    assert (await ask(Owner(at(0, "running"), at(1, "fencing")), "/readyz")).status_code == 503


async def test_a_worker_without_partitions_is_ready_unless_it_copies_some_first(ask) -> None:
    told = (await ask(Owner(), "/readyz")).json()
    assert (told["ready"], told["partitions"], told["worker"]) == (True, {}, "w1")
    owner = Owner()
    owner._standbys.warming = frozenset({3, 2})
    answer = await ask(owner, "/readyz")
    assert (answer.status_code, answer.json()["copying"]) == (503, [2, 3])


async def test_a_worker_tells_how_all_of_them_are_and_is_ready_by_its_own_partitions_alone(ask) -> None:
    answer = await ask(Owner(at(0, "lost")), "/readyz")
    assert (answer.status_code, answer.json()["health"]["level"]) == (503, "well")
    assert (answer.json()["health"]["line"], answer.json()["health"]["causes"]) == ("Well.", [])


async def test_a_restore_tells_rows_percent_and_what_is_left(ask) -> None:
    progress = Progress(rows=250, start=1000, offset=1250, end=2000, seconds=1.0)
    told = (await ask(Owner(at(0, "running"), at(1, "restoring", progress)), "/readyz")).json()
    assert told["ready"] is False
    assert told["partitions"] == {
        "0": {"stage": "running"},
        "1": {"stage": "restoring", "rows": 250, "rowsLeft": 750, "percent": 25.0, "secondsLeft": 3.0},
    }


async def test_metrics_are_by_partition(ask) -> None:
    text = (await ask(Owner(at(0, "running"), at(1, "restoring")), "/metrics")).text
    assert 'fairway_partition_open{partition="0"} 1.0' in text
    assert 'fairway_partition_open{partition="1"} 0.0' in text
    assert 'fairway_inputs_total{partition="0"} 0.0' in text


async def test_what_was_put_aside_is_counted(ask) -> None:
    text = (await ask(Owner(), "/metrics")).text
    for name in ("history_parked_total", "outbox_parked_total", "definitions_refused"):
        assert f"\nfairway_{name} " in text


async def test_what_was_put_aside_is_counted_by_why_and_damaged_customers_by_partition(ask) -> None:
    first, second = at(0, "running"), at(1, "running")
    DEAD_LETTERS.labels("schema").inc()
    second.store = Store(MemoryMap())
    second.store.write({}, {DAMAGED + b"pinehurst:c-7": True}, 1)
    text = (await ask(Owner(first, second), "/metrics")).text
    assert 'fairway_dead_letters_total{code="schema"}' in text
    assert 'fairway_damaged_customers{partition="0"} 0.0' in text
    assert 'fairway_damaged_customers{partition="1"} 1.0' in text


async def test_waits_that_stand_are_counted_by_partition_where_it_works(ask) -> None:
    first, second = at(0, "running"), at(1, "restoring")
    for task in (first, second):
        task.store = Store(MemoryMap())
        task.store.write({}, dict.fromkeys([b"w1", b"w2", b"h1", b"m1"], True), 1)
    text = (await ask(Owner(first, second), "/metrics")).text
    assert 'fairway_waits{partition="0"} 3.0' in text
    assert 'fairway_waits{partition="1"} 0.0' in text
