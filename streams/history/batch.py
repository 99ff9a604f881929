"""What activity records do to the rows of history: a pure fold of one batch, and the counts that follow from it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never

import msgspec

from streams.engine.entries import (
    EnrollmentCompleted,
    EnrollmentExited,
    EnrollmentFailed,
    EnrollmentRefused,
    EnrollmentStarted,
    GoalReached,
    OfEnrollment,
    ProfileUpdated,
    StepEntered,
    StepFailed,
    StepReplanned,
    StepSkipped,
    TriggerUpdated,
)
from streams.engine.paths import PathError, compile_path, put, put_attribute
from streams.engine.results import UpdateResult, decode_result
from streams.history.counts import NEVER_REACHED, Counts
from streams.history.records import RawStepCompleted, Record, StoredEntry, UnknownEntry
from streams.history.rows import Enrollment, EnrollmentStatus, Moment, Step, StepCount

Person = tuple[str, str]
"""A tenant's id and a customer's."""

_End = EnrollmentCompleted | EnrollmentExited | EnrollmentFailed
_StepEntry = RawStepCompleted | StepEntered | StepReplanned | StepSkipped | StepFailed
_WAITING = (StepEntered, StepReplanned)


class HistoryBatch:
    """The rows that a batch touches, as they stand after the records folded in so far."""

    def __init__(
        self,
        enrollments: Iterable[Enrollment] = (),
        steps: Iterable[Step] = (),
        profiles: dict[Person, dict[str, Any]] | None = None,
        goals: dict[str, Moment] | None = None,
    ) -> None:
        self.enrollments = {enrollment.id: enrollment for enrollment in enrollments}
        self.steps = {(step.enrollment_id, step.step_id): step for step in steps}
        self.profiles = dict(profiles or {})
        self.goals = goals or {}  # by enrolment, where its beginning comes late
        self.counts = Counts()
        self.activity: list[Record] = []
        self.customers: dict[Person, Moment] = {}
        self.profiled: dict[Person, Moment] = {}
        self.erased: dict[Person, int] = {}

    def add(self, record: Record, *, is_late: bool = False) -> None:
        """Fold one record in; one that comes late, after later ones of its customer, undoes nothing of theirs."""
        self.customers.setdefault((record.tenant_id, record.customer_id), record.at)
        self.activity.append(record)
        self.counts.turn_to(record.at)
        previous: StoredEntry | None = None
        for entry in record.entries:
            match entry:  # what comes most stands first: to be of another class takes a fifth of a microsecond
                case RawStepCompleted():
                    self._take_step(record, entry, is_late)
                case EnrollmentStarted():
                    self._start(record, entry, is_late)
                case EnrollmentCompleted() | EnrollmentExited() | EnrollmentFailed():
                    self._end(record, entry)
                case StepEntered() | StepReplanned() | StepSkipped() | StepFailed():
                    self._take_step(record, entry, is_late)
                case EnrollmentRefused():
                    self.counts.add_refusal(entry)
                case ProfileUpdated():
                    self._change_profile(record, entry, previous, is_late)
                case GoalReached() | TriggerUpdated():
                    self._note(record, entry, is_late)
                case UnknownEntry(type=kind):
                    self.counts.unknown[kind] += 1
                case _:
                    assert_never(entry)
            previous = entry

    def _start(self, record: Record, entry: EnrollmentStarted, is_late: bool) -> None:
        known = self.enrollments.get(entry.enrollment_id) if is_late else None
        moving = _take_moving(known) if known else {}
        if entry.enrollment_id in self.goals:
            moving["converted_at"] = self.goals[entry.enrollment_id]
        self.enrollments[entry.enrollment_id] = Enrollment(
            entry.enrollment_id,
            tenant_id=record.tenant_id,
            club_id=record.club_id,
            journey_id=entry.journey_id,
            version=entry.journey_version,
            customer_id=record.customer_id,
            enrollment_key=entry.enrollment_key,
            entry_number=entry.entry_number,
            enrolled_at=entry.enrolled_at,
            trigger_data=entry.trigger_data | ((known and known.trigger_data) or {}),
            **moving,
        )
        self.counts.add(entry.journey_id, "enrolled")
        self.counts.whole(entry).enrollments += 1

    def _find(self, record: Record, entry: OfEnrollment) -> Enrollment:
        """Return the enrolment; one whose beginning is not known gets a row that says what is."""
        found = self.enrollments.get(entry.enrollment_id)
        if found is None:
            id_ = entry.enrollment_id
            found = self.enrollments[id_] = Enrollment(
                id=id_, tenant_id=record.tenant_id, club_id=record.club_id, journey_id=entry.journey_id,
                version=entry.journey_version, customer_id=record.customer_id, enrollment_key=id_,
                entry_number=0, enrolled_at=record.at,
            )  # fmt: skip
        return found

    def _end(self, record: Record, entry: _End) -> None:
        enrollment = self._find(record, entry)
        status: EnrollmentStatus
        match entry:
            case EnrollmentCompleted():
                status, detail = "COMPLETED", None
            case EnrollmentExited():
                status, detail = "EXITED", entry.detail
            case EnrollmentFailed():
                status, detail = "FAILED", entry.error
            case _:
                assert_never(entry)
        if enrollment.status == "ACTIVE":
            self.counts.add(entry.journey_id, status.lower())
        enrollment.status, enrollment.waiting_until = status, None
        enrollment.completed_at = entry.at if status == "COMPLETED" else None
        enrollment.exited_at = None if status == "COMPLETED" else entry.at
        enrollment.exit_reason, enrollment.detail = entry.exit_reason, detail
        if enrollment.current_step_id is None:  # how it came there is parked
            enrollment.current_step_id = entry.step_id

    def _note(self, record: Record, entry: GoalReached | TriggerUpdated, is_late: bool) -> None:
        """Note what doesn't move an enrolment; a goal may be reached long after its end, when its row is gone."""
        if isinstance(entry, TriggerUpdated):
            return self._follow(record, entry, is_late)
        self.counts.add_goal(entry)
        if entry.enrollment_id in self.enrollments:
            self.enrollments[entry.enrollment_id].converted_at = entry.at
        return None

    def _follow(self, record: Record, entry: TriggerUpdated, is_late: bool) -> None:
        enrollment = self._find(record, entry)
        data = enrollment.trigger_data or {}
        after = {
            change.field: change.after
            for change in entry.changes
            if not is_late or data.get(change.field) == change.before  # else it was changed again since
        }
        enrollment.trigger_data = data | after

    def _take_step(self, record: Record, entry: _StepEntry, is_late: bool) -> None:
        enrollment = self._find(record, entry)
        key = entry.enrollment_id, entry.step_id
        step = self.steps.get(key)
        if step is None:
            step = self.steps[key] = Step(*key)
        count = self.counts.step(entry.journey_id, entry.journey_version, entry.step_id)
        if entry.visit > step.visits:
            count.entered += 1
            count.enrollments += not step.visits
        self._count(entry, step, count)
        if is_late and _is_past(entry, step):
            if type(entry) is StepEntered and entry.visit == step.visits:
                step.entered_at = step.entered_at or entry.entered_at
            return
        count.inside += (type(entry) in _WAITING) - (step.status == "IN_PROGRESS")
        _move(step, entry)
        if entry.visit and enrollment.status == "ACTIVE":
            enrollment.current_step_id, enrollment.current_step_number = entry.step_id, entry.step_number
            enrollment.waiting_until = _find_until(entry)
        elif entry.step_id == enrollment.current_step_id:
            enrollment.current_step_number = entry.step_number

    def _count(self, entry: _StepEntry, step: Step, count: StepCount) -> None:
        match entry:
            case RawStepCompleted(result=result):
                count.completed += 1
                self.counts.add_result(count, decode_result(result), is_first=not step.visits)
            case StepSkipped(reason=reason):
                count.skipped += reason not in NEVER_REACHED
            case StepFailed():
                count.failed += 1
            case StepEntered() | StepReplanned():
                pass
            case _:
                assert_never(entry)

    def _change_profile(
        self, record: Record, entry: ProfileUpdated, previous: StoredEntry | None, is_late: bool
    ) -> None:
        person = record.tenant_id, record.customer_id
        if entry.deleted:
            return self._erase(person, record.offset)
        self.profiled[person] = record.at
        profile, by_path = self.profiles.get(person, {}), _is_update(previous)
        for change in entry.changes:
            field, value = change.field, change.after
            if is_late and _look_up(profile, field, by_path=by_path) != change.before:
                continue  # it was changed again since
            try:
                profile = put(profile, field, value) if by_path else put_attribute(profile, field, value)
            except PathError:  # earlier changes were not kept by the topic: what is known is this one
                profile = profile | {field: value}
        self.profiles[person] = profile
        return None

    def _erase(self, person: Person, offset: int) -> None:
        """Forget the customer, all records so far included; what was counted stays counted."""
        gone = {id_ for id_, kept in self.enrollments.items() if (kept.tenant_id, kept.customer_id) == person}
        self.steps = {key: step for key, step in self.steps.items() if key[0] not in gone}
        for id_ in gone:
            del self.enrollments[id_]
        self.activity = [kept for kept in self.activity if (kept.tenant_id, kept.customer_id) != person]
        self.customers.pop(person, None)
        self.profiled.pop(person, None)
        self.profiles[person] = {}
        self.erased[person] = offset


