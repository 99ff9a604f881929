"""`make bench-check`: fails when a workload has become dearer, beside the bare loop, by more than 15 %.

It compares processor time, not seconds: that of the worker with that of the bare loop in the same round. Commits
are what a small load costs, so small that each event is a transaction of its own, however busy the machine is: of
each transaction it compares the program's time, and the broker's.
"""

from pathlib import Path

import msgspec

from tests.benchmarks.loads import RATES, Pace, run_bare_load, run_load
from tests.benchmarks.report import Results, cost_ratio
from tests.benchmarks.stage import Stage

Ratios = dict[str, float]
"""How much more the bare loop needs than a workload does, by its name."""

BASELINE = Path(__file__).with_name("baseline.json")
ALLOWED = 0.15
CHECKED = ("a", "r", "b", "c", "d", "e", "small")


def compare(results: Results) -> Ratios:
    """Return the ratios of workloads that ran beside the bare loop."""
    return {name: found for name in results if name in CHECKED and (found := cost_ratio(results, name))}


def compare_small(stage: Stage, pace: Pace) -> Ratios:
    """Return the ratios for a transaction of one event, of the program's processor time and of the broker's."""
    worker = run_load(stage, RATES[0], pace)  # first: its calm warms the broker up for the other
    bare = run_bare_load(stage, RATES[0], pace)
    return {
        "small": (bare.programs / bare.commits) / (worker.programs / worker.commits),
        "small, broker": (bare.broker / bare.commits) / (worker.broker / worker.commits),
    }


def record(ratios: Ratios) -> None:
    """Keep these ratios as what later runs are held to; those of others stay."""
    kept = _known() | {name: round(found, 3) for name, found in ratios.items()}
    BASELINE.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")


def find_regressions(ratios: Ratios) -> list[str]:
    """Return a sentence for each workload that fell, or that nothing is known of."""
    known = _known()
    unknown = [f"Nothing is known of '{name}': keep what it is by --baseline." for name in ratios.keys() - known]
    return unknown + [
        f"Workload '{name}' has fallen to {found:.3f} of the bare loop, from {known[name]:.3f}."
        for name, found in ratios.items()
        if name in known and found < known[name] * (1 - ALLOWED)
    ]


def _known() -> dict[str, float]:
    return msgspec.json.decode(BASELINE.read_bytes(), type=dict[str, float])
