"""Count what a journey is for, once an enrolment, ACTIVE or over, and end it where the goal says so (R40, R41)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from models.customer import Enrollment, Sent, Watch
from models.duration import add
from models.ids import command_id
from models.messages import Event
from streams.engine.compiled import CompiledJourney, Send
from streams.engine.conditions import Scope
from streams.engine.draft import CustomerDraft
from streams.engine.entries import GoalReached, LastSend
from streams.engine.hearing import can_hear, hears, in_order
from streams.engine.leaving import leave
from streams.engine.listeners import Goal
from streams.engine.memory import change
from streams.engine.position import tell_facts


def reach_by_event(draft: CustomerDraft, event: Event, at: datetime, journey_ids: Collection[str]) -> bool:
    """Count the goals that an event reaches; say whether it did anything."""
    did = False
    for place, journey in _find_places(draft, journey_ids):
        goal = journey.goal
        if goal is None or not can_hear(journey, place, event, at):
            continue
        if any(hears(draft, listener, place, event, at) for listener in goal.listeners):
            did |= _reach(draft, journey, goal, place, at, event.event_id)
    return did


def reach_by_rules(draft: CustomerDraft, at: datetime, journey_ids: Collection[str]) -> None:
    """Count the goals whose rules hold now."""
    for place, journey in _find_places(draft, journey_ids):
        goal = journey.goal
        if goal is None or goal.rules is None or _is_void(place):
            continue
        if goal.rules.hold(Scope({}, {}, draft.customer.profile, tell_facts(place)), at):
            _reach(draft, journey, goal, place, at, None)


def holds_before(goal: Goal, profile: dict[str, Any], at: datetime) -> bool:
    """Say whether the rules of a goal hold of somebody who would only enter."""
    return goal.rules is not None and goal.rules.hold(Scope({}, {}, profile), at)


def _find_places(
    draft: CustomerDraft, journey_ids: Collection[str]
) -> list[tuple[Enrollment | Watch, CompiledJourney]]:
    places: list[Enrollment | Watch] = [*draft.customer.enrollments.values(), *draft.customer.watched]
    found = []
    for place in in_order(places, journey_ids):
        journey = draft.journeys.find(place.journey_id, place.version)
        if journey is not None:
            found.append((place, journey))
    return found


def _is_void(place: Enrollment | Watch) -> bool:
    if isinstance(place, Watch):
        return place.is_void
    return place.memory is not None and place.memory.goal == "void"


def _reach(
    draft: CustomerDraft,
    journey: CompiledJourney,
    goal: Goal,
    place: Enrollment | Watch,
    at: datetime,
    event_id: str | None,
) -> bool:
    if isinstance(place, Watch):
        if at > place.until:
            return False
        draft.customer.watched = tuple(watch for watch in draft.customer.watched if watch.id != place.id)
        _tell(draft, journey, goal, place, place.sent, at, event_id)
        return True
    memory = place.memory
    if memory is not None and memory.goal == "reached":
        return False
    is_in_time = at <= add(place.enrolled_at, goal.within, journey.zone)
    if is_in_time:
        _tell(draft, journey, goal, place, memory.sent if memory else (), at, event_id)
        place = msgspec.structs.replace(place, memory=change(memory, goal="reached"))
        draft.keep(place)
    if goal.ends:
        leave(draft, place, "goal", goal.name, max(at, place.entered_at or at))
    return is_in_time or goal.ends


def _tell(
    draft: CustomerDraft,
    journey: CompiledJourney,
    goal: Goal,
    place: Enrollment | Watch,
    sent: tuple[Sent, ...],
    at: datetime,
    event_id: str | None,
) -> None:
    draft.entries.append(
        GoalReached(
            journey.id,
            journey.version,
            place.id,
            place.key,
            goal.name,
            at,
            place.variants,
            _find_last(journey, place.id, sent, at),
            UNSET if event_id is None else event_id,
        )
    )


def _find_last(journey: CompiledJourney, id_: str, sent: tuple[Sent, ...], at: datetime) -> LastSend | None:
    """Return the newest command that was issued by then."""
    for one in reversed(sent):
        step = journey.steps.get(one.step)
        if one.at <= at and isinstance(step, Send):
            message = command_id(id_, one.step, one.visit)
            return LastSend(one.step, step.channel, message, one.at)
    return None
