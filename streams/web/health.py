"""What supervisors and Prometheus ask a worker: is it alive, is it ready, how far is it."""

from typing import Any

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from streams.partition.task import PartitionTask
from streams.web.metrics import make_registry
from streams.worker.assignment import Assignment


def make_routes(assignment: Assignment, store: str = "") -> list[Route]:
    """Return `/livez`, `/readyz` and `/metrics` of a worker; `store` is its FAIRWAY_STORE."""
    registry = make_registry(assignment, store)

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
