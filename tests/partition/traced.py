"""A partition of a model broker with the real engine, and the spans that it exports."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.journey import Journey
from models.rates import read_rates
from streams.engine.advance import advance
from streams.kafka.fetch import Fetch
from streams.kafka.topics import COMMANDS, INBOX
from streams.partition.processor import Advance
from streams.partition.session import Session
from streams.partition.traces import Span, SpanContext, read_sampled
from streams.partition.tracing import Tracing
from tests.engine.build import live
from tests.partition.model import START, Broker, Record, Source, make_task

TOPIC, HEARD = "teetime.booked", "teetime.cancelled"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PRODUCER = SpanContext(TRACE, SPAN)
HEADER = ("traceparent", PRODUCER.traceparent.encode())


class Partition:
    """A partition of a model broker with the real engine, and the spans that it exports."""

    def __init__(
        self,
        *journeys: Journey,
        ratio: float = 0.0,
        is_traced: bool = True,
        partitions: int = 1,
        decide: Advance = advance,
        broker: Broker | None = None,
        rates: str = "",
    ) -> None:
        self.broker, self.now, self.spans = broker or Broker(), START, list[Span]()
        self.offsets: dict[str, int] = {}
        known = live(*journeys)
        self.task = make_task(
            self.broker, partitions=partitions, decide=decide, journeys=lambda: known, clock=self.clock,
            topics=(TOPIC, HEARD, INBOX), rates=read_rates(rates),
            tracing=Tracing(ratio, self.spans.extend, self.clock) if is_traced else None,
        )  # fmt: skip
        self.session: Session | None = None

    def clock(self) -> datetime:
        return self.now

    async def take(self, topic: str, *values: bytes, headers: Sequence[Any] = (HEADER,), key: bytes = b"") -> None:
        """Take records of a topic in, and commit."""
        start = self.offsets.get(topic, 0)
        end = self.offsets[topic] = start + len(values)
        records = [Source(start + number, value, key, tuple(headers)) for number, value in enumerate(values)]
        self.session = self.session or await self.task.open()
        self.task.take(Fetch(topic, 0, start, end, records, 0, 0, end))
        await self.step()

    async def step(self, later: timedelta = timedelta()) -> None:
        """Do all that is to be done then, and commit."""
        self.now += later
        assert self.session is not None, "An event comes first."
        while await self.session.step():
            pass
        await self.session.commit()

    async def pass_inbox(self) -> None:
        """Let the partition take in what it has sent to its own inbox."""
        while messages := self.broker.emitted.pop((INBOX, 0), []):
            for message in messages:
                await self.take(INBOX, message.value or b"", headers=message.headers, key=message.key or b"")

    def sent(self, topic: str = COMMANDS) -> list[SpanContext | None]:
        """Return the contexts that records of a topic carry."""
        return [_context(record) for record in self.broker.emitted[topic, 0]]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def _context(record: Record) -> SpanContext | None:
    value = dict(record.headers).get("traceparent")
    return read_sampled(value.decode()) if value else None
