"""A partition task loses nothing and doubles nothing, whatever happens between its steps."""

import asyncio
import os
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models.customer import decode as read_customer
from streams.kafka.errors import MigratedError
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.standing import Standing
from streams.kafka.topics import COMMANDS, DEAD_LETTERS
from streams.partition.internal_rows import POSITION
from streams.partition.pacing import Pacing
from streams.state import index
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import START, Broker, Crash, Source, event, make_task, wait_id

TOPIC = "customer.updated"
SHORT = Pacing(timedelta(seconds=1), slice_records=2, slice_time=timedelta(), slice_timers=2)  # than most fetches
EXAMPLES = int(os.environ.get("FAIRWAY_TEST_EXAMPLES", "150"))


class Process:
    """A worker process with a disk, a consumer and a task of the one partition; `is_old`: from before."""

    def __init__(self, broker: Broker, clock: Any, *, is_old: bool = False) -> None:
        self.broker = broker
        self.is_old = is_old
        self.clock = clock
        self.disk = MemoryMap()
        self.cursor = 0
        self.seeks = 0
        self.generation = -1
        self.assignments = 0
        self.undelivered: list[Fetch] = []
        self.start()

    def start(self) -> None:
        """Start anew, with only the disk as it was."""
        self.task = make_task(
            self.broker, lambda: self.disk, pacing=SHORT, customers_kept=3, clock=self.clock, is_old=self.is_old
        )
        self.producer = self.task._producer
        self.producer.standing = Standing("group")
        self.producer.holds = True
        self.generation = -1
        self.undelivered.clear()

    def assign(self, generation: int, *, is_shared: bool) -> None:
        self.generation = generation
        self.assignments += 1
        self.producer.join(has_it=True, is_shared=is_shared)
        self.task.queue.assign(self.assignments, self.seek)
        self.cursor = self.broker.group.get(TOPIC, 0)

    async def seek(self, topic: str, partition: int, offset: int) -> SeekResult:
        self.cursor = max(offset, self.broker.source_start)
        self.seeks += 1
        return SeekResult(self.cursor, self.seeks)

    def fetch(self, most: int) -> Fetch:
        records = [record for record in self.broker.source if record.offset >= self.cursor][:most]
        ahead = [record.offset for record in self.broker.source if records and record.offset > records[-1].offset]
        start, self.cursor = self.cursor, min(ahead, default=self.broker.source_end)
        return Fetch(TOPIC, 0, start, self.cursor, records, self.assignments, self.seeks)


OLD = 2


