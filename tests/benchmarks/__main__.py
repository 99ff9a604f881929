"""`make bench`: run the workloads interleaved with their baselines, print and write what they came to."""

import signal
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer

from streams.dev import broker as kafka_server
from tests.benchmarks import check, report
from tests.benchmarks.contests import BY_NAME, run, run_heard, run_projection, run_restore, run_waits
from tests.benchmarks.growth import run_growth
from tests.benchmarks.latency import run_latency
from tests.benchmarks.progress import Figure
from tests.benchmarks.stage import Stage

_HEARD = (1, 10, 1_000_000)  # one in so many events ends a wait
_LOADS = (0.1, 0.5, 0.8)  # of the rate of workload b
_OTHERS = ("e", "l", "f", "g", "h", "i")


def main(
    only: Annotated[
        str, typer.Option(help="Names, by commas; all if not given. e to i and l: see the document.")
    ] = "",
    rounds: Annotated[int, typer.Option(help="How often each runs.")] = 3,
    events: Annotated[int, typer.Option(help="How many events a run takes.")] = 200_000,
    customers: Annotated[int, typer.Option(help="Up to how many customers i measures.")] = 10_000_000,
    short: Annotated[bool, typer.Option("--short", help="One round of 5,000 events.")] = False,
    checking: Annotated[
        bool, typer.Option("--check", help="Compare with baseline.json; exit 1 on a fall.")
    ] = False,
    baseline: Annotated[bool, typer.Option("--baseline", help="Keep this run's ratios in baseline.json.")] = False,
    write: Annotated[bool, typer.Option(help="Write docs/benchmarks.md and its chart.")] = True,
) -> None:
    """Start a broker, run, and stop it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started ends too
    rounds, events = (1, 5_000) if short else (rounds, events)
    names = only.split(",") if only else list(check.CHECKED if checking else [*BY_NAME, *_OTHERS])
    if checking and "bare" not in names:
        names.insert(0, "bare")
    with tempfile.TemporaryDirectory(prefix="fairway-bench-") as folder:
        broker = kafka_server.start(Path(folder) / "kafka")
        try:
            stage = Stage(broker.address, Path(folder))
            results = _compete(stage, [name for name in names if name in BY_NAME], rounds, events)
            waits = [run_waits(stage, events // 4)] if "e" in names else []
            more = list(_run_others(stage, names, rounds, events, results, waits, customers))
        finally:
            kafka_server.stop(Path(folder) / "kafka")
    typer.echo(report.tabulate(results))
    checked = results | ({"e": waits} if waits else {})
    if baseline:
        check.record(checked)
    if checking:
        _settle(check.find_regressions(checked))
    elif write and not short:
        report.write(results, rounds, events, more)


def _compete(stage: Stage, names: list[str], rounds: int, events: int) -> dict[str, list[Figure]]:
    results: defaultdict[str, list[Figure]] = defaultdict(list)
    for number in range(rounds):
        for name in names:
            figure = run(stage, BY_NAME[name], events)
            results[name].append(figure)
            typer.echo(f"round {number + 1}: {name:6} {figure.rate:>9,.0f} /s {figure.cost:7.1f} µs")
    return dict(results)


def _run_others(
    stage: Stage,
    names: list[str],
    rounds: int,
    events: int,
    results: dict[str, list[Figure]],
    waits: list[Figure],
    customers: int,
):
    for figure in waits:
        yield _tell(f"**e**, waits that fire after an outage: {figure.rate:,.0f}/s, {figure.cost:.1f} µs each.")
    if "l" in names:
        yield from _run_heard(stage, events // 4)
    if "f" in names:
        yield _tell(f"**f**, restore from the changelog: {run_restore(stage, events // 2).rate:,.0f} rows/s.")
    if "g" in names:
        figure = run_projection(stage, events // 2)
        yield _tell(f"**g**, activity into Postgres: {figure.rate:,.0f} records/s, {figure.cost:.1f} µs each.")
    if "h" in names:
        yield from _run_latencies(stage, results)
    if "i" in names:
        rows = ["| what grows | to | events/s | processor µs each | MiB |\n| --- | ---: | ---: | ---: | ---: |"]
        for what, number, figure in run_growth(stage, events // 2, rounds, customers):
            row = f"| {what} | {number:,} | {figure.rate:,.0f} | {figure.cost:.1f} | {figure.memory:,.0f} |"
            rows.append(_tell(row))
        yield "**i**, cost as it grows:\n\n" + "\n".join(rows)


def _run_heard(stage: Stage, events: int):
    rows = ["| events that end a wait | events/s | processor µs each |\n| ---: | ---: | ---: |"]
    for every in _HEARD:
        figure = run_heard(stage, events, every)
        share = 1 / every if every < events else 0
        rows.append(_tell(f"| {share:.0%} | {figure.rate:,.0f} | {figure.cost:.1f} |"))
    yield "**l**, events that some WAIT listens for, of its key or of another:\n\n" + "\n".join(rows)


def _run_latencies(stage: Stage, results: dict[str, list[Figure]]):
    rows = ["| events/s | p50 ms | p99 ms |\n| ---: | ---: | ---: |"]
    most = min((figure.rate for figure in results.get("b", ())), default=0.0)
    for rate in (200.0, *(most * load for load in _LOADS if most)):
        middle, late = run_latency(stage, rate, 15)
        rows.append(_tell(f"| {rate:,.0f} | {middle:.0f} | {late:.0f} |"))
    yield (
        "**h**, latency from an event's way in to its command's being visible to a consumer of committed records "
        "(workload b, at 200 events/s and at 10, 50 and 80 % of its rate above):\n\n" + "\n".join(rows)
    )


def _tell(text: str) -> str:
    typer.echo(text)
    return text


def _settle(falls: list[str]) -> None:
    for sentence in falls:
        typer.echo(sentence, err=True)
    if falls:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
