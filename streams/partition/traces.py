"""What traces are made of: contexts that travel as `traceparent`, and spans.

Ids are hashes of what they name, so that what is done again after a crash has the ids that it had before.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Literal, NamedTuple

from streams.engine.inputs import Arrived

Attributes = dict[str, str | int | Sequence[str]]
"""What a span says: ids and places, never what an event or a journey holds."""

PARTITION = "fairway.partition"
"""The partition that does the work of a span."""

_TRACE = 32  # hexadecimal digits of a trace's id; those of a span's follow
_empty = blake2b(digest_size=24)  # a copy of it takes half of the time of a new one
_read = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})").fullmatch


class SpanContext(NamedTuple):
    """Names a span that is recorded: its trace by 32, itself by 16 hexadecimal digits."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        """Return the header of what this span sends out."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def child(self, name: str) -> "SpanContext":
        """Return the context of a further span of this trace, which no other span of it shares its name with."""
        return SpanContext(self.trace_id, _digest(name)[_TRACE:])


class Span(NamedTuple):
    """A piece of work, as a collector is told of it."""

    name: str
    kind: Literal["consumer", "producer", "internal"]
    context: SpanContext
    parent: SpanContext | None
    link: SpanContext | None
    start: datetime
    end: datetime
    attributes: Attributes
    is_failed: bool = False


class Decision(NamedTuple):
    """What was decided about one input, and what of it goes out once it is committed."""

    span: Span
    sends: Sequence[Span] = ()

    def finish(self, started: datetime, committed: datetime) -> list[Span]:
        """Return the spans of a decision whose commit took this time."""
        above = self.span.context
        context, attributes = above.child(f"commit:{above.span_id}"), {PARTITION: self.span.attributes[PARTITION]}
        commit = Span("commit", "internal", context, above, None, started, committed, attributes)
        return [self.span, commit, *(send._replace(end=committed) for send in self.sends)]


class Arrival(NamedTuple):
    """The span in which an event is handled, and the one that sent it."""

    context: SpanContext
    parent: SpanContext | None


def begin_trace(name: str) -> SpanContext:
    """Return the context of the first span of a trace."""
    digest = _digest(name)
    return SpanContext(digest[:_TRACE], digest[_TRACE:])


def read(traceparent: str | None) -> tuple[SpanContext, bool] | None:
    """Return the context that a header names, and whether it is sampled; None if it names none."""
    found = _read(traceparent) if traceparent else None
    return None if found is None else (SpanContext(found[1], found[2]), int(found[3], 16) & 1 == 1)


def read_sampled(traceparent: str | None) -> SpanContext | None:
    """Return the context that a header names if it is sampled."""
    found = read(traceparent)
    return found[0] if found and found[1] else None


def receive(given: Arrived, work: str, ratio: float) -> Arrival | None:
    """Return the span in which this `work` is done on an event; None if its trace is not sampled.

    Its producer says whether it is; an event without a trace begins one, of which this `ratio` is sampled.
    """
    event, source = given.event, given.source
    found = read(event.traceparent)
    if found is None:
        parent, first = None, begin_trace(f"{event.tenant_id}:{event.customer_id}:{event.event_id}")
        is_sampled = int(first.trace_id[16:], 16) < ratio * 2**64  # the rule that OpenTelemetry samples by
    else:
        parent, is_sampled = found
        first = parent
    if not is_sampled:
        return None
    place = f"{source.topic}:{source.partition}:{source.offset}" if source else event.event_id
    return Arrival(first.child(f"{work}:{place}"), parent)


def _digest(name: str) -> str:
    digest = _empty.copy()
    digest.update(name.encode())
    return digest.hexdigest()
