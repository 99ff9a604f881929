"""What supervisors and Prometheus ask a worker: is it alive, is it ready, how far is it, and is all well."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.health.observation import Report
from streams.web.metrics import make_registry
from streams.worker.assignment import Assignment


def make_routes(
    assignment: Assignment, store: str, partitions: int, report: Callable[[datetime], Report]
) -> list[Route]:
    """Return `/livez`, `/readyz` and `/metrics` of a worker.

    Given are its FAIRWAY_STORE, the state's number of partitions, and what reports how it is, asking nobody.
    """
    registry = make_registry(assignment, store, partitions)

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        told = msgspec.to_builtins(report(read_clock()), str_keys=True)
        copying = {"copying": sorted(assignment.warming)} if assignment.warming else {}
        return JSONResponse({"ready": assignment.is_open} | copying | told, 200 if assignment.is_open else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