def _look_up(profile: dict[str, Any], field: str, *, by_path: bool) -> Any:
    return compile_path(field)(profile) if by_path else profile.get(field)


def _take_moving(known: Enrollment) -> dict[str, Any]:
    """Return what changes in an enrolment's row after its beginning."""
    names = "status", "current_step_id", "current_step_number", "waiting_until", "completed_at", "exited_at"
    return {name: getattr(known, name) for name in (*names, "exit_reason", "detail", "converted_at")}


def _is_past(entry: _StepEntry, step: Step) -> bool:
    """Say whether a step's row tells of something later than an entry that comes late."""
    if entry.visit != step.visits:
        return entry.visit < step.visits
    if type(entry) is StepReplanned and step.status == "IN_PROGRESS":
        return _read_until(step) != entry.waiting_until.before
    return step.status not in (None, "IN_PROGRESS") or type(entry) in _WAITING


def _read_until(step: Step) -> datetime | None:
    """Return until when the row of a WAIT says that it waits."""
    result = step.result if isinstance(step.result, dict) else msgspec.json.decode(step.result or b"{}")
    return msgspec.convert(result.get("waitingUntil"), datetime | None)


def _find_until(entry: _StepEntry) -> datetime | None:
    """Return until when an enrolment waits after an entry about a step."""
    if type(entry) is StepReplanned:
        return entry.waiting_until.after
    return entry.waiting_until if type(entry) is StepEntered else None


