"""What a worker tells of itself, and what the others are asked for: each partition's stage, and how far it is."""

import asyncio
from collections.abc import Iterable

import httpx
import msgspec

from streams.health.observation import PartitionReport, Report
from streams.web.sources.worker import Task

PATIENCE = 2.0  # seconds, for all of an answer
_LARGEST = 1024 * 1024
_FAULTS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ExceptionGroup, msgspec.MsgspecError, RecursionError)
_ANSWERS = (200, 503)  # 503: it is there, and not all of its partitions are open


def report_tasks(tasks: Iterable[Task]) -> dict[int, PartitionReport]:
    """Return how each partition of this worker stands."""
    return {task.partition: _report_task(task) for task in sorted(tasks, key=lambda one: one.partition)}


def _report_task(task: Task) -> PartitionReport:
    if task.stage != "restoring":
        return PartitionReport(task.stage)
    progress, left = task.progress, task.progress.seconds_left
    rows_left = max(0, progress.end - progress.offset)
    seconds = None if left is None else round(left, 1)
    return PartitionReport(task.stage, progress.rows, rows_left, round(progress.percent, 1), seconds)


def make_client() -> httpx.AsyncClient:
    """Return what `ask_report` asks with."""
    return httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=False)


async def ask_report(client: httpx.AsyncClient, address: str, name: str) -> Report | None:
    """Return what the worker of this name tells at its address; None where no worker, or another one, answers."""
    try:
        async with asyncio.timeout(PATIENCE), client.stream("GET", f"{address}/readyz") as answer:
            content = bytearray()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > _LARGEST or answer.status_code not in _ANSWERS:
                    return None
        report = msgspec.json.decode(bytes(content), type=Report)
    except _FAULTS:
        return None
    return report if report.worker in ("", name) else None
