"""Decide what an input does to a customer: pure and total, the one door into the engine.

Order (R30, R33): enrolments of archived journeys end; the customer's waits due at or before the input's time fire,
oldest first; then the input. Each leaves its own activity record, and in it what moves because the profile changed.
"""

from datetime import datetime
from typing import assert_never

import msgspec

from models.customer import Customer, fingerprint, remember, remembers
from models.ids import CustomerKey
from models.journey import JourneyStatus
from models.messages import Event, Source
from streams.engine.allowance import Allowance
from streams.engine.draft import CustomerDraft
from streams.engine.effects import Cause, Outcome
from streams.engine.entering import admit, enter_all, enter_by_hand, refuse
from streams.engine.entries import EnrollmentRefused
from streams.engine.firing import fail_wait, find_due, fire_due
from streams.engine.inputs import (
    Arrived,
    CustomerInput,
    Due,
    Enroll,
    Exit,
    FailWait,
    MergeAway,
    MergeIn,
    OptOut,
    PlaceAnswer,
    ReleasePlace,
    Sweep,
)
from streams.engine.journeys import Journeys
from streams.engine.leaving import leave, leave_archived, places_key
from streams.engine.listening import close, hear
from streams.engine.merging import ask_to_merge, merge_away, merge_in
from streams.engine.profile import PROFILE_EVENTS, erase, opt_out, unsubscribe, update_profile

__all__ = ["PROFILE_EVENTS", "advance"]


def advance(
    customer: Customer | None,
    key: CustomerKey,
    given: CustomerInput,
    now: datetime,
    journeys: Journeys,
    *,
    tell_refusals: bool = True,
    allowance: Allowance | None = None,
) -> Outcome:
    """Return the customer after an input, and its effects; the row itself is left as it was.

    Without `tell_refusals`, whom a journey refuses leaves no trace (FAIRWAY_REFUSALS=none). An `allowance` says
    what the tenant may send (R67), and has what was sent taken off it; without one, all may be sent.
    """
    if type(given) is Arrived and not is_of_use(given.event, journeys):
        return Outcome(customer)
    at = _time_of(given, now)
    draft = CustomerDraft(customer, key, now, journeys, tell_refusals=tell_refusals)
    if allowance is not None:
        draft.allowance = allowance
    if draft.customer.enrollments:
        if journeys.archived:
            _leave_archived(draft)
        fire_due(draft, given, at)
    _apply(draft, given, at)
    return draft.outcome()


def waits_before(customer: Customer | None, given: CustomerInput, now: datetime, journeys: Journeys) -> list[str]:
    """Return the enrolments whose waits fire before an input (R30), oldest first."""
    if customer is None:
        return []
    return [id_ for _, id_ in find_due(customer.enrollments, given, _time_of(given, now), journeys)]


def is_of_use(event: Event, journeys: Journeys) -> bool:
    """Say whether anything may come of an event."""
    return (event.tenant_id, event.event_type) in journeys.useful or event.event_type in PROFILE_EVENTS


def _time_of(given: CustomerInput, now: datetime) -> datetime:
    """Return the time of an input: when it occurred, but never in the future (R16)."""
    match given:
        case Arrived():
            moment = given.event.occurred_at
            return moment if moment < now else now
        case Due() | FailWait() | Sweep() | PlaceAnswer():
            return now
        case Enroll(at=at) | Exit(at=at) | MergeAway(at=at) | MergeIn(at=at) | OptOut(at=at):
            return min(at, now)
        case _:
            assert_never(given)


def _apply(draft: CustomerDraft, given: CustomerInput, at: datetime) -> None:
    if draft.customer.merging and _is_held_back(draft, given):
        draft.customer.deferred = (*draft.customer.deferred, msgspec.to_builtins(given))
        return
    match given:
        case Arrived():
            _handle_event(draft, given.event, given.source, at)
        case Due() | Sweep():
            pass  # done before any input
        case Enroll():
            _enroll(draft, given, at)
        case Exit():
            _exit(draft, given, at)
        case PlaceAnswer():
            _settle(draft, given)
        case MergeAway() | MergeIn() | OptOut():
            _handle_merge(draft, given, at)
        case FailWait():
            fail_wait(draft, given)
        case _:
            assert_never(given)


def _is_held_back(draft: CustomerDraft, given: CustomerInput) -> bool:
    """Say whether an input must wait for the history of a merged customer; two merged into each other must not."""
    if isinstance(given, MergeAway):
        return given.into not in draft.customer.merging
    return isinstance(given, Arrived | Enroll | Exit | OptOut)


def _enroll(draft: CustomerDraft, given: Enroll, at: datetime) -> None:
    journey = draft.journeys.newest(given.journey_id)
    if journey is not None and journey.tenant_id == draft.key.tenant_id:
        enter_by_hand(draft, journey, given.data, at)
        close(draft, _control_cause("enroll", given.source), at, journey.club_id)


def _exit(draft: CustomerDraft, given: Exit, at: datetime) -> None:
    for enrollment in tuple(draft.customer.enrollments.values()):
        if given.journey_id in (None, enrollment.journey_id):
            leave(draft, enrollment, "manual", None, at)
    for candidate in tuple(draft.customer.candidates.values()):
        if given.journey_id in (None, candidate.journey_id):
            draft.take_candidate(candidate.id)  # its place is given back when the answer comes
    draft.record(_control_cause("exit", given.source), at, None)


