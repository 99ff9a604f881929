"""The judgement: pure, from an observation and thresholds to a level, a line, and the causes of it."""

from collections.abc import Iterator

from streams.health.links import find_absence, find_arrears
from streams.health.observation import RUNNING, UNASKED, Cause, Judgement, Level, Observation, Thresholds
from streams.health.standstill import find_standstill
from streams.health.wording import count_of
from streams.health.workers import find_worker_notices

_NAMED = 2
_SETTLING = "Settling"  # in place of "Well", while partitions go from worker to worker
_ORDER = ("down", "degraded", "notice")


def judge(seen: Observation, thresholds: Thresholds) -> Judgement:
    """Return how it is: down while nothing is worked on, degraded while something stands still or is late."""
    causes = tuple(sorted(_find_causes(seen, thresholds), key=lambda cause: _ORDER.index(cause.weight)))
    worst = [cause for cause in causes if cause.weight == causes[0].weight != "notice"]
    level: Level = worst[0].weight if worst else "well"  # type: ignore[assignment]
    told = "; ".join(cause.text for cause in worst[:_NAMED]) or _describe_work(seen)
    more = f"; and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    word = _SETTLING if level == "well" and not _is_settled(seen) else level.capitalize()
    return Judgement(seen.at, level, f"{word}: {told}{more}.", causes)


def _is_settled(seen: Observation) -> bool:
    """Say whether all partitions are worked on, as far as is known."""
    return all(partition.stage in (RUNNING, UNASKED) for partition in seen.partitions)


def _find_causes(seen: Observation, thresholds: Thresholds) -> Iterator[Cause]:
    yield from find_absence(seen)
    if seen.kafka.answered is not None:
        yield from find_standstill(seen, thresholds)
    yield from find_arrears(seen, thresholds)
    yield from find_worker_notices(seen)


def _describe_work(seen: Observation) -> str:
    workers = sum(worker.gone is None for worker in seen.workers)
    running = sum(partition.stage == RUNNING for partition in seen.partitions)
    waiting = sum(partition.lag or 0 for partition in seen.partitions)
    among = f"{running} of {count_of(len(seen.partitions), 'partition')} running"
    every = f"{count_of(running, 'partition')} running"
    work = every if running == len(seen.partitions) else among
    return f"{count_of(workers, 'worker')}, {work}, {count_of(waiting, 'event')} waiting"
