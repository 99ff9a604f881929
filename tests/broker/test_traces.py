"""A trace goes through a real worker: from the producer's span to the command's and, by a link, beyond a wait."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from streams.kafka.partitioner import partition_of
from streams.kafka.topics import COMMANDS
from streams.partition.traces import SpanContext, read_sampled
from streams.settings import Settings
from tests import client
from tests.broker.workers import TOPIC, event, events, expected, journey, publish, running, wait_for_commands

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

PRODUCER = SpanContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
TRACED = (("traceparent", PRODUCER.traceparent.encode()),)


def variables(port: int) -> dict[str, str]:
    """Return what a worker is told that exports to this port of loopback."""
    return {
        "FAIRWAY_TRACES": "on",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }


class Collector:
    """Takes spans as a collector does, by OTLP over HTTP."""

    def __init__(self, port: int) -> None:
        self.variables = variables(port)
        self.spans: dict[SpanContext, Any] = {}

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans |= {SpanContext(span.trace_id.hex(), span.span_id.hex()): span for span in scope.spans}

    def path(self, context: SpanContext) -> list[str]:
        """Return the names of a span and of all above it that were told."""
        span = self.spans.get(context)
        return [span.name, *self.path(SpanContext(context.trace_id, span.parent_span_id.hex()))] if span else []

    def top(self, context: SpanContext) -> str:
        """Return the id of the span above all that were told; none if there is none."""
        above = self.spans[context].parent_span_id.hex()
        parent = SpanContext(context.trace_id, above)
        return self.top(parent) if parent in self.spans else above

    def links(self, context: SpanContext) -> list[SpanContext]:
        return [SpanContext(link.trace_id.hex(), link.span_id.hex()) for link in self.spans[context].links]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Collector(server.server_port)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


def contexts(settings: Settings) -> dict[tuple[str, str], SpanContext]:
    """Return what the command of each customer and step carries."""
    found = {}
    for record in client.read_committed(settings.brokers, COMMANDS):
        value, headers = msgspec.json.decode(record.value or b""), dict(record.headers)
        context = read_sampled(headers["traceparent"].decode())
        assert context is not None
        found[value["customerId"], value["stepId"]] = context
    return found


def test_a_command_is_in_the_trace_of_its_event_and_one_after_a_wait_links_to_it(settings: Settings) -> None:
    publish(settings, journey(steps=[
        {"id": "start", "type": "TRIGGER", "config": {"eventType": TOPIC, "conditions": []}},
        {"id": "first", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}},
        {"id": "wait", "type": "WAIT", "config": {"duration": "1 second"}},
        {"id": "later", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}},
        {"id": "end", "type": "END", "config": {}},
    ]))  # fmt: skip
    # What occurs in the future counts from when it is read, so that the wait holds however slow the machine is.
    home, astray = (
        event(number, f"c-{number}", occurredAt="2999-01-01T00:00:00Z")._replace(headers=TRACED)
        for number in range(2)
    )
    after, sending = ["send command", "decide wait"], ["send command", "decide event"]
    paths = {
        ("c-0", "first"): sending, ("c-0", "later"): after,
        ("c-1", "first"): [*sending, "send on"], ("c-1", "later"): after,
    }  # fmt: skip
    elsewhere = (partition_of(astray.key or b"", 4) + 1) % 4
    with collecting() as collector, running(settings, **collector.variables):
        client.produce(settings.brokers, [home, astray._replace(partition=elsewhere)])
        client.wait_until(lambda: len(contexts(settings)) == 4)
        found = contexts(settings)
        client.wait_until(lambda: {sent: collector.path(context) for sent, context in found.items()} == paths)
    assert "commit" in {span.name for span in collector.spans.values()}
    for customer in ("c-0", "c-1"):
        first, later = found[customer, "first"], found[customer, "later"]
        assert first.trace_id == PRODUCER.trace_id != later.trace_id
        assert collector.top(first) == PRODUCER.span_id
        assert collector.top(later) == ""
        (link,) = collector.links(later)
        assert collector.path(link)[0] == "decide event"
        assert link.trace_id == PRODUCER.trace_id


def test_a_collector_that_is_away_costs_nothing(settings: Settings) -> None:
    publish(settings, journey())
    traced = [record._replace(headers=TRACED) for record in events(range(600), 30)]
    with running(settings, **variables(port=1)) as (worker,):
        client.produce(settings.brokers, traced)
        wait_for_commands(settings, expected(600, 30))
        assert worker.end(signal.SIGTERM) == 0
    assert {context.trace_id for context in contexts(settings).values()} == {PRODUCER.trace_id}
