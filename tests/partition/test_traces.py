"""Trace contexts are read as W3C writes them, ids are names, and a ratio samples as OpenTelemetry does."""

import msgspec
import pytest
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from models.messages import Source
from streams.engine.inputs import Arrived
from streams.partition.traces import SpanContext, begin_trace, read, read_sampled, receive
from tests.engine.build import event

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PLACE = Source("teetime.booked", 3, 17)


@pytest.mark.parametrize(
    ("traceparent", "is_sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01", True),  # of a later version
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        ("00-a-b-01", None),
        ("", None),
        (None, None),
    ],
)
def test_a_header_names_a_context_that_is_sampled_or_not_or_none(
    traceparent: str | None, is_sampled: bool | None
) -> None:
    context = SpanContext(TRACE, SPAN)
    assert read(traceparent) == (None if is_sampled is None else (context, is_sampled))
    assert read_sampled(traceparent) == (context if is_sampled else None)


def test_what_a_context_writes_is_what_it_reads() -> None:
    context = begin_trace("pinehurst:c-7:e-1").child("a")
    assert read_sampled(context.traceparent) == context


def test_the_same_event_is_the_same_span_again_and_every_other_is_another() -> None:
    given = [
        (Arrived(event(1), PLACE), "decide"),
        (Arrived(event(1), PLACE), "send on"),
        (Arrived(event(1), Source("teetime.booked", 3, 18)), "decide"),  # redelivered
        (Arrived(event(1)), "decide"),
        (Arrived(event(2), PLACE), "decide"),
    ]
    spans = [receive(arrived, work, 1.0) for arrived, work in given]
    assert spans == [receive(arrived, work, 1.0) for arrived, work in given]
    contexts = [span.context for span in spans if span]
    assert len(set(contexts)) == 5
    assert len({context.trace_id for context in contexts}) == 2


@pytest.mark.parametrize(("flags", "is_traced"), [("01", True), ("00", False)])
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_the_producer_says_whether_its_trace_is_sampled_whatever_the_ratio(
    flags: str, is_traced: bool, ratio: float
) -> None:
    traced = receive(Arrived(event(1, traceparent=f"00-{TRACE}-{SPAN}-{flags}"), PLACE), "decide", ratio)
    assert (traced is not None) is is_traced
    if traced:
        assert (traced.context.trace_id, traced.parent) == (TRACE, SpanContext(TRACE, SPAN))


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_events_without_a_trace_are_sampled_as_opentelemetry_samples_by_a_ratio(ratio: float) -> None:
    sampler = TraceIdRatioBased(ratio)
    for number in range(300):
        given = Arrived(msgspec.structs.replace(event(number), traceparent="00-a-b-01"), PLACE)
        trace_id = begin_trace(f"pinehurst:c-7:e-{number}").trace_id
        expected = sampler.should_sample(None, int(trace_id, 16), "decide").decision.is_sampled()
        assert (receive(given, "decide", ratio) is not None) is expected
