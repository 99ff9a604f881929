"""`make bench`: run the workloads interleaved with their baselines, print and write what they came to."""

import signal
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import typer

from tests.benchmarks import check, prepare, report
from tests.benchmarks.contests import BY_NAME, run, run_waits
from tests.benchmarks.loads import Pace
from tests.benchmarks.progress import Figure
from tests.benchmarks.sections import SECTIONS, Plan, run_sections
from tests.benchmarks.stage import Stage, staged


def main(
    only: Annotated[
        str, typer.Option(help=f"Names, by commas: {', '.join((*BY_NAME, *SECTIONS))}; all if not given.")
    ] = "",
    rounds: Annotated[int, typer.Option(help="How often each runs.")] = 3,
    events: Annotated[int, typer.Option(help="How many events a run takes.")] = 200_000,
    seconds: Annotated[float, typer.Option(help="How long a small load is measured.")] = 20.0,
    customers: Annotated[int, typer.Option(help="Up to how many customers i measures.")] = 10_000_000,
    short: Annotated[
        bool, typer.Option("--short", help="One round of 5,000 events; a few seconds a load.")
    ] = False,
    checking: Annotated[
        bool, typer.Option("--check", help="Compare with baseline.json; exit 1 on a fall.")
    ] = False,
    baseline: Annotated[bool, typer.Option("--baseline", help="Keep this run's ratios in baseline.json.")] = False,
    write: Annotated[
        bool, typer.Option(help="Write docs/benchmarks.md and its chart; of a part, the sections that ran alone.")
    ] = True,
) -> None:
    """Start a broker, run, and stop it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started ends too
    rounds, events = (1, 5_000) if short else (rounds, events)
    pace = Pace(2, 1, 3) if short else Pace(counted=seconds)
    names = _choose(only, checking=checking or baseline)
    with staged() as stage:
        results = _compete(stage, [name for name in names if name in BY_NAME], rounds, events)
        waits = run_waits(stage, events // 4) if "e" in names else None
        if checking or baseline:
            ratios = check.compare(results | ({"e": [waits]} if waits else {}))
            ratios |= check.compare_small(stage, pace) if "small" in names else {}
            _settle(ratios, checking=checking, baseline=baseline)
            return
        texts = list(run_sections(stage, names, Plan(events, rounds, customers, pace, results, waits)))
    if results:
        typer.echo(report.tabulate(results))
    if write and not short:
        if only:
            report.update(texts)
        else:
            report.write(results, rounds, events, texts)


def _choose(only: str, *, checking: bool) -> list[str]:
    """Return what to run: the bare loop with whatever is compared with it, and nothing that this machine can't."""
    names = only.split(",") if only else list(check.CHECKED if checking else [*BY_NAME, *SECTIONS])
    if unknown := set(names).difference(BY_NAME, SECTIONS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: no such workload or section; --help lists them.")
    if checking and "bare" not in names and set(names) != {"small"}:
        names.insert(0, "bare")
    for name in [name for name in names if not prepare.is_possible(name)]:
        typer.echo(f"'{name}' is left out: it needs a JDK and Maven.", err=True)
        names.remove(name)
    return names


def _compete(stage: Stage, names: Sequence[str], rounds: int, events: int) -> dict[str, list[Figure]]:
    results: defaultdict[str, list[Figure]] = defaultdict(list)
    for number in range(rounds):
        for name in names:
            figure = run(stage, BY_NAME[name], events)
            results[name].append(figure)
            typer.echo(f"round {number + 1}: {name:8} {figure.rate:>9,.0f} /s {figure.cost:7.1f} µs")
    return dict(results)


def _settle(ratios: dict[str, float], *, checking: bool, baseline: bool) -> None:
    falls = check.find_regressions(ratios) if checking else []
    for name, found in ratios.items():
        typer.echo(f"{name}: {found:.3f} of the bare loop")
    for sentence in falls:
        typer.echo(sentence, err=True)
    if baseline:
        check.record(ratios)
    if falls:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
