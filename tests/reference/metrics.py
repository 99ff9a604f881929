"""Every metric of `/metrics`, as a worker with one partition tells them."""

import re
from collections.abc import Callable
from inspect import getclosurevars
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

from streams.engine.journeys import Journeys
from streams.health.observation import Report
from streams.partition.context import Context
from streams.partition.pacing import Pace, Pacing
from streams.partition.task import PartitionTask
from streams.state.memory import MemoryMap
from streams.web.health import make_routes
from streams.worker.assignment import Assignment
from tests.partition.model import START, Broker, ModelChangelog, ModelProducer
from tests.reference.tables import code, table
from tests.worker.copies import NoCopies

_drop_suffix = re.compile(r"_(total|info)$").sub
_read = re.compile(r"# HELP (\S+) (.*)\n# TYPE \S+ (\w+)\n").findall


class _Owner(Assignment):
    """An assignment with one partition, which stands still."""

    def __init__(self) -> None:
        super().__init__((), 4, _make_task, print, NoCopies())
        self._tasks = {0: _make_task(0)}


def _make_task(partition: int) -> PartitionTask:
    broker, context = Broker(), Context(Journeys, Pace(Pacing(), START))
    return PartitionTask(partition, 1, ModelProducer(broker), ModelChangelog(broker), MemoryMap, context)


def render() -> str:
    """Return the table; times of creation are left out."""
    routes = make_routes(_Owner(), "", 0, lambda _: Report({}))
    registry = next(found for route in routes if (found := _registry_of(route.endpoint)))
    labels = _find_labels(registry)
    rows = [
        [code(name), kind, ", ".join(map(code, labels.get(_drop_suffix("", name), ()))), meaning]
        for name, meaning, kind in sorted(_read(generate_latest(registry).decode()))
        if not name.endswith("_created")
    ]
    return table(["metric", "kind", "labels", "meaning"], rows)


def _registry_of(endpoint: Callable[..., Any]) -> CollectorRegistry | None:
    return getclosurevars(endpoint).nonlocals.get("registry")


def _find_labels(registry: CollectorRegistry) -> dict[str, tuple[str, ...]]:
    """Return the labels of each metric, also of one that has counted nothing yet."""
    found: dict[str, tuple[str, ...]] = {}
    for collector in registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            found[collector._name] = collector._labelnames
        else:
            found |= {family.name: _labels_of(family) for family in collector.collect()}
    return found


def _labels_of(family: Metric) -> tuple[str, ...]:
    if family.type == "info":  # what it tells is its labels
        return tuple(family.samples[0].labels)
    return getattr(family, "_labelnames", ())
