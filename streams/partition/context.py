"""What the partitions of a worker share, and what each counts for the metrics.

Data only, without a test of its own.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from models.rates import Rates
from streams.clock import now as read_clock
from streams.engine.advance import advance
from streams.engine.journeys import Journeys
from streams.kafka.limits import Limits
from streams.partition.outputs import Router
from streams.partition.pacing import Pace
from streams.partition.processor import Advance, Processor
from streams.partition.rated import RatedProcessor
from streams.partition.tracing import Tracing


class Context(NamedTuple):
    """What the partitions of a worker share."""

    journeys: Callable[[], Journeys]
    pace: Pace
    topics: Sequence[str] = ()  # that are read
    changelog: str = "changelog"
    customers_kept: int = 1024
    decide: Advance = advance
    rates: Rates = MappingProxyType({})  # at which commands may leave (R67)
    cloudevents: bool = False
    limits: Limits = Limits()  # of what is written to each topic
    clock: Callable[[], datetime] = read_clock
    tracing: Tracing | None = None

    def make_processor(self, router: Router) -> Processor:
        """Return what handles the inputs of a partition."""
        if self.tracing:
            return self.tracing.processor(router, self.decide, self.rates)
        return RatedProcessor(router, self.decide, self.rates) if self.rates else Processor(router, self.decide)


class Counts(msgspec.Struct):
    """What a partition has done since the worker started, for the metrics."""

    inputs: int = 0
    commits: int = 0
    losses: int = 0
    overtaken: int = 0  # times that waits fired before all was read that had arrived
