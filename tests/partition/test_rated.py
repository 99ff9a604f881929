"""A partition lets no more commands leave than it may (R67), whatever happens to it, and forgets none."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from models.ids import CustomerKey
from models.messages import Event
from models.rates import read_rates
from streams.engine.advance import advance
from streams.engine.inputs import Arrived, CustomerInput
from streams.kafka.errors import MigratedError
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.topics import COMMANDS
from streams.partition.internal_rows import SENDS, is_readable
from streams.partition.known import KnownCustomers
from streams.partition.processor import Processor
from streams.partition.rated import RatedProcessor
from streams.partition.transaction import Transaction
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.engine.build import journey, live, send
from tests.partition.model import START, Broker, Crash, Records, Source, make_router, make_task
from tests.partition.test_metrics import value

TOPIC = "teetime.booked"
JOURNEYS = live(journey(send()))
RATES = read_rates("EMAIL=10/second")
ROW = SENDS + b"pinehurst"
SECOND = timedelta(seconds=1)


class Case:
    """The inputs of the only partition, and their transaction."""

    def __init__(self, rates: str = "EMAIL=10/second") -> None:
        router = make_router()
        self.processor = RatedProcessor(router, advance, read_rates(rates))
        self.processor.journeys = JOURNEYS
        self.transaction = Transaction(Store(MemoryMap()), KnownCustomers(9), {}, router, lambda _: Records())

    def book(self, *numbers: int) -> None:
        with self.transaction.slice() as slice_:
            for number in numbers:
                key, given = booking(number)
                self.processor.advance(slice_, key, given, START)

    @property
    def commands(self) -> int:
        return len(self.transaction.outputs[COMMANDS, 0])  # type: ignore[arg-type]


def booking(number: int) -> tuple[CustomerKey, CustomerInput]:
    key = CustomerKey.of("pinehurst", f"c-{number}")
    return key, Arrived(Event(f"e-{number}", "pinehurst", key.customer_id, START, TOPIC))


def test_R67_without_rates_nothing_is_in_the_way() -> None:
    task = make_task(Broker())
    assert type(task._context.make_processor(make_router())) is Processor
    case = Case("club-7:EMAIL=1/second")
    case.book(*range(20))
    assert case.commands == 20
    assert case.transaction.rows.keys().isdisjoint({SENDS, ROW, SENDS + b"club-7"})


def test_R67_what_left_is_in_the_transaction_of_the_commands() -> None:
    case, before = Case(), value("fairway_sends_held_total", channel="EMAIL")
    case.book(*range(13))
    assert case.commands == 10
    assert is_readable(ROW, case.transaction.rows[ROW])
    assert value("fairway_sends_held_total", channel="EMAIL") == before, "counted before the commit"
    case.transaction.tally.count(START, START)
    assert value("fairway_sends_held_total", channel="EMAIL") == before + 3


def test_R67_a_slice_that_goes_wrong_takes_nothing() -> None:
    case = Case()
    case.book(1)
    row = case.transaction.rows[ROW]
    slice_ = case.transaction.slice()
    case.processor.advance(slice_, *booking(2), START)
    slice_.__exit__(ZeroDivisionError)
    assert case.transaction.rows[ROW] == row


def test_R67_a_row_that_can_t_be_read_costs_no_event() -> None:
    case = Case()
    with case.transaction.slice() as slice_:
        slice_.rows[ROW] = b"[]"
    assert not is_readable(ROW, b"[]")
    case.book(*range(11))
    assert case.commands == 10
    assert is_readable(ROW, case.transaction.rows[ROW])


class Run:
    """Workers that own the partition one after another; the clock goes on by a tenth of a second a turn."""

    def __init__(self, events: int) -> None:
        ids = {"tenantId": "pinehurst", "occurredAt": START}
        values = [msgspec.json.encode({**ids, "eventId": f"e-{n}", "customerId": f"c-{n}"}) for n in range(events)]
        self.broker = Broker()
        self.broker.source = [Source(number, event) for number, event in enumerate(values)]
        self.now = START
        self.cursor = 0
        self.disk = MemoryMap()
        self.left: list[datetime] = []  # when each command left

    async def seek(self, topic: str, partition: int, offset: int) -> SeekResult:
        self.cursor = offset
        return SeekResult(offset, 0)

    async def work(self, faults: list[str]) -> None:
        """Open the partition, and turn until a fault ends the worker or nothing is left to do."""
        shared = {"rates": RATES, "decide": advance, "journeys": lambda: JOURNEYS, "clock": lambda: self.now}
        task = make_task(self.broker, lambda: self.disk, seek=self.seek, topics=(TOPIC,), **shared)
        session = await task.open()
        for _ in range(60):
            source = self.broker.source[self.cursor :][:7]
            task.take(Fetch(TOPIC, 0, self.cursor, self.cursor + len(source), source, 0, 0))
            self.cursor += len(source)
            task._producer.fault = faults.pop() if faults else ""  # type: ignore[attr-defined]
            try:
                while await session.step() or session._in_flight is not None:
                    await asyncio.sleep(0)  # for what is on its way
            finally:
                self.left += [self.now] * (len(self.broker.emitted[COMMANDS, 0]) - len(self.left))
            self.now += SECOND / 10

    async def run(self, faults: list[str]) -> None:
        while True:
            try:
                return await self.work(faults)
            except (MigratedError, Crash) as error:
                if isinstance(error, Crash):
                    self.disk = MemoryMap()

    @property
    def ids(self) -> Counter[str]:
        """The ids of the commands, and how often each stands on the topic."""
        values: list[Any] = [msgspec.json.decode(one.value or b"") for one in self.broker.emitted[COMMANDS, 0]]
        return Counter(command["commandId"] for command in values)


@pytest.mark.parametrize(
    "faults",
    [
        [], ["crash after"], ["", "lost before", "", "crash before", "lost after", ""] * 2,
        ["crash after", "", "lost after"] * 4,
    ],
)  # fmt: skip
async def test_R67_no_crash_lets_more_leave_than_may_and_none_is_lost_or_doubled(faults: list[str]) -> None:
    run = Run(50)
    await run.run(faults)
    assert sorted(run.ids.values()) == [1] * 50
    for first, start in enumerate(run.left):
        for count, end in enumerate(run.left[first:], 1):
            assert count <= 10 + 10 * ((end - start) / SECOND) + 1e-6
    assert START + 4 * SECOND <= run.left[-1] <= START + 6 * SECOND
