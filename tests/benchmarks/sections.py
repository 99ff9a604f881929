"""The sections of the page beside its table of workloads: each measures, and says what it came to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer

from tests.benchmarks import loads
from tests.benchmarks.contests import run_heard, run_projection, run_restore
from tests.benchmarks.growth import run_growth
from tests.benchmarks.latency import run_latency
from tests.benchmarks.loads import FOREIGN, RATES, USUAL, Load, Pace
from tests.benchmarks.progress import Figure
from tests.benchmarks.stage import Stage, staged
from tests.benchmarks.standstill import WITH_COPIES, WORKERS, run_standstill

_HEARD = (1, 10, 1_000_000)  # one in so many events ends a wait
_LOADS = (0.1, 0.5, 0.8)  # of the rate of workload b
_BOTH_COMPILERS = "-Xms64m -Xmx512m"
_SMALL = """## Small loads

What clubs have: some events a second (workload b), 8 partitions, one worker without Postgres. Milliseconds from
an event's way in to its command's being visible to a consumer of committed records; cores are processor time by
time. The broker also works for the producer, and for the reader, which asks a hundred times a second: beside it
stands what it needs for these alone. Foreign producers choose partitions in librdkafka's own way. The broker is one
of `fairway dev up`, whose JVM runs without its second compiler, which would be busy for minutes; the last row is of
one that has run for two minutes with both, as brokers do elsewhere.

| events/s | | p50 ms | p99 ms | commits/s | worker, cores | broker, cores | broker without a worker |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""
_STANDSTILL = f"""## While workers come and go

The longest that an event waited for its command, in milliseconds, at {USUAL:,.0f} events/s with {WORKERS} workers,
8 partitions and Postgres: apart for partitions that had another worker after the phase and for those that kept
theirs.

| | p99 ms | moved | worst of these | stayed | worst of these |
| --- | ---: | ---: | ---: | ---: | ---: |"""


@dataclass(frozen=True)
class Plan:
    """How much is measured, and what was before."""

    events: int
    rounds: int
    customers: int
    pace: Pace
    results: Mapping[str, Sequence[Figure]]
    waits: Figure | None = None  # of workload e


def run_sections(stage: Stage, names: Sequence[str], plan: Plan) -> Iterator[str]:
    """Measure the sections of these names, each in turn, and yield what stands in the page."""
    for name, section in SECTIONS.items():
        if name in names:
            yield "\n".join(_told(section(stage, plan)))


def _told(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        typer.echo(line)
        yield line


def _waits(_: Stage, plan: Plan) -> Iterator[str]:
    if plan.waits is not None:
        rate, cost = plan.waits.rate, plan.waits.cost
        yield f"**e**, waits that fire after an outage: {rate:,.0f}/s, {cost:.1f} µs each."


def _heard(stage: Stage, plan: Plan) -> Iterator[str]:
    yield "**l**, events that some WAIT listens for, of its key or of another:\n"
    yield "| events that end a wait | events/s | processor µs each |\n| ---: | ---: | ---: |"
    figures = {every: run_heard(stage, plan.events // 4, every) for every in _HEARD}
    for every, figure in figures.items():
        share = 1 / every if every < plan.events else 0
        yield f"| {share:.0%} | {figure.rate:,.0f} | {figure.cost:.1f} |"
    if plan.waits is not None:
        rate, cost = (one / other for one, other in zip(figures[1][:2], plan.waits[:2], strict=True))
        yield f"\nWhere each ends a wait, that is {rate:.2f} of e's rate, with {cost:.2f} of its processor time."


def _restore(stage: Stage, plan: Plan) -> Iterator[str]:
    yield f"**f**, restore from the changelog: {run_restore(stage, plan.events // 2).rate:,.0f} rows/s."


def _projection(stage: Stage, plan: Plan) -> Iterator[str]:
    figure = run_projection(stage, plan.events // 2)
    yield f"**g**, activity into Postgres: {figure.rate:,.0f} records/s, {figure.cost:.1f} µs each."


def _latencies(stage: Stage, plan: Plan) -> Iterator[str]:
    yield (
        "**h**, latency from an event's way in to its command's being visible to a consumer of committed records "
        "(workload b, at 200 events/s and at 10, 50 and 80 % of its rate above):\n"
    )
    yield "| events/s | p50 ms | p99 ms |\n| ---: | ---: | ---: |"
    most = min((figure.rate for figure in plan.results.get("b", ())), default=0.0)
    for rate in (200.0, *(most * load for load in _LOADS if most)):
        middle, late = run_latency(stage, rate, 15)
        yield f"| {rate:,.0f} | {middle:.0f} | {late:.0f} |"


def _growth(stage: Stage, plan: Plan) -> Iterator[str]:
    yield "**i**, cost as it grows:\n"
    yield "| what grows | to | events/s | processor µs each | MiB |\n| --- | ---: | ---: | ---: | ---: |"
    for what, number, figure in run_growth(stage, plan.events // 2, plan.rounds, plan.customers):
        yield f"| {what} | {number:,} | {figure.rate:,.0f} | {figure.cost:.1f} | {figure.memory:,.0f} |"


def _small(stage: Stage, plan: Plan) -> Iterator[str]:
    yield _SMALL
    alone: dict[float, Load] = {}

    def show(what: str, load: Load) -> str:
        return _small_row(what, load, alone[load.rate])

    for rate in RATES:
        load = loads.run_load(stage, rate, plan.pace)
        alone[rate] = loads.run_alone(stage, rate, plan.pace)
        yield show("", load)
    yield show("foreign producers", loads.run_load(stage, USUAL, plan.pace, partitioner=FOREIGN))
    with stage.history() as url:
        yield show(
            f"{WORKERS} workers, Postgres",
            loads.run_load(stage, USUAL, plan.pace, WORKERS, FAIRWAY_DATABASE_URL=url),
        )
    yield show("the bare loop", loads.run_bare_load(stage, USUAL, plan.pace))
    with staged(_BOTH_COMPILERS) as warmed:
        loads.run_load(warmed, RATES[-1], plan.pace._replace(counted=5 * plan.pace.counted))
        alone[USUAL] = loads.run_alone(warmed, USUAL, plan.pace)
        yield show("a broker with both compilers", loads.run_load(warmed, USUAL, plan.pace))


def _small_row(what: str, load: Load, alone: Load) -> str:
    times = f"{load.middle:.0f} | {load.late:.0f}" if load.late else " | "
    cores = f"{load.programs:.2f} | {load.broker:.2f} | {alone.broker:.2f}"
    return f"| {load.rate:,.0f} | {what} | {times} | {load.commits:.0f} | {cores} |"


def _standstill(stage: Stage, plan: Plan) -> Iterator[str]:
    yield _STANDSTILL
    for found in run_standstill(stage, plan.pace) + run_standstill(stage, plan.pace, WITH_COPIES, standbys=1):
        moved = f"{found.worst_moved:,.0f}" if found.moved else ""
        stayed = f"{found.worst_stayed:,.0f}" if found.stayed else ""
        yield f"| {found.phase} | {found.late:,.0f} | {found.moved} | {moved} | {found.stayed} | {stayed} |"


SECTIONS: Mapping[str, Callable[[Stage, Plan], Iterator[str]]] = {
    "e": _waits,
    "l": _heard,
    "f": _restore,
    "g": _projection,
    "h": _latencies,
    "i": _growth,
    "small": _small,
    "standstill": _standstill,
}