def _event_cause(event: Event, source: Source | None) -> Cause:
    if source is None:
        return Cause("event", event.event_id, event.event_type)
    return Cause("event", event.event_id, event.event_type, source.topic, source.partition, source.offset)


def _control_cause(control: str, source: Source | None) -> Cause:
    if source is None:
        return Cause("control", control=control)
    return Cause("control", None, None, source.topic, source.partition, source.offset, control)


def _handle_event(draft: CustomerDraft, event: Event, source: Source | None, at: datetime) -> None:
    event_mark = fingerprint(event.event_id)
    if draft.before is not None and remembers(draft.customer.recent, event_mark):
        draft.refuse(EnrollmentRefused(reason="duplicate"))
    elif event.event_type == "customer.merged" and ask_to_merge(draft, event, at):
        draft.customer.deferred = (*draft.customer.deferred, msgspec.to_builtins(Arrived(event, source)))
    else:
        _take_event(draft, event, event_mark, at)
    close(draft, _event_cause(event, source), at, event.club_id)


def _take_event(draft: CustomerDraft, event: Event, event_mark: bytes, at: datetime) -> None:
    """Let an event change the profile, be heard, and enter; one that is only heard may leave no trace (R31)."""
    journeys, key = draft.journeys, (draft.key.tenant_id, event.event_type)
    wanted = journeys.wanted.get(key)
    does = wanted is not None
    if event.event_type in PROFILE_EVENTS:
        does = True
        _change_profile(draft, event, at)
        if draft.erased:
            return
    if journeys.heard and (listening := journeys.heard.get(key)):
        does = hear(draft, event, at, listening) or does
    if does:
        draft.customer.recent = remember(draft.customer.recent, event_mark)
    if wanted is not None:
        enter_all(draft, wanted, event, at)


def _change_profile(draft: CustomerDraft, event: Event, at: datetime) -> None:
    match event.event_type:
        case "customer.updated" | "scl.member.created":
            update_profile(draft, event, at)
        case "customer.unsubscribed":
            unsubscribe(draft, event, at)
        case "customer.deleted":
            erase(draft, at)
        case _:
            pass


def _handle_merge(draft: CustomerDraft, given: MergeAway | MergeIn | OptOut, at: datetime) -> None:
    """Take what comes from a customer who is merged with this one."""
    match given:
        case MergeAway():
            merge_away(draft, given, at)
            close(draft, Cause("event", given.event_id, "customer.merged"), at, None)
        case MergeIn():
            _inherit(draft, given, at)
        case OptOut():
            opt_out(draft, given, at)
            close(draft, Cause("event", given.event_id, given.event_type), at, None)
        case _:
            assert_never(given)


def _inherit(draft: CustomerDraft, given: MergeIn, at: datetime) -> None:
    """Take in what a merged customer left, then handle what was held back meanwhile."""
    merge_in(draft, given, at)
    held, draft.customer.deferred = draft.customer.deferred, ()
    for message in held:
        waiting = msgspec.convert(message, CustomerInput)
        is_the_merge = isinstance(waiting, Arrived) and waiting.event.event_id == given.event_id
        if is_the_merge and not remembers(draft.customer.recent, fingerprint(given.event_id)):
            assert isinstance(waiting, Arrived)
            event = waiting.event
            _take_event(draft, event, fingerprint(event.event_id), at)
            close(draft, _event_cause(event, waiting.source), at, event.club_id)
        else:
            _apply(draft, waiting, _time_of(waiting, draft.now))
    close(draft, Cause("event", given.event_id, "customer.merged"), at, None)


def _settle(draft: CustomerDraft, answer: PlaceAnswer) -> None:
    """Enter or refuse a candidate; one that is gone meanwhile gives its place back (R5)."""
    candidate = draft.take_candidate(answer.enrollment_id)
    if candidate is None:
        if answer.admitted:
            _give_back(draft, answer.journey_id)
        return
    journey = draft.journeys.newest(candidate.journey_id)
    is_open = draft.journeys.status(candidate.journey_id) == JourneyStatus.ACTIVE
    enters = answer.admitted and journey is not None and is_open
    if journey is not None and not enters:
        refuse(draft, journey, "paused" if answer.admitted else "maxEnrollments", enrollment_key=candidate.key)
    if journey is not None and enters:
        enters = admit(draft, journey, candidate)
    if answer.admitted and not enters:
        _give_back(draft, answer.journey_id)
    cause = Cause("admission", candidate.event.get("eventId"), candidate.event.get("eventType"))
    close(draft, cause, candidate.at, candidate.club_id)


def _give_back(draft: CustomerDraft, journey_id: str) -> None:
    draft.forward(places_key(journey_id), ReleasePlace(journey_id, draft.key.tenant_id, draft.key.customer_id))


def _leave_archived(draft: CustomerDraft) -> None:
    if any(enrollment.journey_id in draft.journeys.archived for enrollment in draft.customer.enrollments.values()):
        leave_archived(draft, draft.journeys.archived, draft.now)
        draft.record(_control_cause("archive", None), draft.now, None)
