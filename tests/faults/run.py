"""One run: load, faults from a seed, then the verdict."""

import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from math import inf
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from tests import client
from tests.faults.broker_kinds import BROKER_KINDS
from tests.faults.cluster import Cluster
from tests.faults.feed import Feed
from tests.faults.foretold import Foretold, foretell
from tests.faults.kinds import KINDS, Scene
from tests.faults.load import events, journeys, now
from tests.faults.verdict import Verdict, judge
from tests.faults.witness import Witness
from tests.faults.workers import LATEST_END, Workers, wait

_KNOWN = KINDS | BROKER_KINDS
_PATIENCE = 120.0  # seconds without a new command, after which the run is over


class Plan(NamedTuple):
    seed: int
    events: int = 10_000
    faults: int = 4
    rate: float = 1000.0
    workers: int = 3
    partitions: int = 6
    customers: int = 5_000
    scale: float = 1.0
    kinds: Sequence[str] = tuple(KINDS)
    static: bool = False
    brokers: int = 1
    standbys: int = 0
    slow_after: float = inf  # events; the rest waits for the faults, so that each meets some load


class Injected(NamedTuple):
    kind: str
    seconds: float | None  # until every partition sent commands again


class Outcome(NamedTuple):
    plan: Plan
    injected: list[Injected]
    commands: int
    verdict: Verdict
    exits: int
    seconds: float


def run(plan: Plan, folder: Path, tell: Callable[[str], None] = print) -> Outcome:
    """Run a plan; what it leaves in `folder` tells what happened."""
    started = time.monotonic()
    size = f"{plan.events} events, {plan.faults} faults, {plan.workers} workers, {plan.brokers} brokers"
    size += f", {plan.standbys} standbys" if plan.standbys else ""
    tell(f"seed {plan.seed}: {size}")
    cluster = Cluster(folder / "kafka", plan.partitions, plan.brokers)
    workers = Workers(cluster, folder / "workers", static=plan.static, standbys=plan.standbys)
    pool = ProcessPoolExecutor(1, get_context("spawn"))  # beside the feed, for it takes as long
    try:
        cluster.publish(journeys())
        witness = Witness(cluster.address, plan.partitions)
        for worker in range(plan.workers):
            workers.start(worker)
        load = (plan.seed, plan.events, plan.customers, plan.partitions, now(), plan.rate)
        foretelling = pool.submit(_foretell, *load)
        sent = list(events(*load))
        feed = Feed(cluster.address, sent, plan.rate, plan.slow_after)
        client.wait_until(lambda: witness.moved_since(0) is not None, 60)
        scene = Scene(cluster, workers, random.Random(plan.seed), plan.scale)
        injected = _inject(plan, scene, witness, feed, tell)
        feed.let_go()
        feed.join()
        foretold = foretelling.result()
        _wait_for_the_end(witness, len(foretold.commands), sum(one.event is None for one in sent))
        witness.close()
        _stop_all(workers)
        verdict = judge(cluster, sent, foretold, witness)
        tell(f"seed {plan.seed}: {'clean' if verdict.is_clean else verdict}")
        seconds = time.monotonic() - started
        return Outcome(plan, injected, len(foretold.commands), verdict, len(workers.exits), seconds)
    finally:
        workers.close()
        cluster.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _foretell(*load: Any) -> Foretold:
    os.nice(5)
    return foretell([(one.at, one.event) for one in events(*load) if one.event is not None], journeys())


def _inject(plan: Plan, scene: Scene, witness: Witness, feed: Feed, tell: Callable[[str], None]) -> list[Injected]:
    injected = []
    for kind in islice(cycle(plan.kinds), plan.faults):
        if injected and not feed.is_running:  # the first meets at least what is left to read
            tell(f"  no more load after {len(injected)} faults")
            break
        began = time.monotonic()
        since = _KNOWN[kind](scene)
        deadline = time.monotonic() + 120
        while (moved := witness.moved_since(since)) is None and time.monotonic() < deadline and feed.is_running:
            wait(0.1)
        assert moved is not None or not feed.is_running, f"a partition stood still for two minutes after: {kind}"
        seconds = None if moved is None else max(0.0, moved - since)
        injected.append(Injected(kind, seconds))
        shown = "?" if seconds is None else f"{seconds:.1f}"
        tell(f"  {kind}: recovered in {shown} s, {time.monotonic() - began:.1f} s in all, fed {feed.count}")
        wait(scene.chance.random() * 2 * plan.scale)
    return injected


def _wait_for_the_end(witness: Witness, commands: int, letters: int) -> None:
    """Wait until all commands are there, or no more come; then a little for those that should not be."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < _PATIENCE:
        now_seen = len(witness.commands) + len(witness.buried)
        if now_seen != seen:
            seen, since = now_seen, time.monotonic()
        if len(witness.commands) >= commands and len(witness.buried) >= letters:
            break
        wait(0.2)
    wait(3)


def _stop_all(workers: Workers) -> None:
    for worker in workers.numbers:
        code, seconds = workers.stop(worker)
        assert code == 0, f"worker {worker} ended with exit code {code} on SIGTERM"
        assert seconds < LATEST_END, f"worker {worker} took {seconds:.1f} s to end on SIGTERM"
