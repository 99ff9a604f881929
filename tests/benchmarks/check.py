"""`make bench-check`: fails when a workload has become dearer, beside the bare loop, by more than 15 %.

It compares processor time, not seconds: that of the worker with that of the bare loop in the same round.
"""

from pathlib import Path

import msgspec

from tests.benchmarks.report import Results, cost_ratio

BASELINE = Path(__file__).with_name("baseline.json")
ALLOWED = 0.15
CHECKED = ("a", "r", "b", "c", "d", "e")


def record(results: Results) -> None:
    """Keep these ratios as what later runs are held to."""
    ratios = {name: round(found, 3) for name in results if name in CHECKED and (found := cost_ratio(results, name))}
    BASELINE.write_bytes(msgspec.json.format(msgspec.json.encode(ratios)) + b"\n")


def find_regressions(results: Results) -> list[str]:
    """Return a sentence for each workload that fell."""
    known = msgspec.json.decode(BASELINE.read_bytes(), type=dict[str, float])
    return [
        f"Workload '{name}' has fallen to {found:.3f} of the bare loop, from {known[name]:.3f}."
        for name in results
        if name in known and (found := cost_ratio(results, name)) and found < known[name] * (1 - ALLOWED)
    ]
