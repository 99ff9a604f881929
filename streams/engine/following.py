"""Let the trigger's data follow events, and plan open waits anew whose moment moved with it (R42, R43)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from models.customer import Enrollment
from models.messages import Event
from streams.engine.comparisons import is_same
from streams.engine.compiled import CompiledJourney, Wait
from streams.engine.conditions import Scope
from streams.engine.draft import CustomerDraft
from streams.engine.entries import TriggerUpdated
from streams.engine.exits import exit_one
from streams.engine.hearing import can_hear, hears, in_order, make_scope
from streams.engine.listeners import Follow
from streams.engine.memory import change
from streams.engine.results import Change
from streams.engine.walking import Walk


def follow_event(draft: CustomerDraft, event: Event, at: datetime, journey_ids: Collection[str]) -> dict[str, bool]:
    """Replace trigger data by an event's; return whose data it was, by enrolment, and whether it went on by that.

    An event that occurred before the one followed last is passed over.
    """
    followed = {}
    for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
        journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
        if journey is None or not journey.follow or not can_hear(journey, enrollment, event, at):
            continue
        memory = enrollment.memory
        if memory is not None and memory.followed is not None and at < memory.followed:
            continue
        found = next((one for one in journey.follow if hears(draft, one.listener, enrollment, event, at)), None)
        carried = _find_carried(enrollment.data, found, event.data) if found else {}
        if carried:
            followed[enrollment.id] = _follow(draft, journey, enrollment, carried, at)
    return followed


def _find_carried(before: dict[str, Any], found: Follow, data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that an event sets: those named, else those that the data has; the key's never."""
    names = found.names or tuple(before)
    return {name: data[name] for name in names if name in data and name not in found.key_fields}


def _follow(
    draft: CustomerDraft,
    journey: CompiledJourney,
    enrollment: Enrollment,
    carried: dict[str, Any],
    at: datetime,
) -> bool:
    """Set what the event says; say whether the enrolment went on, or ended, by what changed."""
    before = enrollment.data
    changes = [
        Change(name, before.get(name), value)
        for name, value in carried.items()
        if not is_same(before.get(name), value)
    ]
    memory = change(enrollment.memory, followed=at)
    moved = msgspec.structs.replace(enrollment, data=before | carried if changes else before, memory=memory)
    draft.keep(moved)
    if not changes:
        return False
    draft.entries.append(TriggerUpdated(journey.id, journey.version, enrollment.id, changes))
    return exit_one(draft, journey, moved, at) or _replan(draft, journey, moved, make_scope(draft, enrollment), at)


def follow_profile(
    draft: CustomerDraft, before: dict[str, Any], at: datetime, journey_ids: Collection[str]
) -> None:
    """Plan the open waits anew that follow a field of the profile, where it changed since it was as `before`."""
    for enrollment in in_order(draft.customer.enrollments.values(), journey_ids):
        journey = draft.journeys.find(enrollment.journey_id, enrollment.version)
        step = journey.steps.get(enrollment.step) if journey else None
        if journey is not None and isinstance(step, Wait) and step.follows:
            scope = make_scope(draft, enrollment)
            _replan(draft, journey, enrollment, msgspec.structs.replace(scope, profile=before), at)


def _replan(
    draft: CustomerDraft, journey: CompiledJourney, enrollment: Enrollment, before: Scope, at: datetime
) -> bool:
    """Plan the open wait anew if its moment is not as it was `before`; say whether the enrolment went on."""
    step, memory = journey.steps.get(enrollment.step), enrollment.memory
    if not isinstance(step, Wait) or step.field is None:
        return False
    if memory is not None and memory.ended is not None and not memory.ended.policy:
        return False  # it is over, and only held by a pause
    _, look_up = step.field
    if is_same(look_up(before), look_up(make_scope(draft, enrollment))):
        return False
    Walk(draft, journey, enrollment, max(at, enrollment.entered_at or at)).replan(step)
    kept = draft.customer.enrollments.get(enrollment.id)
    return kept is None or kept.visits != enrollment.visits
