"""The inputs of a partition, traced: the engine decides as ever, and what it decided goes out with its span.

Spans stay with the effects that they are of: a slice that does not count, or a transaction, leaves none.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from models.customer import Customer
from models.ids import CustomerKey
from models.messages import Source
from models.rates import Rates
from streams.clock import now as read_clock
from streams.engine.effects import Forward, Outcome
from streams.engine.inputs import Arrived, CustomerInput
from streams.engine.journeys import Journeys
from streams.kafka.fetch import SourceRecord
from streams.kafka.records import Headers
from streams.partition.inputs import Addressed
from streams.partition.metrics import TRACED_INPUTS, Tally
from streams.partition.outputs import Emitted, Router
from streams.partition.processor import Advance, Given, Processor
from streams.partition.rated import RatedProcessor
from streams.partition.spans import Decided, TracedEffects, describe_source, may_follow, trace_effects
from streams.partition.traces import PARTITION, Attributes, Decision, Span, SpanContext, read_sampled, receive
from streams.partition.transaction import Slice

Export = Callable[[Sequence[Span]], None]
"""Takes the spans of one input once they are committed; never waits."""

_INPUTS_A_SECOND = 200  # of a worker; 0.2 ms of its processor time each, 4 % of it
_SECOND = timedelta(seconds=1)


class Tracing:
    """How the partitions of a worker trace: of the events without a trace this `ratio` begins one.

    Beyond so many inputs in a second it leaves traces as they come, so that the work has its time.
    """

    def __init__(self, ratio: float, export: Export, clock: Callable[[], datetime] = read_clock) -> None:
        self.ratio = ratio
        self.export = export
        self.clock = clock
        self._second = clock()
        self._left = _INPUTS_A_SECOND

    def processor(self, router: Router, decide_customer: Advance, rates: Rates) -> Processor:
        """Return what brings inputs to their customers, and traces them."""
        return _TracedProcessor(router, decide_customer, rates, self)

    def tally(self) -> Tally:
        """Return what a transaction is counted by: it exports its spans, too."""
        return _TracedTally(self)

    def has_room(self, now: datetime) -> bool:
        """Say whether another input may be traced in this second."""
        if now - self._second >= _SECOND:
            self._second, self._left = now, _INPUTS_A_SECOND
        return self._left > 0

    def spend(self, number: int) -> None:
        """Note that so many inputs were traced."""
        self._left -= number


class _TracedTally(Tally):
    """What one transaction has done so far, with its spans."""

    def __init__(self, tracing: Tracing) -> None:
        super().__init__()
        self._tracing = tracing
        self._decisions: list[Decision] = []
        self._letters: list[tuple[str, Headers]] = []

    def note_effects(self, effects: Sequence[tuple[bytes, Sequence[Emitted]]]) -> None:
        super().note_effects(effects)
        for _, group in effects:
            if type(group) is TracedEffects:
                self._decisions += group.decisions

    def note_letter(self, code: str, headers: Headers) -> None:
        super().note_letter(code, headers)
        self._letters.append((code, headers))

    def count(self, started: datetime, committed: datetime) -> None:
        super().count(started, committed)
        TRACED_INPUTS.labels("traced").inc(len(self._decisions))
        for decision in self._decisions:
            self._tracing.export(decision.finish(started, committed))
        for code, headers in self._letters:
            span = _describe_letter(code, headers, started, committed)
            if span is not None and self._tracing.has_room(committed):
                self._tracing.spend(1)
                self._tracing.export([span])


class _TracedProcessor(RatedProcessor):
    """The inputs of one partition, traced."""

    def __init__(self, router: Router, decide_customer: Advance, rates: Rates, tracing: Tracing) -> None:
        super().__init__(router, self._trace, rates)
        self._decide_untraced = decide_customer
        self._tracing = tracing

    def _trace(
        self,
        before: Customer | None,
        key: CustomerKey,
        given: CustomerInput,
        now: datetime,
        journeys: Journeys,
        **within: Any,
    ) -> Outcome:
        """Let the engine decide; an event carries the span of that, which its row and commands then name."""
        tracing, arrival = self._tracing, None
        if not (has_room := tracing.has_room(now)):
            _note_passed_over(given)
        elif type(given) is Arrived and (arrival := receive(given, "decide", tracing.ratio)):
            given = _carry(given, arrival.context)
        started = tracing.clock() if arrival else now
        outcome = self._decide_untraced(before, key, given, now, journeys, **within)
        if not (outcome.effects and has_room and (arrival or may_follow(before, given))):
            return outcome
        decided = Decided(before, given, arrival, self.router.partition, started, tracing.clock())
        effects = trace_effects(outcome.effects, decided)
        if isinstance(effects, TracedEffects):
            tracing.spend(len(effects.decisions))
        return msgspec.structs.replace(outcome, effects=effects)

    def pass_on(self, slice_: Slice, topic: str, record: SourceRecord, given: Given, now: datetime) -> None:
        """Handle what is not for a customer of this partition, or for nobody."""
        if type(given) is tuple and type(given[1]) is Arrived:
            slice_.emit(given[0].raw, self._send_on(given))
        else:
            super().pass_on(slice_, topic, record, given, now)

    def _send_on(self, given: Addressed) -> Sequence[Emitted]:
        """Send an event on to its customer's partition: it carries the span of that."""
        (key, arrived), tracing = given, self._tracing
        assert isinstance(arrived, Arrived), "Only events are sent on with a span."
        at = tracing.clock()
        arrival = receive(arrived, "send on", tracing.ratio) if tracing.has_room(at) else None
        if arrival is None:
            return (Forward(key.raw, arrived),)
        tracing.spend(1)
        attributes: Attributes = {"fairway.tenant_id": key.tenant_id, PARTITION: self.router.partition}
        attributes |= describe_source(arrived.source)
        span = Span("send on", "producer", arrival.context, arrival.parent, None, at, at, attributes)
        return TracedEffects.of([Forward(key.raw, _carry(arrived, arrival.context))], [Decision(span)])


def _note_passed_over(given: CustomerInput) -> None:
    if type(given) is Arrived and read_sampled(given.event.traceparent):
        TRACED_INPUTS.labels("passed-over").inc()


def _carry(given: Arrived, context: SpanContext) -> Arrived:
    event = msgspec.structs.replace(given.event, traceparent=context.traceparent)
    return msgspec.structs.replace(given, event=event)


def _describe_letter(code: str, headers: Headers, started: datetime, committed: datetime) -> Span | None:
    """Return the span of a dead letter, if its record came with a trace that is sampled."""
    found = {name: value.decode(errors="replace") for name, value in headers if value is not None}
    parent = read_sampled(found.get("traceparent"))
    if parent is None:
        return None
    topic, partition, offset = (found[f"dlq.{name}"] for name in ("topic", "partition", "offset"))
    attributes = describe_source(Source(topic, int(partition), int(offset))) | {"fairway.code": code}
    context = parent.child(f"dead letter:{topic}:{partition}:{offset}")
    return Span("dead letter", "consumer", context, parent, None, started, committed, attributes, is_failed=True)
