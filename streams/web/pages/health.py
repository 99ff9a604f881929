"""How it is, for the overview: the judgement's line and causes, and each worker with each of its partitions."""

from collections.abc import Iterator
from datetime import datetime

from streams.health.observation import Judgement, Observation, Partition, Worker
from streams.health.wording import span
from streams.web.pages.formats import NONE, number
from streams.web.pages.live import Values, version_of

KINDS = {"well": "good", "degraded": "warn", "down": "bad"}
"""The mark of each level."""

Row = tuple[Worker | None, Partition | None]
"""A worker with one of its partitions; a worker without any, or a partition without a worker."""


def list_rows(seen: Observation) -> list[Row]:
    """Return every worker with each partition that it has, then the partitions that nobody has."""
    return [row for worker in seen.workers for row in _rows_of(worker, seen)] + _rows_of_nobody(seen)


def _rows_of(worker: Worker, seen: Observation) -> list[Row]:
    own = [one for one in seen.partitions if one.worker == worker.name and worker.gone is None]
    return [(worker, one) for one in own] or [(worker, None)]


def _rows_of_nobody(seen: Observation) -> list[Row]:
    here = {worker.name for worker in seen.workers if worker.gone is None}
    return [(None, one) for one in seen.partitions if one.worker not in here]


def read_health(seen: Observation, judgement: Judgement) -> Values:
    """Return the live values of the line, its causes, and every row."""
    values = {"health.line": judgement.line, "health.seen": _describe_look(seen)}
    values |= {f"health.cause.{place}": cause.text for place, cause in enumerate(judgement.causes)}
    shown = [(cause.check, cause.weight, cause.todo, cause.runbook, cause.since) for cause in judgement.causes]
    values["part.health"] = version_of(judgement.level, shown)
    for worker in seen.workers:
        values[f"heard.{worker.name}"] = _describe_silence(worker.heard, seen.at)
    for one in seen.partitions:
        values |= _read_partition(one, seen.at)
    values["part.workers"] = version_of([_name_row(row) for row in list_rows(seen)])
    return values


def _describe_look(seen: Observation) -> str:
    asked = f"Workers were asked {_describe_silence(seen.looked, seen.at)}"
    return f"{asked}, Kafka answered {_describe_silence(seen.kafka.answered, seen.at)}."


def _describe_silence(heard: datetime | None, at: datetime) -> str:
    return "never" if heard is None else f"{span(at - heard)} ago"


def _read_partition(one: Partition, at: datetime) -> Values:
    place = one.partition
    oldest = span(at - one.oldest) if one.lag and one.oldest else NONE
    rate = NONE if one.rate is None else f"{one.rate:,.1f}"
    return {
        f"left.{place}": ", ".join(_describe_rest(one, at)), f"lag.{place}": number(one.lag),
        f"oldest.{place}": oldest, f"rate.{place}": rate,
    }  # fmt: skip


def _describe_rest(one: Partition, at: datetime) -> Iterator[str]:
    if one.closed_since is not None:
        yield f"for {span(at - one.closed_since)}"
    if one.rows_left is not None:
        yield f"{one.rows_left:,} rows left"
    if one.seconds_left is not None:
        yield f"about {one.seconds_left:,.0f} s more"


def _name_row(row: Row) -> tuple[object, ...]:
    worker, one = row
    told = (worker.name, worker.version, worker.host, worker.gone is None) if worker else ()
    return (*told, one and one.partition, one and one.stage)