async def turn() -> None:
    """Let everything go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


workers = st.sampled_from([0, 0, 0, 1, 1, OLD])
faults = st.sampled_from(["", "", "", "lost before", "lost after", "crash before", "crash after"])


class PartitionMachine(RuleBasedStateMachine):
    """Two processes, and one from before, each of which may believe to own the partition."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.broker = Broker()
        self.now = START
        self.processes = [Process(self.broker, lambda: self.now, is_old=number == OLD) for number in range(3)]
        self.is_upgraded = False  # the group has no member from before any more
        self.waits: list[str] = []
        self.bad = 0

    def run(self, process: Process, work: Any, fault: str | None = None) -> None:
        """Run a coroutine of a process; what would end or lose its task does so.

        With `fault` a commit that it begins or waits for arrives, and meets it.
        """
        try:
            self.loop.run_until_complete(self.watch(process, work, fault))
        except MigratedError:
            process.task._end_session("lost")
        except Crash:
            process.start()

    async def watch(self, process: Process, work: Any, fault: str | None) -> None:
        working = asyncio.ensure_future(work)
        await turn()
        while not working.done():
            process.producer.arrive(fault or "")  # it can't go on before
            await turn()
        await working
        if fault is not None:
            process.producer.arrive(fault)
            await turn()

    @initialize()
    def begin(self) -> None:
        self.take_over(0)

    @rule(
        customers=st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 3)), min_size=1, max_size=5)
    )
    def produce(self, customers: list[tuple[str, int | None]]) -> None:
        for customer, wait in customers:
            number = self.broker.source_end
            value = event(number, customer) if wait is None else event(number, customer, wait=wait)
            if wait is not None:
                self.waits.append(wait_id(f"e-{number}"))
            self.broker.source.append(Source(number, value))
            self.broker.source_end += 1

    @rule()
    def produce_what_is_bad(self) -> None:
        self.broker.source.append(Source(self.broker.source_end, b"{"))
        self.broker.source_end += 1
        self.bad += 1

    @rule()
    def leave_a_gap(self) -> None:
        self.broker.source_end += 1

    @rule(worker=workers)
    def take_over(self, worker: int) -> None:
        self.assign(worker)
        self.open(worker)

    @rule(worker=workers)
    def assign(self, worker: int) -> None:
        """The group gives the partition to a worker; the others have not heard of it yet."""
        if worker == OLD and self.is_upgraded:
            return
        self.broker.generation += 1
        self.processes[worker].assign(self.broker.generation, is_shared=self.is_upgraded)

    @rule()
    def forget_the_group(self) -> None:
        """The broker has lost the group: it begins anew with whoever joins next, and nobody else is a member."""
        self.broker.groups += 1
        self.broker.generation = 0

    @rule(worker=workers, heard=workers)
    def assign_and_tell(self, worker: int, heard: int) -> None:
        """Another hears that the partition is not its own; nobody has closed its task yet."""
        self.assign(worker)
        if (
            heard != worker
            and self.processes[worker].generation == self.broker.generation
            and self.processes[heard].generation >= 0
        ):
            self.processes[heard].producer.join(has_it=False, is_shared=self.is_upgraded)

    @rule(worker=st.sampled_from([0, 1]))
    def upgrade(self, worker: int) -> None:
        """The last worker from before leaves the group, whether it knows or not."""
        if not self.is_upgraded:
            self.is_upgraded = True
            self.take_over(worker)

    @rule(worker=workers, decides=st.booleans())
    def go_on(self, worker: int, decides: bool) -> None:
        """What is on its way is taken by the group, and perhaps decided on, but the worker does not know yet."""
        self.processes[worker].producer.go_on(decides=decides)

    @rule(worker=workers)
    def flush(self, worker: int) -> None:
        """A rebalance begins: the queue is dropped, what is done is committed."""
        process = self.processes[worker]
        process.task.queue.clear()
        if process.task.stage == "running":
            self.run(process, process.task.session.commit(), "")

    @rule(worker=workers, first=st.integers(1, 3), most=st.integers(2, 4))
    def rebalance(self, worker: int, first: int, most: int) -> None:
        """What was committed is fetched again with more, for the group's offsets are behind the positions."""
        self.take_over(worker)
        self.fetch(worker, first, 2, late=False)
        self.commit(worker, "", reopen=False)
        self.assign(worker)
        self.fetch(worker, most, 2, late=False)
        self.commit(worker, "", reopen=False)

    @rule(customer=st.sampled_from("abc"))
    def hand_over_and_back(self, customer: str) -> None:
        """What the one process knows of the customer is old when it gets the partition back."""
        for worker in (0, 1, 0):
            self.produce([(customer, 1)])
            self.take_over(worker)
            self.now += timedelta(seconds=2)
            self.fetch(worker, 50, 3, late=False)
            self.commit(worker, "", reopen=True)
            self.fetch(worker, 50, 3, late=False)
            self.commit(worker, "", reopen=False)

    @rule(worker=workers, customer=st.sampled_from("abc"), forgets=st.booleans(), fault=faults)
    def work_while_a_commit_is_on_its_way(self, worker: int, customer: str, forgets: bool, fault: str) -> None:
        """What is on its way is of the same customer, whom the session knows decoded or, begun anew, by the row."""
        if forgets:
            self.crash(worker)
            self.take_over(worker)
        self.fetch(worker, 50, 3, late=False)
        self.commit(worker, "", reopen=False)
        for _ in range(2):
            self.produce([(customer, 1)])
            self.fetch(worker, 50, 0, late=False)
            self.now += timedelta(seconds=2)
            self.step(worker, "", arrives=False)
        self.step(worker, fault)

    @rule(
        worker=st.sampled_from([0, 1, OLD]),
        other=st.sampled_from([0, 1, OLD]),
        decides=st.booleans(),
        dies=st.booleans(),
    )
    def take_over_in_the_middle_of_a_commit(self, worker: int, other: int, decides: bool, dies: bool) -> None:
        """Whoever had the partition wakes when another has it, and goes on as if nothing had happened."""
        self.take_over(worker)
        self.commit(worker, "", reopen=True)
        self.produce([("a", None)])
        self.fetch(worker, 50, 0, late=False)
        self.now += timedelta(seconds=2)
        self.step(worker, "", arrives=False)
        self.go_on(worker, decides)
        if dies:
            self.crash(worker)
        self.take_over(other)
        self.fetch(other, 50, 2, late=False)
        self.commit(other, "", reopen=False)
        self.step(worker, "")
        self.commit(worker, "", reopen=False)

    @rule(worker=st.sampled_from([0, 1]))
    def upgrade_while_the_last_worker_from_before_works(self, worker: int) -> None:
        if not self.is_upgraded:
            self.take_over(OLD)
            self.commit(OLD, "", reopen=True)
            self.produce([("a", None)])
            self.fetch(OLD, 50, 1, late=False)
            self.upgrade(worker)
            self.fetch(worker, 50, 2, late=False)
            self.commit(worker, "", reopen=False)
            self.commit(OLD, "", reopen=False)

    @rule(worker=workers, most=st.integers(1, 2))
    def lose_a_fetch(self, worker: int, most: int) -> None:
        """The consumer has gone on, but what it fetched never reached the task."""
        self.take_over(worker)
        self.processes[worker].fetch(most)
        self.fetch(worker, most, 2, late=False)
        self.commit(worker, "", reopen=False)

    @rule(worker=workers)
    def open(self, worker: int) -> None:
        process = self.processes[worker]
        if worker == OLD and self.is_upgraded:
            return  # it knows by then (docs/decisions/021-commits.md)
        if process.task.stage != "running" and process.generation >= 0:
            self.run(process, process.task.open())

    @rule(worker=workers, most=st.integers(1, 4), steps=st.integers(0, 3), late=st.booleans())
    def fetch(self, worker: int, most: int, steps: int, late: bool) -> None:
        process = self.processes[worker]
        if process.generation >= 0:
            fetch = process.fetch(most)
            process.undelivered.append(fetch) if late else process.task.take(fetch)
            for _ in range(steps):
                self.step(worker, "")

    @rule(worker=workers, newest=st.booleans())
    def deliver_late(self, worker: int, newest: bool) -> None:
        process = self.processes[worker]
        if process.undelivered:
            process.task.take(process.undelivered.pop(-1 if newest else 0))
            self.step(worker, "")

    @rule(worker=workers, fault=faults, arrives=st.booleans())
    def step(self, worker: int, fault: str, arrives: bool = True) -> None:
        process = self.processes[worker]
        if process.task.stage == "running":
            self.run(process, process.task.session.step(), fault if arrives else None)

    @rule(worker=workers, fault=faults, reopen=st.booleans())
    def commit(self, worker: int, fault: str, reopen: bool) -> None:
        process = self.processes[worker]
        if process.task.stage == "running":
            self.run(process, process.task.session.commit(), fault)
        if reopen:
            self.open(worker)

    @rule(worker=workers)
    def crash(self, worker: int) -> None:
        """What is on its way stays so until somebody ends it."""
        self.processes[worker].start()

    @rule(worker=workers, lands=st.booleans())
    def lose(self, worker: int, lands: bool) -> None:
        """The task gives up what is on its way, and opens anew."""
        process = self.processes[worker]
        process.producer.lands = lands
        if process.task.stage == "running":
            process.task._end_session("lost")
        self.open(worker)

    @rule(worker=workers)
    def crash_and_lose_the_disk(self, worker: int) -> None:
        self.processes[worker].disk.set_aside("lost")
        self.crash(worker)

    @rule(seconds=st.integers(1, 4))
    def let_time_pass(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # --- what must hold -------------------------------------------------------------------------------------

    def commands(self) -> list[str]:
        return [
            msgspec.json.decode(record.value or b"")["commandId"] for record in self.broker.emitted[COMMANDS, 0]
        ]

    @invariant()
    def nothing_is_doubled(self) -> None:
        assert max(Counter(self.commands()).values(), default=1) == 1
        assert len(self.broker.emitted[DEAD_LETTERS, 0]) <= self.bad

    @invariant()
    def the_state_is_that_of_the_events_up_to_the_position(self) -> None:
        rows = self.broker.rows(self.broker.changelog_end)
        position = msgspec.json.decode(rows[POSITION]).get(TOPIC, 0) if POSITION in rows else 0
        assert self.broker.group.get(TOPIC, 0) <= position
        expected: dict[str, list[str]] = {}
        for record in self.broker.source:
            if record.offset < position and record.value != b"{":
                written = msgspec.json.decode(record.value)
                expected.setdefault(written["customerId"], []).append(written["eventId"])
        customers = [read_customer(row) for key, row in rows.items() if not key.startswith(b":")]
        assert {customer.customer_id: customer.profile["events"] for customer in customers} == expected

    @invariant()
    def no_store_is_ahead_of_the_changelog_or_beside_it(self) -> None:
        for process in self.processes:
            store = Store(process.disk)
            rows = self.broker.rows(store.offset)
            assert dict(store.scan(b"", 99)) == rows
            waits = {mark for key, row in rows.items() for mark in index.marks_of_row(key, row)}
            assert set(store.due(self.now + timedelta(days=1), b"", 99)) == {m for m in waits if m.startswith(b"w")}

    def teardown(self) -> None:
        """Whatever happened: a process that goes on undisturbed finishes everything, once."""
        try:
            self.finish()
            events = [f"e-{record.offset}" for record in self.broker.source if record.value != b"{"]
            assert sorted(self.commands()) == sorted(events + self.waits)
            assert len(self.broker.emitted[DEAD_LETTERS, 0]) == self.bad
            assert self.broker.group.get(TOPIC, 0) == self.broker.source_end
            self.nothing_is_doubled()
            self.the_state_is_that_of_the_events_up_to_the_position()
            self.no_store_is_ahead_of_the_changelog_or_beside_it()
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(turn())
            self.loop.close()

    def finish(self) -> None:
        process = self.processes[0]
        process.start()
        self.assign(0)
        self.run(process, process.task.open())
        for _ in range(2 + self.broker.source_end):
            if process.cursor < self.broker.source_end:
                process.task.take(process.fetch(50))
            self.now += timedelta(seconds=6)
            self.run(process, process.task.session.step(), "")
            self.run(process, process.task.session.commit(), "")


TestPartition = PartitionMachine.TestCase
# New cases each time: those of the derandomized profile hold no fetch with records missing before it.
TestPartition.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    derandomize=False,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
