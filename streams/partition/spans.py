"""Which spans the effects of an input are of: one for each activity record, and below it one for what is sent.

What comes of an event is in the event's trace. What comes after a wait begins a trace of its own, for waits last
days, with a link to the trace that the enrolment began in.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from models.customer import Candidate, Customer, Enrollment
from models.messages import Source
from streams.engine.effects import Activity, Cause, Command, Effect, ProfileUpdate, SendCommand
from streams.engine.entries import EnrollmentFailed, StepFailed
from streams.engine.inputs import Arrived, CustomerInput, MergeIn, PlaceAnswer
from streams.kafka.topics import COMMANDS, PROFILE_UPDATES
from streams.partition.outputs import Emitted, TracedUpdate
from streams.partition.traces import (
    PARTITION,
    Arrival,
    Attributes,
    Decision,
    Span,
    SpanContext,
    begin_trace,
    read_sampled,
)

_Sent = Command | ProfileUpdate
_NONE: dict[str, Enrollment] = {}


class TracedEffects(tuple[Emitted, ...]):
    """Effects as they go out, and the decisions that they are of."""

    decisions: Sequence[Decision] = ()

    @classmethod
    def of(cls, effects: Sequence[Emitted], decisions: Sequence[Decision]) -> "TracedEffects":
        """Return these effects, of these decisions."""
        found = cls(effects)
        found.decisions = decisions
        return found


class Decided(NamedTuple):
    """An input that was decided about, and the customer before it; `arrival` is that of a traced event."""

    before: Customer | None
    given: CustomerInput
    arrival: Arrival | None
    partition: int
    started: datetime
    ended: datetime


class _Place(NamedTuple):
    """Where a decision stands among traces."""

    context: SpanContext
    parent: SpanContext | None
    link: SpanContext | None


def may_follow(before: Customer | None, given: CustomerInput) -> bool:
    """Say whether an input may go on with a trace that began with an earlier one."""
    if before is None:
        return False
    rows: Sequence[Enrollment | Candidate] = (*before.enrollments.values(), *before.candidates.values())
    return type(given) is MergeIn or any(row.traceparent is not None for row in rows)


def trace_effects(effects: tuple[Effect, ...], decided: Decided) -> tuple[Emitted, ...]:
    """Return the effects as they go out; as they are, if none is of a trace that is sampled."""
    decisions: list[Decision] = []
    traced: list[Emitted] = []
    group: list[Effect] = []  # of one activity record, which comes last
    for effect in effects:
        group.append(effect)
        if type(effect) is Activity:
            traced += _trace_group(group, effect, decided, decisions)
            group = []
    if group and (span := _describe_rest(decided)) is not None:
        decisions.append(Decision(span))
    return TracedEffects.of([*traced, *group], decisions) if decisions else effects


def _trace_group(
    group: Sequence[Effect], activity: Activity, decided: Decided, decisions: list[Decision]
) -> Sequence[Emitted]:
    place = _find_place(group, activity, decided)
    if place is None:
        return group
    span = _describe(activity, place, decided)
    traced: list[Emitted] = []
    sends: list[Span] = []
    for effect in group:
        if isinstance(effect, _Sent):
            sends.append(_describe_send(effect, span, decided))
            traced.append(_carry(effect, sends[-1].context.traceparent))
        else:
            traced.append(effect)
    decisions.append(Decision(span, sends))
    return traced


def _carry(effect: _Sent, traceparent: str) -> Emitted:
    if isinstance(effect, Command):
        return msgspec.structs.replace(effect, traceparent=traceparent)
    return TracedUpdate(effect, traceparent)


def _find_place(group: Sequence[Effect], activity: Activity, decided: Decided) -> _Place | None:
    cause, arrival = activity.cause, decided.arrival
    if cause.kind == "event" and arrival is not None:
        return _Place(arrival.context, arrival.parent, None)
    if (origin := _find_waiting(group, cause, decided)) is not None:
        return _Place(begin_trace(_name(activity)), None, origin)
    if (origin := _find_entering(group, decided)) is not None:
        return _Place(origin.child(activity.activity_id), origin, None)
    return None


def _name(activity: Activity) -> str:
    """Name what begins a trace: a wait by when it was due, for after a crash it fires at another moment."""
    cause = activity.cause
    is_wait = cause.kind == "wait"
    return f"{cause.enrollment_id}:{cause.step_id}:{cause.due}" if is_wait else activity.activity_id


def _find_waiting(group: Sequence[Effect], cause: Cause, decided: Decided) -> SpanContext | None:
    """Return where an enrolment began that went on, after it had waited."""
    sends = [_about(effect).enrollment_id for effect in group if isinstance(effect, _Sent)]
    origins = (_find_origin(id_, decided) for id_ in (cause.enrollment_id, *sends) if isinstance(id_, str))
    return next(filter(None, origins), None)


def _find_origin(enrollment_id: str, decided: Decided) -> SpanContext | None:
    enrollments: Mapping[str, Enrollment] = decided.before.enrollments if decided.before else _NONE
    enrollment = enrollments.get(enrollment_id)
    return read_sampled(enrollment.traceparent) if enrollment else None


def _find_entering(group: Sequence[Effect], decided: Decided) -> SpanContext | None:
    """Return where an enrolment comes from that began with this input, which is no event itself."""
    before, given = decided.before, decided.given
    if isinstance(given, Arrived):
        return None
    if isinstance(given, PlaceAnswer) and before and (candidate := before.candidates.get(given.enrollment_id)):
        return read_sampled(candidate.traceparent)
    found = (read_sampled(effect.traceparent) for effect in group if isinstance(effect, Command))
    return next(filter(None, found), None)


def _describe(activity: Activity, place: _Place, decided: Decided) -> Span:
    cause, entries = activity.cause, activity.entries
    journeys = (getattr(entry, "journey_id", None) for entry in entries)
    attributes: Attributes = {
        "fairway.tenant_id": activity.tenant_id,
        "fairway.activity_id": activity.activity_id,
        "fairway.journey_ids": tuple(dict.fromkeys(id_ for id_ in journeys if isinstance(id_, str))),
        PARTITION: decided.partition,
    }
    if cause.topic is not None and cause.partition is not None and cause.offset is not None:
        attributes |= describe_source(Source(cause.topic, cause.partition, cause.offset))
    if isinstance(cause.enrollment_id, str) and isinstance(cause.step_id, str):
        attributes |= {"fairway.enrollment_id": cause.enrollment_id, "fairway.step_id": cause.step_id}
    is_failed = any(isinstance(entry, EnrollmentFailed | StepFailed) for entry in entries)
    name = f"decide {cause.kind}"
    return Span(name, "consumer", *place, decided.started, decided.ended, attributes, is_failed)


def _describe_rest(decided: Decided) -> Span | None:
    """Return the span of a traced event that asks others, for a place or to merge, and leaves no record yet."""
    given, arrival = decided.given, decided.arrival
    if arrival is None or not isinstance(given, Arrived):
        return None
    attributes: Attributes = {"fairway.tenant_id": given.event.tenant_id, PARTITION: decided.partition}
    attributes |= describe_source(given.source)
    place = _Place(arrival.context, arrival.parent, None)
    return Span("decide event", "consumer", *place, decided.started, decided.ended, attributes)


def describe_source(source: Source | None) -> Attributes:
    """Return the attributes that say which record an input was read from."""
    if source is None:
        return {}
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": source.topic,
        "messaging.destination.partition.id": str(source.partition),
        "messaging.kafka.offset": source.offset,
    }


def _describe_send(effect: _Sent, above: Span, decided: Decided) -> Span:
    about, context = _about(effect), above.context
    name = f"{about.enrollment_id}:{about.step_id}:{about.visit}"
    attributes: Attributes = {
        "messaging.system": "kafka",
        "messaging.destination.name": COMMANDS if isinstance(effect, Command) else PROFILE_UPDATES,
        "fairway.tenant_id": about.tenant_id,
        "fairway.journey_id": about.journey_id,
        "fairway.enrollment_id": about.enrollment_id,
        "fairway.step_id": about.step_id,
        PARTITION: decided.partition,
    }
    if isinstance(effect, Command):
        attributes["messaging.message.id"] = effect.value.command_id
    origin = _find_origin(about.enrollment_id, decided)
    link = origin if origin and origin.trace_id != context.trace_id else None
    word = "send command" if isinstance(effect, Command) else "send profile update"
    return Span(word, "producer", context.child(name), context, link, decided.ended, decided.ended, attributes)


def _about(effect: _Sent) -> SendCommand | ProfileUpdate:
    return effect.value if isinstance(effect, Command) else effect
