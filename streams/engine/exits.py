"""End enrolments by an event or by rules, wherever they stand, and let nobody in for whom the rules hold (R39)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from models.customer import Enrollment
from models.messages import Event
from streams.engine.compiled import CompiledJourney
from streams.engine.conditions import Scope
from streams.engine.draft import CustomerDraft
from streams.engine.entries import EnrollmentRefused
from streams.engine.goals import holds_before
from streams.engine.hearing import can_hear, enrollment_of, hears, in_order, make_scope
from streams.engine.leaving import leave
from streams.engine.listeners import Exit

Refusal = tuple[str, list[dict[str, Any]]]
"""A reason, and the rules that hold."""


def exit_by_event(draft: CustomerDraft, event: Event, at: datetime, journey_ids: Collection[str]) -> bool:
    """End the enrolments and the candidacies that an event ends; say whether it ended any."""
    did = False
    for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
        journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
        found = journey and _find_exit(draft, journey, enrollment, event, at)
        if found:
            _leave(draft, enrollment, found, at)
            did = True
    for candidate in tuple(draft.customer.candidates.values()):
        journey = draft.journeys.newest(candidate.journey_id) if candidate.journey_id in journey_ids else None
        if journey and _find_exit(draft, journey, enrollment_of(candidate, journey), event, at):
            _turn_away(draft, journey, candidate.id)
            did = True
    return did


def _find_exit(
    draft: CustomerDraft, journey: CompiledJourney, enrollment: Enrollment, event: Event, at: datetime
) -> Exit | None:
    if not journey.exits or not can_hear(journey, enrollment, event, at):
        return None
    for one in journey.exits:
        if one.listener is not None and hears(draft, one.listener, enrollment, event, at):
            return one
    return None


def exit_by_rules(draft: CustomerDraft, at: datetime, journey_ids: Collection[str]) -> None:
    """End the enrolments and the candidacies for which the rules of an exit hold now."""
    for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
        journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
        if journey is not None:
            exit_one(draft, journey, enrollment, at)
    for candidate in tuple(draft.customer.candidates.values()):
        journey = draft.journeys.newest(candidate.journey_id) if candidate.journey_id in journey_ids else None
        if journey and _find_holding(journey, make_scope(draft, enrollment_of(candidate, journey)), at):
            _turn_away(draft, journey, candidate.id)


def exit_one(draft: CustomerDraft, journey: CompiledJourney, enrollment: Enrollment, at: datetime) -> bool:
    """End an enrolment if the rules of an exit hold now; say whether they do."""
    found = _find_holding(journey, make_scope(draft, enrollment), at) if journey.exits else None
    if found is not None:
        _leave(draft, enrollment, found, at)
    return found is not None


def _find_holding(journey: CompiledJourney, scope: Scope, at: datetime) -> Exit | None:
    for one in journey.exits:
        if one.rules is not None and one.rules.hold(scope, at):
            return one
    return None


def _leave(draft: CustomerDraft, enrollment: Enrollment, found: Exit, at: datetime) -> None:
    leave(draft, enrollment, "rule", found.name, max(at, enrollment.entered_at or at))


def _turn_away(draft: CustomerDraft, journey: CompiledJourney, id_: str) -> None:
    """Refuse a candidate; its place is given back when the answer comes."""
    candidate = draft.take_candidate(id_)
    assert candidate is not None
    draft.refuse(
        EnrollmentRefused(
            journey_id=journey.id, journey_version=journey.version, reason="exit", enrollment_key=candidate.key
        )
    )


def find_refusal(draft: CustomerDraft, journey: CompiledJourney, scope: Scope, at: datetime) -> Refusal | None:
    """Return why somebody may not enter whom the goal or an exit would end at once; of both, the goal."""
    goal = journey.goal
    if goal is not None and goal.ends and holds_before(goal, draft.customer.profile, at):
        assert goal.rules is not None
        rules = goal.rules.explain(Scope({}, {}, draft.customer.profile), at)[1] if draft.tells_refusals else []
        return "goal", rules
    found = _find_holding(journey, scope, at)
    if found is None:
        return None
    assert found.rules is not None
    return "exit", found.rules.explain(scope, at)[1] if draft.tells_refusals else []
