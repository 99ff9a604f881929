"""Who enters a journey, and why not (R1 to R6): each refusal says its reason."""

from datetime import datetime
from typing import Any

import msgspec

from models.customer import Candidate, Enrollment, Entry
from models.duration import add
from models.ids import enrollment_id
from models.journey import JourneyStatus
from models.messages import Event
from streams.engine.conditions import Scope
from streams.engine.draft import Draft
from streams.engine.entries import EnrollmentRefused, EnrollmentStarted
from streams.engine.inputs import Ask
from streams.engine.journeys import CompiledJourney
from streams.engine.leaving import places_key
from streams.engine.walking import Walk


def enter_all(draft: Draft, event: Event, at: datetime) -> None:
    """Enter every journey that this event triggers, or say why not (R1, R2)."""
    for journey in draft.journeys.wanted(draft.tenant_id, event.event_type):
        _enter_by_event(draft, journey, event, at)


def _enter_by_event(draft: Draft, journey: CompiledJourney, event: Event, at: datetime) -> None:
    if journey.club_id is not None and journey.club_id != event.club_id:
        return refuse(draft, journey, "club")
    if draft.journeys.status(journey.id) == JourneyStatus.PAUSED:
        return refuse(draft, journey, "paused")
    scope = Scope(event=event, data=event.data, profile=draft.profile, enrollment={})
    if not journey.conditions.hold(scope, at):
        rules = journey.conditions.explain(scope, at)[1] if draft.tells_refusals else []
        return refuse(draft, journey, "conditions", evaluated_rules=rules)
    envelope = event.extra | {
        "eventId": event.event_id,
        "eventType": event.event_type,
        "tenantId": event.tenant_id,
        "clubId": event.club_id,
        "customerId": event.customer_id,
        "occurredAt": msgspec.to_builtins(event.occurred_at),  # as text: a row holds what JSON holds
    }
    return _enter(draft, journey, scope, at, event.club_id, envelope, event.traceparent)


def enter_by_hand(draft: Draft, journey: CompiledJourney, data: dict[str, Any], at: datetime) -> None:
    """Enter without asking the conditions (R6)."""
    if draft.journeys.status(journey.id) != JourneyStatus.ACTIVE:
        return refuse(draft, journey, "paused")
    envelope = {"tenantId": draft.tenant_id, "customerId": draft.customer_id, "clubId": journey.club_id}
    scope = Scope(event=envelope, data=data, profile=draft.profile, enrollment={})
    return _enter(draft, journey, scope, at, journey.club_id, envelope, None)


def _enter(
    draft: Draft,
    journey: CompiledJourney,
    scope: Scope,
    at: datetime,
    club_id: str | None,
    envelope: dict[str, Any],
    traceparent: str | None,
) -> None:
    key = read_key(journey, scope)
    if key is None:
        return refuse(draft, journey, "key")
    past = draft.history.get(journey.id, {}).get(key)
    if not _may_enter(draft, journey, key, past, at):
        return refuse(draft, journey, "reentry", enrollment_key=key)
    number = past.count + 1 if past else 1
    candidate = Candidate(
        id=enrollment_id(journey.id, draft.customer_id, key, number),
        journey_id=journey.id,
        at=at,
        key=key,
        entry=number,
        club_id=club_id,
        event=envelope,
        data=scope.data,
        traceparent=traceparent,
    )
    if journey.id in draft.journeys.limited:
        draft.keep_candidate(candidate)
        asking = Ask(journey.id, draft.tenant_id, draft.customer_id, candidate.id)
        return draft.forward(places_key(journey.id), asking)
    return start(draft, journey, candidate)


def read_key(journey: CompiledJourney, scope: Scope) -> str | None:
    """Return the enrollment key (R4): "" for a journey without one, None where the event has no value for it."""
    if journey.key is None:
        return ""
    match journey.key(scope):
        case None | "" | list() | dict():
            return None
        case bool() as flag:
            return str(flag).lower()
        case float() as number if number.is_integer():
            return str(int(number))
        case value:
            return str(value)


def _may_enter(draft: Draft, journey: CompiledJourney, key: str, past: Entry | None, at: datetime) -> bool:
    """Apply R3; `past` is the last entry, and who never entered can't be in the journey."""
    if draft.is_candidate(journey.id, key):
        return False
    if past is None:
        return True
    if not journey.allow_reentry or draft.is_in(journey.id, key):
        return False
    if journey.reentry_after is None:
        return True
    return at >= add(past.last_enrolled_at, journey.reentry_after, journey.zone)


def start(draft: Draft, journey: CompiledJourney, candidate: Candidate) -> None:
    """Begin the enrolment and take its first steps."""
    draft.enter(journey.id, candidate.key, candidate.entry, candidate.at)
    draft.note(
        EnrollmentStarted(
            journey.id,
            journey.version,
            candidate.id,
            candidate.key,
            candidate.entry,
            candidate.at,
            candidate.data,
        )
    )
    enrollment = Enrollment(
        id=candidate.id,
        journey_id=journey.id,
        version=journey.version,
        enrolled_at=candidate.at,
        step=journey.first,
        key=candidate.key,
        entry=candidate.entry,
        club_id=candidate.club_id,
        event=candidate.event,
        data=candidate.data,
        traceparent=candidate.traceparent,
    )
    Walk(draft, journey, enrollment, candidate.at).run()


def refuse(draft: Draft, journey: CompiledJourney, reason: str, **why: Any) -> None:
    """Say why a journey was not entered."""
    draft.refuse(EnrollmentRefused(journey_id=journey.id, journey_version=journey.version, reason=reason, **why))
