"""The long form of the fault tests: `make faults ARGS="--seeds 1,2 --events 300000 --faults 30"`."""

import argparse
import pickle
import signal
import sys
import tempfile
from pathlib import Path

from tests.faults import report
from tests.faults.kinds import KINDS
from tests.faults.run import Outcome, Plan, run


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that workers and broker end, too
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seeds", default="1", help="several, separated by commas")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--rate", type=float, default=800, help="events a second")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--static", action="store_true", help="static group membership")
    parser.add_argument("--kinds", default="", help="parts of the names of the faults wanted, separated by commas")
    parser.add_argument("--keep", type=Path, help="a file of outcomes, so that one report shows many runs")
    given = parser.parse_args()
    wanted = given.kinds.split(",")
    kinds = tuple(kind for kind in KINDS if any(part in kind for part in wanted))
    outcomes: list[Outcome] = []
    if given.keep and given.keep.exists():
        outcomes = pickle.loads(given.keep.read_bytes())
    for seed in map(int, given.seeds.split(",")):
        plan = Plan(
            seed, given.events, given.faults, given.rate, given.workers, given.partitions,
            customers=max(5000, given.events // 20), kinds=kinds, static=given.static,
        )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="fairway-faults-") as folder:
            outcomes.append(run(plan, Path(folder), tell=lambda text: print(text, flush=True)))
        if given.keep:
            given.keep.write_bytes(pickle.dumps(outcomes))
        report.write(outcomes, Path("docs"))
    return 0 if all(outcome.verdict.is_clean for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
