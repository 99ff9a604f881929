"""Fire the waits of a customer that are due, before whatever input comes after them (R20, R21, R29, R30)."""

from collections.abc import Mapping
from datetime import datetime

from models.customer import Enrollment
from streams.engine.compiled import Send, Wait
from streams.engine.draft import CustomerDraft
from streams.engine.effects import Cause
from streams.engine.holding import is_held
from streams.engine.inputs import CustomerInput, Due, FailWait
from streams.engine.journeys import Journeys
from streams.engine.leaving import fail
from streams.engine.listening import close
from streams.engine.walking import Walk


def fire_due(draft: CustomerDraft, given: CustomerInput, until: datetime) -> None:
    """Fire the waits due by `until`, oldest first; those of a paused journey or damaged version are held (R29).

    One that fires may lead to another wait, but that is never due by now: so one pass is enough. It may also end
    another enrolment, or move its wait, by a change of the profile.
    """
    for moment, id_ in find_due(draft.customer.enrollments, given, until, draft.journeys):
        enrollment = draft.customer.enrollments.get(id_)
        if enrollment is not None and enrollment.waiting_until == moment:
            _fire(draft, enrollment, moment)


def find_due(
    enrollments: Mapping[str, Enrollment], given: CustomerInput, until: datetime, journeys: Journeys
) -> list[tuple[datetime, str]]:
    """Return the waits that fire before an input, as (due, enrolment), oldest first."""
    if type(given) is FailWait:
        return []
    due = [
        (enrollment.waiting_until, id_)
        for id_, enrollment in enrollments.items()
        if enrollment.waiting_until is not None and enrollment.waiting_until <= until
    ]
    if journeys.paused or journeys.damaged:
        due = [(moment, id_) for moment, id_ in due if not _is_paused(enrollments[id_], journeys)]
    if type(given) is Due and given.enrollment_id is not None:
        due = [(moment, id_) for moment, id_ in due if id_ == given.enrollment_id]
    return sorted(due)


def fail_wait(draft: CustomerDraft, given: FailWait) -> None:
    """Fail an enrolment whose due wait can't be fired."""
    enrollment = draft.customer.enrollments.get(given.enrollment_id)
    if enrollment is not None:
        due = enrollment.waiting_until or draft.now
        cause = Cause("wait", enrollment_id=enrollment.id, step_id=enrollment.step, due=due)
        journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
        fail(draft, enrollment, journey, given.error, draft.now)
        draft.record(cause, draft.now, enrollment.club_id)


def _is_paused(enrollment: Enrollment, journeys: Journeys) -> bool:
    return (
        enrollment.journey_id in journeys.paused or (enrollment.journey_id, enrollment.version) in journeys.damaged
    )


def _fire(draft: CustomerDraft, enrollment: Enrollment, due: datetime) -> None:
    cause = Cause("wait", enrollment_id=enrollment.id, step_id=enrollment.step, due=due)
    journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
    step = journey.steps.get(enrollment.step) if journey else None
    if journey is not None and isinstance(step, Send) and is_held(enrollment):
        Walk(draft, journey, enrollment, draft.now).send_held(step)
    elif journey is None or not isinstance(step, Wait):
        error = f"Version {enrollment.version} of journey '{enrollment.journey_id}' is not known any more."
        fail(draft, enrollment, journey, error, draft.now)
    elif enrollment.memory is not None and enrollment.memory.ended is not None:
        Walk(draft, journey, enrollment, draft.now).wake(step, enrollment.memory.ended)
    else:
        Walk(draft, journey, enrollment, draft.now).fire(step, due)
    close(draft, cause, draft.now, enrollment.club_id)
