"""What an enrolment remembers: of what it heard (R35, R37), and of its commands, for a goal (R41)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from models.customer import Enrollment, HeardEvent, Memory, Sent
from models.messages import Event
from streams.engine.compiled import SINCE_ENROLLMENT, SINCE_STEP, CompiledJourney, Wait, WaitListener, ways_out

KEPT_BYTES = 1024  # of all that one listener keeps, as JSON
SENT_KEPT = 4  # commands: a goal that is heard late is credited to the newest before it

_NOTHING = Memory()
_write = msgspec.json.Encoder().encode


def change(memory: Memory | None, **changes: Any) -> Memory | None:
    """Return a memory with changes; None if nothing is left in it."""
    changed = msgspec.structs.replace(memory or _NOTHING, **changes)
    return None if changed == _NOTHING else changed


def begin(memory: Memory | None, journey: CompiledJourney, step_id: str, at: datetime) -> Memory | None:
    """Forget what came before a step was entered again that WAITs count events from."""
    known = memory or _NOTHING
    anew = {wait.id for _, wait in journey.recalls if wait.since == step_id}
    events = {wait: heard for wait, heard in known.events.items() if wait not in anew}
    return change(memory, since=known.since | {step_id: at}, events=events)


def counts_from(wait: Wait, enrollment: Enrollment) -> datetime | None:
    """Return from when on events end a WAIT; None where none does, for the step to count from was never entered."""
    if wait.since == SINCE_STEP:
        return enrollment.entered_at
    if wait.since == SINCE_ENROLLMENT:
        return enrollment.enrolled_at
    return enrollment.memory.since.get(wait.since) if enrollment.memory else None


def find_recalls(journey: CompiledJourney, enrollment: Enrollment) -> Iterator[Wait]:
    """Yield the WAITs that an event of now may end as soon as they are entered."""
    step = journey.steps.get(enrollment.step)
    ahead = 0
    for way in ways_out(step) if step else ():
        ahead |= journey.reach[way] if way is not None else 0
    yield from (wait for bit, wait in journey.recalls if ahead & bit)


def store(memory: Memory | None, wait: Wait, place: int, event: HeardEvent) -> Memory | None:
    """Keep an event for a WAIT; of each listener only the newest one, of one moment the last to arrive."""
    events = memory.events if memory else {}
    of_wait = events.get(wait.id, {})
    known = of_wait.get(place)
    if known is not None and known.at > event.at:
        return memory
    return change(memory, events=events | {wait.id: of_wait | {place: event}})


def recall(memory: Memory | None, wait: Wait) -> tuple[int, HeardEvent] | None:
    """Return the event that ends a WAIT as it is entered, with its listener's place: the earliest of those kept."""
    kept = memory.events.get(wait.id) if memory else None
    return min(kept.items(), key=lambda item: (item[1].at, item[0])) if kept else None


def spend(memory: Memory | None, event_id: str) -> Memory | None:
    """Forget an event that has ended a WAIT: it ends no other."""
    if memory is None or not memory.events:
        return memory
    events = {
        wait: left
        for wait, heard in memory.events.items()
        if (left := {place: event for place, event in heard.items() if event.event_id != event_id})
    }
    return change(memory, events=events)


def hear_event(event: Event, at: datetime, listener: WaitListener) -> HeardEvent:
    """Return what is kept of an event, should it end a WAIT."""
    kept: dict[str, Any] = {}
    left_out = []
    for name in listener.keep:
        larger = kept | {name: event.data.get(name)}
        if len(_write(larger)) <= KEPT_BYTES:
            kept = larger
        else:
            left_out.append(name)
    return HeardEvent(at, event.event_id, kept, tuple(left_out))


def keep(memory: Memory | None, step_id: str, kept: dict[str, Any]) -> Memory | None:
    """Keep fields of the event that ended a WAIT, in place of those of an earlier one."""
    return change(memory, kept=(memory.kept if memory else {}) | {step_id: kept})


def tell_event(wait: Wait, place: int, event: HeardEvent, *, before: bool) -> dict[str, Any]:
    """Return what the result of a WAIT says of the event that ended it; `before`: it came before the WAIT."""
    listener = wait.listeners[place]
    told: dict[str, Any] = {
        "ended": "event", "event_id": event.event_id, "event_type": listener.event_type, "event_at": event.at,
        "listener": place + 1,
    }  # fmt: skip
    if before:
        told["before"] = True
    if listener.keep:
        told["kept"] = event.kept
    if event.left_out:
        told["left_out"] = list(event.left_out)
    return told


def note_sent(memory: Memory | None, step_id: str, visit: int, at: datetime) -> Memory | None:
    """Remember a command."""
    sent = memory.sent if memory else ()
    return change(memory, sent=(*sent, Sent(step_id, visit, at))[-SENT_KEPT:])
