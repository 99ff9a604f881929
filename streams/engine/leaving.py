"""How an enrolment ends: completed, exited or failed; its place is given back and the rest of its steps skipped."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models.customer import Enrollment
from streams.engine.compiled import CompiledJourney
from streams.engine.draft import CustomerDraft
from streams.engine.entries import (
    EnrollmentCompleted,
    EnrollmentExited,
    EnrollmentFailed,
    StepSkipped,
)
from streams.engine.inputs import ReleasePlace
from streams.engine.watching import watch


def places_key(journey_id: str) -> bytes:
    """Return the key of the row that counts the places of a journey with maxEnrollments."""
    return f":places:{journey_id}".encode()


def complete(
    draft: CustomerDraft,
    enrollment: Enrollment,
    journey: CompiledJourney,
    last: str,
    visits: Mapping[str, int],
    skipped: Sequence[str],
    at: datetime,
) -> None:
    """End an enrolment that reached END, `last` being its last step; it has moved on, so its visits are given."""
    ended = EnrollmentCompleted(enrollment.journey_id, enrollment.version, enrollment.id, last, at)
    _end(draft, enrollment, journey, ended)
    if len(visits) < len(journey.steps):
        _skip_rest(draft, enrollment, journey, visits, skipped)


def fail(
    draft: CustomerDraft, enrollment: Enrollment, journey: CompiledJourney | None, error: str, at: datetime
) -> None:
    """End an enrolment that can't go on; others go on."""
    _end(draft, enrollment, journey, EnrollmentFailed(*_whose(enrollment), enrollment.step, at, error))
    _skip_rest(draft, enrollment, journey, enrollment.visits, enrollment.skipped)


def leave(draft: CustomerDraft, enrollment: Enrollment, reason: str, detail: str | None, at: datetime) -> None:
    """End an enrolment early; `reason` is the exitReason."""
    journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
    ended = EnrollmentExited(*_whose(enrollment), enrollment.step, at, reason, detail)
    _end(draft, enrollment, journey, ended)
    cut_off = enrollment.step if enrollment.waiting_until is not None else None
    _skip_rest(draft, enrollment, journey, enrollment.visits, enrollment.skipped, cut_off)


def leave_all(draft: CustomerDraft, reason: str, detail: str | None, at: datetime) -> None:
    """End every enrolment of the customer, and every candidacy."""
    for enrollment in tuple(draft.customer.enrollments.values()):
        leave(draft, enrollment, reason, detail, at)
    draft.customer.candidates = {}


def leave_archived(draft: CustomerDraft, journey_ids: frozenset[str], at: datetime) -> None:
    """End the enrolments of journeys that were archived (R29)."""
    for enrollment in tuple(draft.customer.enrollments.values()):
        if enrollment.journey_id in journey_ids:
            leave(draft, enrollment, "manual", "journey archived", at)


def _end(
    draft: CustomerDraft,
    enrollment: Enrollment,
    journey: CompiledJourney | None,
    entry: EnrollmentCompleted | EnrollmentExited | EnrollmentFailed,
) -> None:
    draft.drop(enrollment)
    draft.entries.append(entry)
    if journey is not None and journey.goal is not None:
        watch(draft, journey, enrollment)
    if enrollment.journey_id in draft.journeys.limited:
        place = ReleasePlace(enrollment.journey_id, draft.key.tenant_id, draft.key.customer_id)
        draft.forward(places_key(enrollment.journey_id), place)


def _skip_rest(
    draft: CustomerDraft,
    enrollment: Enrollment,
    journey: CompiledJourney | None,
    visits: Mapping[str, int],
    skipped: Sequence[str],
    cut_off: str | None = None,
) -> None:
    """Report as SKIPPED what was not reached, and the wait that was cut off (R26)."""
    for id_, step in journey.steps.items() if journey is not None else ():
        if (id_ not in visits and id_ not in skipped) or id_ == cut_off:
            skip_step(draft, enrollment, id_, step.number, "ended")


def skip_step(draft: CustomerDraft, enrollment: Enrollment, step_id: str, number: int, reason: str) -> None:
    """Report a step as SKIPPED; its visit is 0 if it was never entered."""
    visit = enrollment.visits.get(step_id, 0)
    draft.entries.append(StepSkipped(*_whose(enrollment), step_id, number, visit, reason))


def _whose(enrollment: Enrollment) -> tuple[str, int, str]:
    """Return what every entry about an enrolment begins with."""
    return enrollment.journey_id, enrollment.version, enrollment.id
