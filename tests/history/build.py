"""What history tests are made of: entries of one customer's enrolment, and records of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UnsetType

from streams.engine.effects import Activity, Cause
from streams.engine.entries import (
    EnrollmentCompleted,
    EnrollmentExited,
    EnrollmentStarted,
    Entry,
    GoalReached,
    LastSend,
    Moved,
    StepCompleted,
    StepEntered,
    StepFailed,
    StepReplanned,
    StepSkipped,
    TriggerUpdated,
)
from streams.engine.results import NO_RESULT, Change, Result
from streams.history.batch import HistoryBatch
from streams.history.records import Record, read_record

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
JOURNEY = "11111111-1111-1111-1111-111111111111"
RUN = "22222222-2222-2222-2222-222222222222"
OF = (JOURNEY, 1, RUN)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def started(run: str = RUN, **data: Any) -> EnrollmentStarted:
    return EnrollmentStarted(JOURNEY, 1, run, "", 1, NOON, data)


def done(
    step: str = "mail", visit: int = 1, result: Result = NO_RESULT, at: datetime = NOON, number: int = 1
) -> StepCompleted:
    return StepCompleted(*OF, step, number, visit, NOON, at, result)


def entered(step: str = "wait", visit: int = 1, until: datetime = NOON + timedelta(days=1)) -> StepEntered:
    return StepEntered(*OF, step, 2, visit, NOON, until)


def held(visit: int = 1, until: datetime = NOON + timedelta(hours=1)) -> StepEntered:
    note = "More than 1 EMAIL commands per hour for tenant 'pinehurst'."
    return StepEntered(*OF, "mail", 2, visit, NOON, until, "rate", note)


def replanned(step: str = "wait", visit: int = 1, before: float = 24, after: float = 48) -> StepReplanned:
    return StepReplanned(*OF, step, 2, visit, Moved(hours(before), hours(after)))


LAST = LastSend("mail", "EMAIL", "m-1", NOON)


def reached(last: LastSend | None = LAST, event_id: str | UnsetType = "e-1") -> GoalReached:
    return GoalReached(*OF, "t-1", "paid", hours(1), {"ab": "B"}, last, event_id)


def followed(**after: Any) -> TriggerUpdated:
    return TriggerUpdated(*OF, [Change(name, "x", value) for name, value in after.items()])


def skipped(step: str = "mail", visit: int = 0, reason: str = "branch") -> StepSkipped:
    return StepSkipped(*OF, step, 3, visit, reason)


def failed(step: str = "update", visit: int = 1) -> StepFailed:
    return StepFailed(*OF, step, 4, visit, NOON, "It broke.")


def completed(at: datetime = NOON) -> EnrollmentCompleted:
    return EnrollmentCompleted(*OF, "end", at)


def exited(at: datetime = NOON) -> EnrollmentExited:
    return EnrollmentExited(*OF, "wait", at, "manual", None)


def value(*entries: Entry | dict[str, Any], customer: str = "c-1", at: datetime = NOON) -> bytes:
    """Return a record as it stands on the topic."""
    written: Sequence[Any] = entries
    return msgspec.json.encode(
        Activity("00000000-0000-0000-0000-000000000001", at, "t", None, customer, Cause("event"), written)
    )


def record(*entries: Entry | dict[str, Any], offset: int = 0, **more: Any) -> Record:
    return read_record(value(*entries, **more), offset)


def fold(*records: Record) -> HistoryBatch:
    batch = HistoryBatch()
    for one in records:
        batch.add(one)
    return batch
