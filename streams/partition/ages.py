"""How long ago things were, as a histogram that takes many at once, where prometheus_client's own takes each."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric


class AgeHistogram:
    """How many ages, in seconds, were up to each bound: a collector of one metric."""

    def __init__(
        self, name: str, documentation: str, bounds: Sequence[float], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = [(str(float(bound)), timedelta(seconds=bound)) for bound in bounds]
        self._counts = [0] * len(bounds)  # of the ages up to each bound, those up to a lower one with them
        self._count = 0
        self._sum = timedelta()
        registry.register(self)

    def observe_all(self, moments: Sequence[datetime], now: datetime) -> None:
        """Add the ages that these moments have `now`; what lies ahead counts as 0."""
        moments = sorted(moments)
        for index, (_, bound) in enumerate(self._bounds):
            self._counts[index] += len(moments) - bisect_left(moments, now - bound)
        self._count += len(moments)
        past = bisect_right(moments, now)
        self._sum += sum((now - moment for moment in moments[:past]), timedelta())

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        counts = [(bound, float(count)) for (bound, _), count in zip(self._bounds, self._counts, strict=True)]
        counts.append(("+Inf", float(self._count)))
        yield HistogramMetricFamily(self._name, self._documentation, counts, self._sum.total_seconds())
