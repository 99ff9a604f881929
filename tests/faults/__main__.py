"""The long form of the fault tests: `make faults ARGS="--seeds 1,2 --events 300000 --faults 30"`."""

import argparse
import pickle
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tests.faults import admission, report, scale
from tests.faults.broker_kinds import BROKER_KINDS
from tests.faults.kinds import KINDS
from tests.faults.run import Plan, run

_KEPT = Path(".fairway/faults.pickle")


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that workers and broker end, too
    given = _parse()
    results = pickle.loads(_KEPT.read_bytes()) if given.add else report.Results()
    for plan in _plans(given):
        outcome = _in_folder(lambda folder, plan=plan: run(plan, folder, _tell), lambda one: one.verdict.is_clean)
        results.outcomes.append(outcome)
        _keep(results, given.report)
    for seed in _numbers(given.admission):
        results.places.append((seed, _in_folder(lambda folder, seed=seed: admission.run(seed, folder, tell=_tell))))
        _keep(results, given.report)
    if given.waiting:
        sizes = scale.Sizes(given.waiting, given.burst)
        results.figures[given.waiting] = _in_folder(lambda folder: scale.run(sizes, folder, _tell))
        _keep(results, given.report)
    return 0 if results.are_clean else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seeds", default="1", help="of runs, separated by commas")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--rate", type=float, default=800, help="events a second")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="3: their own kinds of faults")
    parser.add_argument("--static", action="store_true", help="static group membership")
    parser.add_argument("--standbys", type=int, default=0, help="workers that keep a copy of each partition")
    parser.add_argument("--kinds", default="", help="parts of the names of the faults wanted, separated by commas")
    parser.add_argument("--admission", default="1", help="seeds of admission runs")
    parser.add_argument("--waiting", type=int, default=0, help="how many waits a single worker is to hold")
    parser.add_argument("--burst", type=int, default=100_000, help="how many of them fall due in the same second")
    parser.add_argument(
        "--report", type=Path, default=Path("docs"), help="the folder that the report is written to"
    )
    parser.add_argument("--add", action="store_true", help="add to the last report instead of writing another")
    given = parser.parse_args()
    known = KINDS if given.brokers == 1 else KINDS | BROKER_KINDS if given.kinds else BROKER_KINDS
    given.kinds = [kind for kind in known if any(part in kind for part in given.kinds.split(","))]
    if not given.kinds:
        parser.error(f"--kinds names none of these: {', '.join(known)}.")
    return given


def _plans(given: argparse.Namespace) -> list[Plan]:
    """Return a plan for each seed; no kind of fault comes again, in whichever run, before all others have come."""
    seeds = _numbers(given.seeds)
    bag = _draw_for_ever(given.kinds, random.Random(str(seeds)))
    return [
        Plan(
            seed, given.events, given.faults, given.rate, given.workers, given.partitions,
            customers=max(5000, given.events // 20), static=given.static, kinds=tuple(islice(bag, given.faults)),
            brokers=given.brokers, standbys=given.standbys,
        )
        for seed in seeds
    ]  # fmt: skip


def _draw_for_ever(kinds: Sequence[str], chance: random.Random) -> Iterator[str]:
    """Yield kinds in random order, none again before all others have come."""
    while True:
        yield from chance.sample(kinds, len(kinds))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


def _in_folder(work: Callable[[Path], Any], is_right: Callable[[Any], bool] = lambda _: True) -> Any:
    """Work in a folder that stays where it is unless the work comes out right, for its logs and data tell why."""
    folder = Path(tempfile.mkdtemp(prefix="fairway-faults-"))
    done = work(folder)
    if is_right(done):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _tell(f"What the brokers and workers left is in {folder}.")
    return done


def _keep(results: report.Results, folder: Path) -> None:
    _KEPT.parent.mkdir(exist_ok=True)
    _KEPT.write_bytes(pickle.dumps(results))
    report.write(results, folder)


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