def _move(step: Step, entry: _StepEntry) -> None:
    step.step_number, step.visits = entry.step_number, entry.visit
    step.completed_at = None
    match entry:
        case RawStepCompleted(result=result):
            step.status, step.entered_at, step.completed_at = "COMPLETED", entry.entered_at, entry.completed_at
            step.result = result
        case StepEntered():
            step.status, step.entered_at, step.result = "IN_PROGRESS", entry.entered_at, _tell_waiting(entry)
        case StepReplanned(waiting_until=until):
            step.status, step.result = "IN_PROGRESS", {"waitingUntil": until.after}
        case StepSkipped(reason=reason, entered_at=at):
            step.status, step.result = "SKIPPED", {"reason": reason}
            if isinstance(at, datetime):
                step.entered_at = at
        case StepFailed(error=error):
            step.status, step.entered_at, step.result = "FAILED", entry.entered_at, {"error": error}
        case _:
            assert_never(entry)


def _tell_waiting(entry: StepEntered) -> dict[str, Any]:
    said = {"waitingUntil": entry.waiting_until, "heldBy": entry.held_by, "note": entry.note}
    return {name: value for name, value in said.items() if value is not msgspec.UNSET}


def _is_update(entry: StoredEntry | None) -> bool:
    """Say whether an UPDATE step changed the profile: it writes paths, an event attributes by their whole names."""
    return isinstance(entry, RawStepCompleted) and isinstance(decode_result(entry.result), UpdateResult)
