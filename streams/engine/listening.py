"""What an event, and then what it changed, does to those who are on the way, in the order of R33.

Goals, exits, follow, waits; entries come after that; then, if the profile changed, the same by rules, until
nothing moves any more. Of each, enrolments in order of enrolledAt, then id.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from models.customer import Ended, Enrollment
from models.messages import Event
from streams.engine.compiled import CompiledJourney, Wait
from streams.engine.draft import CustomerDraft
from streams.engine.effects import Cause
from streams.engine.exits import exit_by_event, exit_by_rules
from streams.engine.following import follow_event, follow_profile
from streams.engine.goals import reach_by_event, reach_by_rules
from streams.engine.hearing import can_hear, hears, in_order, make_scope
from streams.engine.memory import change, counts_from, find_recalls, hear_event, store
from streams.engine.walking import Walk


def hear(draft: CustomerDraft, event: Event, at: datetime, journey_ids: Collection[str]) -> bool:
    """Let those who are on the way in these journeys hear an event; say whether it did anything."""
    if not (draft.customer.enrollments or draft.customer.watched or draft.customer.candidates):
        return False
    did = reach_by_event(draft, event, at, journey_ids)
    did |= exit_by_event(draft, event, at, journey_ids)
    for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
        did |= _store(draft, enrollment, event, at)
    followed = follow_event(draft, event, at, journey_ids)
    for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
        if not followed.get(enrollment.id):
            did |= _end_wait(draft, enrollment, event, at)
    for id_, has_moved in followed.items():
        if not has_moved and id_ in draft.customer.enrollments:
            _end_by_rules(draft, draft.customer.enrollments[id_], at)
    return did or bool(followed)


def settle(draft: CustomerDraft, at: datetime) -> None:
    """Ask the rules of those on the way again, for the profile is not as it was; until nothing moves (R33)."""
    journey_ids = draft.journeys.asking
    while draft.customer.profile is not draft.settled:
        before, draft.settled = draft.settled, draft.customer.profile
        if not (draft.customer.enrollments or draft.customer.watched or draft.customer.candidates):
            return
        reach_by_rules(draft, at, journey_ids)
        exit_by_rules(draft, at, journey_ids)
        follow_profile(draft, before, at, journey_ids)
        for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
            _end_by_rules(draft, enrollment, at)


def close(draft: CustomerDraft, cause: Cause, at: datetime, club_id: str | None) -> None:
    """Let those move whom a change of the profile moves, and close the activity record of an input."""
    if draft.customer.profile is not draft.settled and draft.journeys.asking:
        settle(draft, at)
    draft.record(cause, at, club_id)


def _store(draft: CustomerDraft, enrollment: Enrollment, event: Event, at: datetime) -> bool:
    """Keep an event for WAITs that are still to come (R35); say whether it was kept."""
    journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
    if journey is None or not journey.recalls or not can_hear(journey, enrollment, event, at):
        return False
    memory = enrollment.memory
    for wait in find_recalls(journey, enrollment):
        start = counts_from(wait, enrollment)
        for place, listener in enumerate(wait.listeners):
            if start is not None and at >= start and hears(draft, listener, enrollment, event, at):
                memory = store(memory, wait, place, hear_event(event, at, listener))
    if memory is enrollment.memory:
        return False
    draft.keep(msgspec.structs.replace(enrollment, memory=memory))
    return True


def _find_open(draft: CustomerDraft, enrollment: Enrollment, at: datetime) -> tuple[CompiledJourney, Wait] | None:
    """Return the WAIT that an enrolment stands at, unless its end is settled: in a pause it is due, and held."""
    journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
    step = journey.steps.get(enrollment.step) if journey else None
    if journey is None or not isinstance(step, Wait) or not step.listens:
        return None
    until = enrollment.waiting_until
    return None if until is None or until <= at else (journey, step)


def _end_wait(draft: CustomerDraft, enrollment: Enrollment, event: Event, at: datetime) -> bool:
    """End the open WAIT by an event that it hears; say whether it did."""
    found = _find_open(draft, enrollment, at)
    if found is None or not can_hear(found[0], enrollment, event, at):
        return False
    journey, step = found
    start = counts_from(step, enrollment)
    if start is None or at < start:
        return False
    for place, listener in enumerate(step.listeners):
        if hears(draft, listener, enrollment, event, at):
            heard = hear_event(event, at, listener)
            _end(draft, journey, enrollment, step, Ended(at, enrollment.waiting_until, heard, place))
            return True
    return False


def _end_by_rules(draft: CustomerDraft, enrollment: Enrollment, at: datetime) -> None:
    """End the open WAIT if its rules hold now (R36)."""
    found = _find_open(draft, enrollment, at)
    if found is None or found[1].rules is None:
        return
    journey, step = found
    scope, rules = make_scope(draft, enrollment), found[1].rules
    if rules.hold(scope, at):
        seen: list[dict[str, Any]] = rules.explain(scope, at)[1]
        _end(draft, journey, enrollment, step, Ended(at, enrollment.waiting_until, rules=seen))


def _end(draft: CustomerDraft, journey: CompiledJourney, enrollment: Enrollment, step: Wait, ended: Ended) -> None:
    """Go on from a WAIT; in a pause its end is settled, and it is due (R38)."""
    moment = max(ended.at, enrollment.entered_at or ended.at)
    if journey.id not in draft.journeys.paused:
        return Walk(draft, journey, enrollment, moment).wake(step, ended)
    memory = change(enrollment.memory, ended=ended)
    draft.keep(msgspec.structs.replace(enrollment, waiting_until=moment, memory=memory))
    return None
