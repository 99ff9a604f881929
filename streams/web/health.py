"""What supervisors and Prometheus ask a worker: is it alive, is it ready, how far is it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from streams.history import parking
from streams.journeys import definitions, outbox
from streams.partition.task import PartitionTask
from streams.worker.assignment import Assignment

_PUT_ASIDE = (parking.PARKED, outbox.PARKED, definitions.REFUSED)


def make_routes(assignment: Assignment) -> list[Route]:
    """Return `/livez`, `/readyz` and `/metrics` of the worker that owns this assignment."""
    registry = CollectorRegistry()
    registry.register(_Partitions(assignment))
    for metric in _PUT_ASIDE:
        registry.register(metric)
    ProcessCollector(registry=registry)

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        found = measure(assignment)
        return JSONResponse(found, 200 if found["ready"] else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]


def measure(assignment: Assignment) -> dict[str, Any]:
    """Return whether every partition that the worker owns is open, and how far each is."""
    partitions = {
        str(task.partition): _measure_task(task) for task in sorted(assignment, key=lambda one: one.partition)
    }
    return {"ready": assignment.is_open, "partitions": partitions}


def _measure_task(task: PartitionTask) -> dict[str, Any]:
    found: dict[str, Any] = {"stage": task.stage}
    if task.stage == "restoring":
        progress = task.progress
        left = progress.seconds_left
        found |= {
            "rows": progress.rows,
            "percent": round(progress.percent, 1),
            "secondsLeft": None if left is None else round(left, 1),
        }
    return found


class _Partitions:
    """The metrics of a worker's partitions."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its value per partition."""
        is_open = GaugeMetricFamily("fairway_partition_open", "1 when the partition works.", labels=["partition"])
        rows = GaugeMetricFamily("fairway_restore_rows", "Rows read by the last restore.", labels=["partition"])
        percent = GaugeMetricFamily("fairway_restore_percent", "How much of it is done.", labels=["partition"])
        inputs = CounterMetricFamily("fairway_inputs", "Inputs committed.", labels=["partition"])
        commits = CounterMetricFamily("fairway_commits", "Transactions committed.", labels=["partition"])
        lost = CounterMetricFamily("fairway_losses", "Times that the partition was lost.", labels=["partition"])
        overtaken = CounterMetricFamily(
            "fairway_waits_overtaken",
            "Times that waits fired though what had arrived before was not read after 10 minutes.",
            labels=["partition"],
        )
        damaged = GaugeMetricFamily(
            "fairway_damaged_customers", "Customers whose state is known to be damaged.", labels=["partition"]
        )
        letters: Counter[str] = Counter()
        for task in self._assignment:
            label = [str(task.partition)]
            is_open.add_metric(label, task.stage == "running")
            rows.add_metric(label, task.progress.rows)
            percent.add_metric(label, task.progress.percent)
            inputs.add_metric(label, task.counts.inputs)
            commits.add_metric(label, task.counts.commits)
            lost.add_metric(label, task.counts.losses)
            overtaken.add_metric(label, task.counts.overtaken)
            damaged.add_metric(label, len(task.store.damaged) if task.store is not None else 0)
            letters.update(task.counts.dead_letters)
        aside = CounterMetricFamily("fairway_dead_letters", "Inputs that were put aside.", labels=["code"])
        for code, number in letters.items():
            aside.add_metric([code], number)
        yield from (is_open, rows, percent, inputs, commits, lost, overtaken, damaged, aside)
