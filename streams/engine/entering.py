"""Who enters a journey, and why not (R1 to R6): each refusal says its reason."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from models.customer import Candidate, Enrollment, EntryHistory, Memory
from models.duration import add
from models.ids import enrollment_id
from models.journey import JourneyStatus
from models.messages import Event
from streams.engine.compiled import CompiledJourney
from streams.engine.conditions import Scope
from streams.engine.draft import CustomerDraft
from streams.engine.entries import EnrollmentRefused, EnrollmentStarted
from streams.engine.envelope import envelope
from streams.engine.exits import find_refusal
from streams.engine.fields import read_key
from streams.engine.goals import holds_before
from streams.engine.hearing import enrollment_of, make_scope
from streams.engine.inputs import RequestPlace
from streams.engine.leaving import places_key
from streams.engine.walking import Walk

_NEVER: dict[str, EntryHistory] = {}


def enter_all(draft: CustomerDraft, wanted: Iterable[CompiledJourney], event: Event, at: datetime) -> None:
    """Enter every journey that this event triggers, or say why not (R1, R2)."""
    for journey in wanted:
        _enter_by_event(draft, journey, event, at)


def _enter_by_event(draft: CustomerDraft, journey: CompiledJourney, event: Event, at: datetime) -> None:
    if journey.club_id is not None and journey.club_id != event.club_id:
        return refuse(draft, journey, "club")
    if journey.id in draft.journeys.paused:
        return refuse(draft, journey, "paused")
    scope = Scope(event, event.data, draft.customer.profile)
    if not journey.conditions.hold(scope, at):
        rules = journey.conditions.explain(scope, at)[1] if draft.tells_refusals else []
        return refuse(draft, journey, "conditions", evaluated_rules=rules)
    if journey.guards and (why := find_refusal(draft, journey, scope, at)):
        return refuse(draft, journey, why[0], evaluated_rules=why[1])
    return _enter(draft, journey, scope, at, event.club_id, event.traceparent)


def enter_by_hand(draft: CustomerDraft, journey: CompiledJourney, data: dict[str, Any], at: datetime) -> None:
    """Enter without asking the conditions (R6)."""
    if draft.journeys.status(journey.id) != JourneyStatus.ACTIVE:
        return refuse(draft, journey, "paused")
    about = {"tenantId": draft.key.tenant_id, "customerId": draft.key.customer_id, "clubId": journey.club_id}
    scope = Scope(about, data, draft.customer.profile)
    if journey.guards and (why := find_refusal(draft, journey, scope, at)):
        return refuse(draft, journey, why[0], evaluated_rules=why[1])
    return _enter(draft, journey, scope, at, journey.club_id, None)


def _enter(
    draft: CustomerDraft,
    journey: CompiledJourney,
    scope: Scope,
    at: datetime,
    club_id: str | None,
    traceparent: str | None,
) -> None:
    id_, event = journey.id, scope.event
    key = "" if journey.key is None else read_key(journey.key, scope)
    if key is None:
        return refuse(draft, journey, "key")
    past = draft.customer.history.get(id_, _NEVER).get(key)
    if past is not None or draft.customer.candidates:
        barred = _find_bar(draft, journey, key, past, at)
        if barred is not None:
            return refuse(draft, journey, "reentry", enrollment_key=key, **barred)
    number = past.count + 1 if past else 1
    name = enrollment_id(id_, draft.key.customer_id, key, number)
    arrived, about = (event, {}) if isinstance(event, Event) else (None, event)
    if id_ in draft.journeys.limited:
        about = envelope(arrived) if arrived else about
        draft.keep_candidate(Candidate(name, id_, at, key, number, club_id, about, scope.data, traceparent))
        return draft.forward(places_key(id_), RequestPlace(id_, draft.key.tenant_id, draft.key.customer_id, name))
    enrollment = Enrollment(
        name,
        id_,
        journey.version,
        at,
        journey.first,
        key,
        number,
        club_id,
        about,
        scope.data,
        traceparent=traceparent,
    )
    return _start(draft, journey, enrollment, arrived)


def _find_bar(
    draft: CustomerDraft, journey: CompiledJourney, key: str, past: EntryHistory | None, at: datetime
) -> dict[str, Any] | None:
    """Apply R3: return which rule bars the entry, as a refusal says it; None if none does.

    `past` is the last entry, and who never entered can't be in the journey.
    """
    if draft.is_candidate(journey.id, key):
        return {"reentry": "candidate"}
    if past is None:
        return None
    if not journey.allow_reentry:
        return {"reentry": "once"}
    if draft.is_in(journey.id, key):
        return {"reentry": "active"}
    if journey.reentry_after is None:
        return None
    start = add(past.last_enrolled_at, journey.reentry_after, journey.zone)
    return None if at >= start else {"reentry": "later", "reentry_from": start}


def admit(draft: CustomerDraft, journey: CompiledJourney, one: Candidate) -> bool:
    """Begin the enrolment of a candidate that got a place (R5), in the version that is the newest by now.

    False where the goal or an exit of that version keeps it out.
    """
    enrollment = enrollment_of(one, journey)
    if journey.guards and (why := find_refusal(draft, journey, make_scope(draft, enrollment), one.at)):
        refuse(draft, journey, why[0], evaluated_rules=why[1], enrollment_key=one.key)
        return False
    _start(draft, journey, enrollment, None)
    return True


def _start(draft: CustomerDraft, journey: CompiledJourney, enrollment: Enrollment, arrived: Event | None) -> None:
    """Take the first steps; of an event that just `arrived` the row keeps the envelope, should one wait."""
    key, number, at = enrollment.key, enrollment.entry, enrollment.enrolled_at
    draft.enter(journey.id, key, number, at)
    draft.entries.append(
        EnrollmentStarted(journey.id, journey.version, enrollment.id, key, number, at, enrollment.data)
    )
    goal = journey.goal
    if goal is not None and holds_before(goal, draft.customer.profile, at):
        enrollment = msgspec.structs.replace(enrollment, memory=Memory(goal="void"))
    Walk(draft, journey, enrollment, at, arrived).run()


def refuse(draft: CustomerDraft, journey: CompiledJourney, reason: str, **why: Any) -> None:
    """Say why a journey was not entered."""
    draft.refuse(EnrollmentRefused(journey_id=journey.id, journey_version=journey.version, reason=reason, **why))
