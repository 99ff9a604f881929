"""The metrics of a worker: what modules count by themselves, and what its partitions are like when asked."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from platform import python_version

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from streams.clock import now
from streams.control import breaker
from streams.history import parking, reader
from streams.journeys import definitions, outbox
from streams.kafka.inputs import read_input
from streams.partition import metrics
from streams.partition.task import STAGES, PartitionTask
from streams.state.counting import WaitCount
from streams.worker import rebalancing, stalls, standbys
from streams.worker.assignment import Assignment

_OWN = (
    *metrics.ALL, parking.PARKED, reader.LAG, reader.PROJECTED, outbox.PARKED, outbox.REFUSED, outbox.AGE,
    definitions.REFUSED, definitions.AGE, breaker.TRIPS, rebalancing.REBALANCES, stalls.STALL, standbys.LAG,
)  # fmt: skip
_MOST_OVERDUE = 1000  # looked at in a partition
_MOST_COUNTED = 10_000  # marks of waits in a partition, in 4 ms
_LATE = timedelta(minutes=1)


def make_registry(assignment: Assignment, store: str, partitions: int) -> CollectorRegistry:
    """Return all metrics of the worker that owns this assignment, of so many partitions in all."""
    registry = CollectorRegistry()
    for metric in _OWN:
        registry.register(metric)
    registry.register(_Partitions(assignment))
    registry.register(_Build(store, partitions))
    ProcessCollector(registry=registry)
    return registry


class _Build:
    """What runs, and for how many partitions."""

    def __init__(self, store: str, partitions: int) -> None:
        self._store = store
        self._partitions = partitions

    def collect(self) -> Iterator[Metric]:
        """Yield the versions as labels, and the number of partitions."""
        what = {"version": version("fairway-journeys"), "python": python_version(), "store": self._store}
        yield InfoMetricFamily("fairway_build", "Which Fairway runs, by which Python, on which store.", what)
        text = "Partitions that there are, for all workers together."
        yield GaugeMetricFamily("fairway_topic_partitions", text, self._partitions)


class _Partitions:
    """The metrics of a worker's partitions."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._counts: dict[int, WaitCount] = {}

    def _count_waits(self, task: PartitionTask) -> int:
        if task.stage != "running" or task.store is None:
            self._counts.pop(task.partition, None)
            return 0
        known = self._counts.get(task.partition)
        if known is None or not known.is_of(task.store):
            known = self._counts[task.partition] = WaitCount(task.store)
        return known.go_on(_MOST_COUNTED)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its value per partition."""
        is_open = _gauge("fairway_partition_open", "1 when the partition works.")
        rows = _gauge("fairway_restore_rows", "Rows read by the last restore.")
        percent = _gauge("fairway_restore_percent", "How much of it is done.")
        left = _gauge("fairway_restore_remaining_rows", "Records of the changelog that a restore has yet to read.")
        damaged = _gauge("fairway_damaged_customers", "Customers whose state is known to be damaged.")
        waits = _gauge(
            "fairway_waits", "Waits that stand, also of paused journeys; counted anew in parts of 10,000 a look."
        )
        overdue = _gauge("fairway_waits_overdue", "Waits due for more than a minute; 1,000 stands for more, too.")
        inputs = _counter("fairway_inputs", "Inputs committed.")
        commits = _counter("fairway_commits", "Commits of the partition; one transaction holds those of several.")
        lost = _counter("fairway_losses", "Times that the partition was lost.")
        overtaken = _counter(
            "fairway_waits_overtaken",
            "Times that waits fired though what had arrived before was not read after 10 minutes.",
        )
        for task in self._assignment:
            label = [str(task.partition)]
            is_open.add_metric(label, task.stage == "running")
            rows.add_metric(label, task.progress.rows)
            percent.add_metric(label, task.progress.percent)
            left.add_metric(label, _remaining(task))
            damaged.add_metric(label, len(task.store.damaged) if task.store is not None else 0)
            waits.add_metric(label, self._count_waits(task))
            overdue.add_metric(label, _count_overdue(task))
            inputs.add_metric(label, task.counts.inputs)
            commits.add_metric(label, task.counts.commits)
            lost.add_metric(label, task.counts.losses)
            overtaken.add_metric(label, task.counts.overtaken)
        yield from (is_open, rows, percent, left, damaged, waits, overdue, inputs, commits, lost, overtaken)
        yield from self._collect_stages()
        yield from self._collect_lag()

    def _collect_stages(self) -> Iterator[Metric]:
        stages = Counter(task.stage for task in self._assignment)
        family = GaugeMetricFamily("fairway_partitions", "Partitions of this worker, by stage.", labels=["stage"])
        for stage in STAGES:
            family.add_metric([stage], stages[stage])
        yield family

    def _collect_lag(self) -> Iterator[Metric]:
        lag = GaugeMetricFamily(
            "fairway_consumer_lag", "Records that are known to wait to be handled.", labels=["topic", "partition"]
        )
        age = _gauge(
            "fairway_consumer_lag_seconds",
            "Age of the oldest record that is handled next; 0 if none waits.",
        )
        moment = now().timestamp()
        for task in self._assignment:
            partition = str(task.partition)
            if task.session is not None:  # else the positions are not known
                for name, end in task.queue.ends.items():
                    topic, number = read_input(name, task.partition)
                    lag.add_metric([topic, str(number)], max(0, end - task.session.positions.get(name, 0)))
            oldest = task.queue.oldest
            age.add_metric([partition], 0 if oldest is None else max(0.0, moment - oldest / 1000))
        yield from (lag, age)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=["partition"])


def _counter(name: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, labels=["partition"])


def _remaining(task: PartitionTask) -> int:
    return max(0, task.progress.end - task.progress.offset) if task.stage == "restoring" else 0


def _count_overdue(task: PartitionTask) -> int:
    """Return how many waits of an open partition should have fired; of others nobody looks."""
    if task.stage != "running" or task.store is None:
        return 0
    return len(task.store.due(now() - _LATE, b"", _MOST_OVERDUE))
