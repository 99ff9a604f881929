"""What leaves all well and is worth knowing of workers: versions, spare ones, those that can't be asked."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from streams.health.observation import Cause, Observation, Worker
from streams.health.wording import count_of, runbook

_NAMED = 3
_COMING_UP = timedelta(seconds=30)  # until a worker that has joined the group answers


def find_worker_notices(seen: Observation) -> Iterator[Cause]:
    """Yield notices about the workers of the group."""
    here = [worker for worker in seen.workers if worker.gone is None]
    versions = Counter(worker.version or "older" for worker in here)
    if len(versions) > 1:
        told = ", ".join(f"{version} ({count})" for version, count in sorted(versions.items()))
        yield Cause("versions", "notice", f"workers are of different versions: {told}",
                    "Finish the upgrade; until then journeys may not use what is new.",
                    runbook=runbook("FairwayVersionsMixed"))  # fmt: skip
    unheard = [worker.name for worker in here if _is_unheard(worker, seen.at)]
    if unheard:
        more = f" and {len(unheard) - _NAMED} more" if len(unheard) > _NAMED else ""
        told = f"never answered from here: {', '.join(unheard[:_NAMED])}{more}"
        yield Cause("workers", "notice", f"{count_of(len(unheard), 'worker')} {told}",
                    "Let workers reach each other: FAIRWAY_WEB_HOST and FAIRWAY_WEB_NAME.")  # fmt: skip
    if bare := [worker.name for worker in here if not worker.partitions]:
        told = f"worker {bare[0]} has" if len(bare) == 1 else f"{len(bare)} workers have"
        if len(here) > len(seen.partitions):
            why = f", for there are {len(seen.partitions)} in all"
            todo = "Spare workers stand by; more work only where topics have more partitions."
        else:
            why = " yet"
            todo = (
                "A worker that joins first copies what it is to have, while others work on it;"
                " its log says of what."
            )
        yield Cause("workers", "notice", f"{told} no partitions{why}", todo)


def _is_unheard(worker: Worker, at: datetime) -> bool:
    is_new = worker.joined is None or at - worker.joined < _COMING_UP
    return worker.heard is None and worker.is_asked_in_vain and not is_new
