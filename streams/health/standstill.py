"""What stands still or is late: workers that don't answer or are gone, partitions without work, and lag."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from streams.health.observation import SILENT, UNOWNED, Cause, Observation, Partition, Thresholds, Worker
from streams.health.wording import count_of, name_partitions, runbook, span

_STAGES = {
    "fencing": "being taken over", "restoring": "being restored", "lost": "lost and being opened again",
    "closed": "being closed",
}  # fmt: skip
_TODO = {
    "restoring": "Wait: it goes on by itself when the rows are read. A FAIRWAY_DATA_DIR that lasts makes it short.",
    "lost": "See what its worker logs: another worker, the network or the disk takes the partition away.",
    UNOWNED: "Kafka gives it to a worker within seconds; if not, start a worker, or see what the workers log.",
}  # fmt: skip
_RUNBOOK = {"restoring": "FairwayRestoreLong", "lost": "FairwayPartitionLosses"}
_TODO_ELSE = "It passes within seconds; if not, see what its worker logs."


def find_standstill(seen: Observation, thresholds: Thresholds) -> Iterator[Cause]:
    """Yield the workers and partitions at a standstill and what is late; down where nothing is worked on."""
    if not any(worker.gone is None for worker in seen.workers):
        yield Cause("workers", "down", f"no worker runs{_wait(seen.partitions)}", "Start one: fairway worker.",
                    runbook=runbook("FairwayNoWorker"))  # fmt: skip
        return
    silent = [worker for worker in seen.workers if is_silent(worker, seen, thresholds)]
    closed = [one for one in seen.partitions if _is_closed(one, seen, thresholds)]
    still = {number for worker in silent for number in worker.partitions} | {one.partition for one in closed}
    found = [_tell_silent(worker, seen) for worker in silent]
    found += _group_closed([one for one in closed if one.stage != SILENT], seen)
    is_down = bool(seen.partitions) and len(still) == len(seen.partitions)
    yield from (msgspec.structs.replace(cause, weight="down") for cause in found) if is_down else found
    yield from (_tell_gone(worker, seen) for worker in seen.workers if worker.gone is not None)
    late = [one for one in seen.partitions if one.partition not in still and _is_late(one, seen, thresholds)]
    if late:
        yield _tell_late(late, seen)


def is_silent(worker: Worker, seen: Observation, thresholds: Thresholds) -> bool:
    """Say whether a worker that answered before, and is in the group still, does so no more."""
    if worker.gone is not None or worker.heard is None or not worker.is_asked_in_vain:
        return False
    return seen.at - worker.heard >= thresholds.silent


def _is_closed(one: Partition, seen: Observation, thresholds: Thresholds) -> bool:
    return one.closed_since is not None and seen.at - one.closed_since >= thresholds.closed


def _is_late(one: Partition, seen: Observation, thresholds: Thresholds) -> bool:
    return bool(one.lag) and one.oldest is not None and seen.at - one.oldest >= thresholds.lag


def _tell_silent(worker: Worker, seen: Observation) -> Cause:
    assert worker.heard is not None
    return Cause(
        "workers", "degraded",
        f"worker {worker.name} silent for {span(seen.at - worker.heard)}, {_describe_hold(worker, seen)}",
        f"See whether its process{_find_process(worker)} runs, and what it logs. End one that hangs with SIGKILL"
        f"{f' (kill -9 {worker.pid})' if worker.pid else ''}, and start it again; the others get its partitions 6"
        " seconds after its last heartbeat.",
        worker.heard, runbook("FairwayWorkerDown"),
    )  # fmt: skip


def _find_process(worker: Worker) -> str:
    """Return where the process of a worker runs, as far as is known."""
    told = [f"{worker.pid}"] if worker.pid else []
    return " ".join(["", *told, *([f"on {worker.host}"] if worker.host else [])])


def _describe_hold(worker: Worker, seen: Observation) -> str:
    waiting = sum(one.lag or 0 for one in seen.partitions if one.partition in worker.partitions)
    if not worker.partitions:
        return "it has no partitions"
    s = "s" * (len(worker.partitions) == 1)
    what = f"hold{s} {count_of(waiting, 'event')}" if waiting else f"stand{s} still"
    return f"{name_partitions(worker.partitions)} {what}"


def _tell_gone(worker: Worker, seen: Observation) -> Cause:
    since = worker.heard or worker.gone or seen.at
    return Cause(
        "workers", "degraded",
        f"worker {worker.name} gone for {span(seen.at - since)} without having been stopped;"
        f" {_follow(worker, seen)}",
        f"See why its process{_find_process(worker)} ended or hangs: its log, its memory, its machine. End one that"
        " hangs with SIGKILL, and start it again; if it is not to come back, this goes away after 10 minutes.",
        since, runbook("FairwayWorkerDown"),
    )  # fmt: skip


def _follow(worker: Worker, seen: Observation) -> str:
    """Return who has now what a worker had that is gone."""
    mine = sorted((one for one in seen.partitions if one.partition in worker.had), key=lambda one: one.worker)
    told = []
    for owner, parts in groupby(mine, key=lambda one: one.worker):
        numbers = [one.partition for one in parts]
        what = name_partitions(numbers)
        told.append(f"{what} {'is' if len(numbers) == 1 else 'are'} without a worker" if not owner
                    else f"{what} went to worker {owner}")  # fmt: skip
    return f"its {', '.join(told)}" if told else "it had no partitions"


def _group_closed(closed: Sequence[Partition], seen: Observation) -> list[Cause]:
    stages = list(dict.fromkeys(one.stage for one in closed))
    return [_tell_closed(stage, [one for one in closed if one.stage == stage], seen) for stage in stages]


def _tell_closed(stage: str, closed: Sequence[Partition], seen: Observation) -> Cause:
    since = min((one.closed_since for one in closed if one.closed_since), default=seen.at)
    numbers = name_partitions(one.partition for one in closed)
    how = "without a worker" if stage == UNOWNED else _STAGES.get(stage, stage)
    left = _describe_rest(closed) if stage == "restoring" else ""
    text = f"{numbers} {how} for {span(seen.at - since)}{left}{_wait(closed)}"
    book = runbook(_RUNBOOK.get(stage, "FairwayPartitionsClosed"))
    return Cause("partitions", "degraded", text, _TODO.get(stage, _TODO_ELSE), since, book)


def _describe_rest(closed: Sequence[Partition]) -> str:
    rows = sum(one.rows_left or 0 for one in closed)
    seconds = max((one.seconds_left for one in closed if one.seconds_left is not None), default=None)
    rest = "" if seconds is None else f", for about {seconds:,.0f} s more"
    return f", {count_of(rows, 'row')} left{rest}"


def _wait(partitions: Sequence[Partition]) -> str:
    waiting = sum(one.lag or 0 for one in partitions)
    return f", {count_of(waiting, 'event')} wait{'s' * (waiting == 1)}" if waiting else ""


def _tell_late(late: Sequence[Partition], seen: Observation) -> Cause:
    oldest = min((one.oldest for one in late if one.oldest is not None), default=seen.at)
    waiting = count_of(sum(one.lag or 0 for one in late), "event")
    workers = {one.worker for one in late if one.worker}
    whose = f" with worker {workers.pop()}" if len(workers) == 1 else ""
    return Cause(
        "lag", "degraded",
        f"{waiting} waiting on {name_partitions(one.partition for one in late)}{whose}, the oldest for"
        f" {span(seen.at - oldest)}",
        "If it does not pass by itself, start more workers, up to the number of partitions; where one worker alone"
        " is late, see what it logs.",
        runbook=runbook("FairwayLag"),
    )  # fmt: skip
