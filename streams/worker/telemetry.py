"""Spans to an OpenTelemetry collector, by a thread of OpenTelemetry's own: what it can't take in time is dropped.

Where the collector is, OpenTelemetry's own variables say (OTEL_…), which it reads itself, as AWS's library does.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from threading import Thread

import structlog
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import SpanContext as OpenTelemetryContext

from streams.errors import FairwayError
from streams.partition.traces import Span, SpanContext

_STOP_SECONDS = 1.0  # for what is left, when the worker ends
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS = {"consumer": SpanKind.CONSUMER, "producer": SpanKind.PRODUCER, "internal": SpanKind.INTERNAL}

log = structlog.get_logger()


class _Names(IdGenerator):
    """Gives a span the ids that it has already."""

    def __init__(self) -> None:
        self.context = SpanContext("", "")

    def generate_span_id(self) -> int:
        return int(self.context.span_id, 16)

    def generate_trace_id(self) -> int:
        return int(self.context.trace_id, 16)


class Telemetry:
    """Takes spans until it is closed."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        """Tell spans as this service's, unless OTEL_SERVICE_NAME names another; raises FairwayError."""
        self._names = _Names()
        self._provider = TracerProvider(
            ALWAYS_ON, _describe(service), shutdown_on_exit=False, id_generator=self._names
        )
        self._provider.add_span_processor(_make_batches(exporter))
        self._tracer = self._provider.get_tracer("fairway", version("fairway-journeys"))

    def export(self, spans: Sequence[Span]) -> None:
        """Take the spans of one input; never waits, never raises."""
        try:
            for span in spans:
                self._export(span)
        except Exception:  # whatever OpenTelemetry makes of them: the work goes on
            log.exception("OpenTelemetry failed on a span; please report this.")

    def _export(self, span: Span) -> None:
        self._names.context = span.context
        recorded = self._tracer.start_span(
            span.name,
            set_span_in_context(NonRecordingSpan(_translate(span.parent))) if span.parent else None,
            _KINDS[span.kind],
            span.attributes,
            [Link(_translate(span.link))] if span.link else None,
            _nanoseconds(span.start),
        )
        if span.is_failed:
            recorded.set_status(Status(StatusCode.ERROR))
        recorded.end(_nanoseconds(span.end))

    async def close(self) -> None:
        """Export what is left, for a second; a collector that does not answer is left alone."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _STOP_SECONDS)


def _make_batches(exporter: SpanExporter | None) -> BatchSpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    try:
        return BatchSpanProcessor(exporter or OTLPSpanExporter())
    except Exception as error:  # of several kinds
        raise FairwayError(f"OpenTelemetry can't use its settings (OTEL_…): {error}") from None


def _describe(service: str) -> Resource:
    found = Resource.create()
    is_named = not str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found if is_named else found.merge(Resource({SERVICE_NAME: service}))


def _translate(context: SpanContext) -> OpenTelemetryContext:
    return OpenTelemetryContext(int(context.trace_id, 16), int(context.span_id, 16), True, _SAMPLED)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
