"""Cost as it grows: more partitions, journeys, customers, workers."""

from collections.abc import Iterator

import msgspec

from tests.benchmarks.contests import BY_NAME, ONE_TENANT, TWENTY_TENANTS, Contest, run
from tests.benchmarks.progress import Figure
from tests.benchmarks.stage import Stage
from tests.benchmarks.workloads import make_events_for, make_many

PARTITIONS = (1, 4, 16, 64)
JOURNEYS = (1, 10, 100, 1000)
WORKERS = (1, 2)
CUSTOMERS = (10_000, 1_000_000, 10_000_000)


def run_growth(stage: Stage, events: int, rounds: int, most_customers: int) -> Iterator[tuple[str, int, Figure]]:
    """Yield (what grows, how far, the median of some rounds); a round goes through all that is to be compared."""
    usual = stage.partitions

    def measure(what: str, number: int) -> Figure:
        stage.partitions = number if what == "partitions" else usual
        return run(stage, _contest(what, number), events)

    customers = tuple(count for count in CUSTOMERS if count <= most_customers)
    for what, numbers in (
        ("partitions", PARTITIONS), ("journeys", JOURNEYS), ("customers", customers), ("workers", WORKERS)
    ):  # fmt: skip
        times = 1 if what == "customers" else rounds  # ten million rows take minutes to write
        figures = [[measure(what, number) for number in numbers] for _ in range(times)]
        for number, found in zip(numbers, zip(*figures, strict=True), strict=True):
            yield what, number, sorted(found, key=lambda figure: figure.rate)[times // 2]


def _contest(what: str, number: int) -> Contest:
    sending = msgspec.structs.replace(BY_NAME["b"], by_and_by=True)
    match what:
        case "journeys":
            tenants = min(number, 20)
            feed = ONE_TENANT if tenants == 1 else TWENTY_TENANTS
            many = tuple(make_many(number, tenants))
            return msgspec.structs.replace(BY_NAME["d"], journeys=many, events=feed, share=3.0)
        case "customers":
            return msgspec.structs.replace(sending, customers=number, events=make_events_for(number))
        case "partitions":  # the broker's first write to each log takes milliseconds: of 64, the first ten seconds
            return msgspec.structs.replace(sending, share=3.0)
        case "workers":
            return msgspec.structs.replace(sending, workers=number)
        case _:
            return sending
