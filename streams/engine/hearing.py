"""Which enrolments an event reaches, in order, and whether each hears it (R31): time, club, key, conditions."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypeVar

from models.customer import Candidate, Enrollment, Watch
from models.messages import Event
from streams.engine.compiled import CompiledJourney
from streams.engine.draft import CustomerDraft
from streams.engine.fields import Scope, read_key
from streams.engine.listeners import Listener
from streams.engine.position import tell_facts

Place = TypeVar("Place", Enrollment, Watch, Enrollment | Watch)


def in_order(places: Iterable[Place], journey_ids: Collection[str]) -> list[Place]:
    """Return those of these journeys in the order in which they are moved: by enrolledAt, then id (R33)."""
    found = [place for place in places if place.journey_id in journey_ids]
    return sorted(found, key=lambda place: (place.enrolled_at, place.id)) if len(found) > 1 else found


def can_hear(journey: CompiledJourney, place: Enrollment | Watch, event: Event, at: datetime) -> bool:
    """Say whether an enrolment hears this event at all: it is of the club, and came after the one that enrolled."""
    if event.event_type not in journey.hears or at < place.enrolled_at:
        return False
    if journey.club_id is not None and journey.club_id != event.club_id:
        return False
    enrolled_by = place.event_id if isinstance(place, Watch) else place.event.get("eventId")
    return enrolled_by != event.event_id


def hears(draft: CustomerDraft, listener: Listener, place: Enrollment | Watch, event: Event, at: datetime) -> bool:
    """Say whether a listener of an enrolment takes an event: its type, its key and all conditions fit."""
    if listener.event_type != event.event_type:
        return False
    if listener.key is not None:
        scope = Scope(event, event.data, draft.customer.profile)
        if read_key(listener.key, scope) != place.key:
            return False
    conditions = listener.conditions
    return conditions is None or conditions.hold(make_scope(draft, place, event), at)


def make_scope(draft: CustomerDraft, place: Enrollment | Watch, event: Event | None = None) -> Scope:
    """Return what an enrolment's listeners and rules may ask; without an event, the one that enrolled it."""
    facts = tell_facts(place)
    if isinstance(place, Watch):
        return Scope(event or {}, {}, draft.customer.profile, facts)
    facts["visits"] = place.visits
    facts["heard"] = place.memory.kept if place.memory else {}
    return Scope(event or place.event, place.data, draft.customer.profile, facts)


def enrollment_of(candidate: Candidate, journey: CompiledJourney) -> Enrollment:
    """Return the enrolment that a candidate would begin (R5), in this version."""
    return Enrollment(
        candidate.id,
        journey.id,
        journey.version,
        candidate.at,
        journey.first,
        candidate.key,
        candidate.entry,
        candidate.club_id,
        candidate.event,
        candidate.data,
        traceparent=candidate.traceparent,
    )
