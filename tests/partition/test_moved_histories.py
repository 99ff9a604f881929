"""A state that is moved away stands still from its last mark on, whoever had it before, and sleeps, and wakes."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from streams.errors import FairwayError
from streams.kafka.records import Commit
from streams.partition.internal_rows import MOVED_TO, MovedTo
from streams.state.store import Store
from tests.partition.model import ModelProducer
from tests.partition.test_histories import EXAMPLES, OLD, PartitionMachine, Process, workers

ROW = msgspec.json.encode(MovedTo("new", 8))
UNMOVED, MARKED, SEEN_EMPTY, MOVED = range(4)


class MovedMachine(PartitionMachine):
    """Histories in which somebody moves the state (docs/decisions/038-one-transaction-a-worker.md).

    Workers from before, which know of no mark, do not open the partition once there is one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mover = ModelProducer(self.broker)
        self.stage = UNMOVED
        self.is_empty = False
        self.end = 0
        self.emitted = 0

    def run(self, process: Process, work: Any, fault: str | None = None) -> None:
        try:
            super().run(process, work, fault)
        except FairwayError:  # it ends: there is a mark
            assert self.stage != UNMOVED
            process.start()

    def write(self, row: bytes | None) -> None:
        """Take the partition over as a mover does, and write a mark, or that there is none."""
        self.broker.epoch += 1
        self.broker.end_open(but=self.mover)
        self.broker.commit(Commit({MOVED_TO: row}, {}, {}))

    @rule(worker=workers)
    def assign(self, worker: int) -> None:
        if not (worker == OLD and self.is_upgraded):
            self.is_empty = False
        super().assign(worker)

    @rule(worker=workers)
    def open(self, worker: int) -> None:
        if worker != OLD or self.stage == UNMOVED:
            super().open(worker)

    @rule()
    def empty(self) -> None:
        """All have left the group, or were given up; who sleeps does not know it."""
        self.broker.generation += 1
        self.is_empty = True

    @precondition(lambda self: self.stage == UNMOVED)
    @rule()
    def mark(self) -> None:
        """A worker may have come since the group was seen empty, and may be at work."""
        self.write(ROW)
        self.stage = MARKED

    @precondition(lambda self: self.stage == MARKED and self.is_empty)
    @rule()
    def see_that_it_is_empty(self) -> None:
        self.stage = SEEN_EMPTY

    @precondition(lambda self: self.stage == SEEN_EMPTY)
    @rule()
    def mark_again(self) -> None:
        """Another worker may have come meanwhile."""
        self.write(ROW)
        self.stage, self.end, self.emitted = MOVED, self.broker.changelog_end, len(self.commands())

    @precondition(lambda self: self.stage != UNMOVED)
    @rule()
    def give_up(self) -> None:
        """The mover can't complete the move any more; the next one does all of it anew."""
        self.write(None)
        self.stage = UNMOVED

    @rule(
        worker=st.sampled_from([0, 1, OLD]),
        is_upgraded=st.booleans(),
        begins=st.booleans(),
        decides=st.booleans(),
        hears=st.booleans(),
    )
    def move_while_a_worker_sleeps(
        self, worker: int, is_upgraded: bool, begins: bool, decides: bool, hears: bool
    ) -> None:
        """It sleeps in the middle of a commit, or before one, and goes on when all is over."""
        if self.stage != UNMOVED:
            return
        if is_upgraded:
            self.upgrade(worker % 2)
        self.take_over(worker)
        self.commit(worker, "", reopen=True)
        self.mark()
        self.fetch(worker, 50, 2, late=False)
        self.commit(worker, "", reopen=False)
        self.produce([("a", 1)])
        self.fetch(worker, 50, 0, late=False)
        if begins:
            self.now += timedelta(seconds=2)
            self.step(worker, "", arrives=False)
            self.go_on(worker, decides)
        self.empty()
        self.see_that_it_is_empty()
        if hears:
            self.assign(worker)
        self.mark_again()
        self.step(worker, "")
        self.commit(worker, "", reopen=True)

    # --- what must hold -------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_done_any_more(self) -> None:
        if self.stage == MOVED:
            assert (self.broker.changelog_end, len(self.commands())) == (self.end, self.emitted)

    @invariant()
    def no_store_begins_behind_the_mark_and_lacks_it(self) -> None:
        if self.stage == MOVED:
            stores = [Store(process.disk) for process in self.processes]
            assert all(store.get(MOVED_TO) == ROW for store in stores if store.offset >= self.end - 1)

    @invariant()
    def no_store_is_ahead_of_the_changelog_or_beside_it(self) -> None:
        """But for a mark, which a worker passes over that began before."""
        for process in self.processes:
            store = Store(process.disk)
            rows = self.broker.rows(store.offset) | {MOVED_TO: ROW}
            assert dict(store.scan(b"", 99)) | {MOVED_TO: ROW} == rows

    def finish(self) -> None:
        if self.stage != UNMOVED:
            self.give_up()
        super().finish()


TestMoved = MovedMachine.TestCase
TestMoved.settings = settings(
    max_examples=EXAMPLES // 3,
    stateful_step_count=40,
    derandomize=False,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
