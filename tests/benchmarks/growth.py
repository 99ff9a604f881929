"""Cost as it grows: more partitions, journeys, customers, workers."""

from collections.abc import Iterator

import msgspec

from tests.benchmarks.contests import BY_NAME, ONE_TENANT, TWENTY_TENANTS, run
from tests.benchmarks.progress import Figure
from tests.benchmarks.stage import Stage
from tests.benchmarks.workloads import make_events_for, make_many

PARTITIONS = (1, 4, 16, 64)
JOURNEYS = (1, 10, 100, 1000)
WORKERS = (1, 2)
CUSTOMERS = (10_000, 1_000_000, 10_000_000)


def run_growth(stage: Stage, events: int, most_customers: int) -> Iterator[tuple[str, int, Figure]]:
    """Yield (what grows, how far, what it came to)."""
    sending, usual = BY_NAME["b"], stage.partitions
    for partitions in PARTITIONS:
        stage.partitions = partitions
        yield "partitions", partitions, run(stage, sending, events)
    stage.partitions = usual
    for journeys in JOURNEYS:
        tenants = min(journeys, 20)
        feed = ONE_TENANT if tenants == 1 else TWENTY_TENANTS
        many = msgspec.structs.replace(BY_NAME["d"], journeys=tuple(make_many(journeys, tenants)), events=feed)
        yield "journeys", journeys, run(stage, many, events)
    for customers in (count for count in CUSTOMERS if count <= most_customers):
        known = msgspec.structs.replace(sending, customers=customers, events=make_events_for(customers))
        yield "customers", customers, run(stage, known, events)
    for workers in WORKERS:
        yield "workers", workers, run(stage, msgspec.structs.replace(sending, workers=workers), events)
