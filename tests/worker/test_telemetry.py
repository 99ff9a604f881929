"""Spans reach OpenTelemetry with the ids that they have, and a collector that does not answer holds nothing up."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from threading import Event

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from streams.errors import FairwayError
from streams.partition.traces import Span, begin_trace
from streams.settings import Settings
from streams.worker import telemetry, worker
from streams.worker.telemetry import Telemetry
from tests.partition.model import START

ROOT, OTHER = begin_trace("one"), begin_trace("other")
CHILD = ROOT.child("child")
SECOND = timedelta(seconds=1)
FIRST = Span("decide event", "consumer", ROOT, None, None, START, START + SECOND, {"fairway.partition": 3})


async def test_a_span_is_exported_as_it_is() -> None:
    memory = InMemorySpanExporter()
    found = Telemetry("golf", memory)
    below = Span("send command", "producer", CHILD, ROOT, OTHER, START, START, {}, is_failed=True)
    found.export([FIRST, below])
    await found.close()
    first, second = memory.get_finished_spans()
    assert first.context is not None
    assert (f"{first.context.trace_id:032x}", f"{first.context.span_id:016x}") == ROOT
    assert (first.name, first.kind, first.parent, first.links) == ("decide event", SpanKind.CONSUMER, None, ())
    assert (first.attributes, first.status.status_code) == ({"fairway.partition": 3}, StatusCode.UNSET)
    assert first.start_time == START.timestamp() * 1e9
    assert first.end_time == first.start_time + 1e9
    assert first.resource.attributes["service.name"] == "golf"
    assert second.context is not None
    assert second.parent is not None
    assert (second.context.trace_id, f"{second.context.span_id:016x}") == (first.context.trace_id, CHILD.span_id)
    assert second.parent.span_id == first.context.span_id
    assert [f"{link.context.trace_id:032x}" for link in second.links] == [OTHER.trace_id]
    assert (second.kind, second.status.status_code) == (SpanKind.PRODUCER, StatusCode.ERROR)


async def test_the_service_has_the_name_that_opentelemetry_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "club")
    memory = InMemorySpanExporter()
    found = Telemetry("golf", memory)
    found.export([FIRST])
    await found.close()
    assert [span.resource.attributes["service.name"] for span in memory.get_finished_spans()] == ["club"]


class Stuck(SpanExporter):
    """A collector that answers when it is let."""

    def __init__(self) -> None:
        self.free, self.taken = Event(), 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.free.wait(60)
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


async def test_a_collector_that_does_not_answer_holds_up_neither_work_nor_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telemetry, "_STOP_SECONDS", 0.01)
    stuck = Stuck()
    found = Telemetry("golf", stuck)
    for _ in range(10_000):
        found.export([FIRST])
    await found.close()
    assert stuck.taken == 0, "all of this did not wait for it"
    stuck.free.set()
    found._provider.shutdown()
    assert stuck.taken <= 2048 + 512, "of the rest nothing was kept"


async def test_whatever_opentelemetry_fails_on_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Telemetry("golf", InMemorySpanExporter())
    monkeypatch.setattr(found, "_tracer", None)
    found.export([FIRST])
    await found.close()


def test_settings_of_opentelemetry_s_that_it_can_t_use_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    with pytest.raises(FairwayError, match=r"OpenTelemetry can't use its settings \(OTEL_…\): max_queue_size"):
        Telemetry("golf")


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "streams.worker.telemetry")
    monkeypatch.delattr("streams.worker.telemetry")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    assert worker._make_telemetry(Settings()) is None
    with pytest.raises(FairwayError, match=r"pip install 'fairway-journeys\[otel\]'"):
        worker._make_telemetry(Settings(traces="on"))
