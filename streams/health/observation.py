"""What is known at one moment about all that works: the workers, their partitions, Kafka and Postgres."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

RUNNING, SILENT, UNASKED, UNOWNED = "running", "silent", "unasked", "unowned"
"""Stages of a partition beside those of its task: its worker does not answer, was never heard, or is nobody."""


class Thresholds(msgspec.Struct, frozen=True):
    """From when on something is worth telling."""

    silent: timedelta = timedelta(seconds=5)
    closed: timedelta = timedelta(seconds=10)
    lag: timedelta = timedelta(seconds=60)
    unwritten: int = 100_000


class Link(msgspec.Struct, frozen=True):
    """Kafka or Postgres as they answer: when last, and since when not; neither before the first look."""

    answered: datetime | None = None
    away_since: datetime | None = None


class Worker(msgspec.Struct, frozen=True):
    """A worker that the group knows, or knew.

    `heard` is when it answered last, `gone` when it left without a word, and `had` the partitions that it had then.
    """

    name: str
    host: str = ""
    version: str = ""
    partitions: tuple[int, ...] = ()
    joined: datetime | None = None
    heard: datetime | None = None
    is_asked_in_vain: bool = False
    gone: datetime | None = None
    had: tuple[int, ...] = ()
    pid: int = 0


class Partition(msgspec.Struct, frozen=True):
    """A partition: with whom it is, how it stands, since when it does no work, and what waits."""

    partition: int
    worker: str = ""
    stage: str = UNOWNED
    closed_since: datetime | None = None
    rows_left: int | None = None
    seconds_left: float | None = None
    lag: int | None = None
    oldest: datetime | None = None
    rate: float | None = None


class Waiting(msgspec.Struct, frozen=True):
    """What waits in a partition, by what Kafka says: records, when the oldest was written, and records a second."""

    lag: int | None = None
    oldest: datetime | None = None
    rate: float | None = None


class PartitionReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A partition as its worker tells of it."""

    stage: str
    rows: int | None = None
    rows_left: int | None = None
    percent: float | None = None
    seconds_left: float | None = None


class Report(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A worker as it tells of itself, at `/readyz`; older ones give no name, or no id of their process."""

    partitions: dict[int, PartitionReport]
    worker: str = ""
    is_stopping: bool = False
    health: "Judgement | None" = None
    pid: int = 0


class Observation(msgspec.Struct, frozen=True):
    """All of it: `looked` is when the workers were asked last.

    `unwritten` are activity records not yet in Postgres, `unsent` changes of journeys that workers lack.
    """

    at: datetime
    looked: datetime | None = None
    kafka: Link = Link()
    postgres: Link = Link()
    workers: tuple[Worker, ...] = ()
    partitions: tuple[Partition, ...] = ()
    unwritten: int = 0
    unsent: int = 0


Level = Literal["well", "degraded", "down"]
Weight = Literal["notice", "degraded", "down"]


class Cause(msgspec.Struct, frozen=True):
    """One thing that is not as it should be: what, what to do, and since when; a notice leaves all well.

    `runbook` names the page that says more, empty where there is none.
    """

    check: str
    weight: Weight
    text: str
    todo: str
    since: datetime | None = None
    runbook: str = ""


class Judgement(msgspec.Struct, frozen=True):
    """How it is at a moment, in one line, and why: the worst first."""

    at: datetime
    level: Level
    line: str
    causes: tuple[Cause, ...] = ()
