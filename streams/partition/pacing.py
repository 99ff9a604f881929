"""When a partition commits: soon while there is little to do, seldom while there is more to do at once.

A commit costs as much as twenty inputs or so. So what is done is committed at once where little waits, and a
transaction grows where much does, up to what fits it. A worker's partitions commit together: when one of them
does, all do that have anything to commit, but for those that have more to do at once and have only begun.
"""

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from streams.kafka.records import GATHER_SECONDS
from streams.partition.turns import Turns


class Load(NamedTuple):
    """How a partition stands: what its transaction holds, whether there is more to do at once, and its commits."""

    inputs: int
    """Inputs handled since the last commit."""
    size: int
    """Bytes emitted since the last commit."""
    has_more: bool
    """Whether input waits, here or at the broker, or waits are due."""
    since: datetime
    """When the transaction began, which is when the partition's last commit did."""
    begun: datetime
    """When the worker's last commit began."""
    lasts: timedelta
    """How long a commit lasts, on average."""
    is_fresh: bool = False
    """Whether it holds input of a topic that is read to its end: somebody waits for that, and for no backlog."""
    is_beside: bool = False
    """Whether other partitions of the worker have more to do at once."""


class Pacing(msgspec.Struct, frozen=True):
    """How long slices and transactions are; docs/decisions/021 and 031 say how these numbers were found."""

    interval: timedelta = timedelta(milliseconds=50)
    """From one commit to the next while there is no more to do at once (FAIRWAY_COMMIT_INTERVAL_MS)."""
    slice_records: int = 50
    """Records taken at once, at least."""
    most_slice_records: int = 200
    """Records taken at once, at most: of more, the first have left the processor's cache by their next round."""
    slice_time: timedelta = timedelta(milliseconds=2)
    """For which records may hold the event loop."""
    slice_timers: int = 100
    """Due waits handled then; to look for them costs as much as a few of them."""
    most_inputs: int = 5000
    """Inputs with which a transaction is full."""
    most_bytes: int = 8 * 1024 * 1024
    """Emitted bytes with which a transaction is full."""
    worth: int = 20
    """Inputs that cost as much as a commit, so that with fewer a few more are worth waiting for."""
    fresh: float = 0.5
    """Commit intervals from one commit to the next at least, while fresh input is held and more to do at once."""
    enough: int = 1000
    """Inputs of which a commit is a small part: with more to do at once, a transaction goes on until then."""
    some: int = 300
    """Inputs with which a partition that has more to do at once goes along when others commit."""
    stretch: int = 40
    """Commit intervals that a transaction lasts at most, however much there is to do."""
    pause: int = 2
    """Times as long as a commit that little input waits for the next one, from the start of the last."""
    gather: timedelta = timedelta(seconds=GATHER_SECONDS)
    """For which a commit that begins waits for other partitions, to which the same fetch may bring a little."""
    patience: int = 3
    """Times as long as a commit that a transaction with enough in it lasts at least."""

    def is_full(self, load: Load) -> bool:
        """Say whether nothing more fits into the transaction."""
        return load.inputs >= self.most_inputs or load.size >= self.most_bytes

    def records_at_once(self, records: int, lasted: timedelta) -> int:
        """Return how many records to take at once after so many lasted so long: as many as fill a slice."""
        fill = int(records * (self.slice_time / lasted)) if lasted else self.most_slice_records
        return max(self.slice_records, min(fill, self.most_slice_records))

    def is_time(self, load: Load, now: datetime) -> bool:
        """Say whether to commit what is done."""
        is_gathered = not load.has_more and now < load.begun + self.gather
        return is_gathered or self.is_full(load) or now >= self.next_commit(load)

    def goes_along(self, load: Load, now: datetime) -> bool:
        """Say whether to commit what is done because others of the worker do.

        A commit of a partition costs as much however little is in it. One that has only begun goes on while it has
        more to do at once, for half of the time that a transaction lasts at most.
        """
        has_begun = load.inputs < self.some and now < load.since + self.stretch * self.interval / 2
        return load.is_fresh or not (load.has_more and has_begun)

    def next_commit(self, load: Load) -> datetime:
        """Return when to commit what is done: later while there is more to do at once."""
        soon = max(self.fresh * self.interval, load.lasts)
        if load.has_more:
            longest = self.stretch * self.interval
            if load.is_fresh:
                return load.begun + min(soon, longest)
            latest = load.since + longest
            return min(latest, load.begun + self.patience * load.lasts) if load.inputs >= self.enough else latest
        usual = self.interval if load.inputs >= self.worth else min(self.interval, self.pause * load.lasts)
        return load.begun + (min(soon, usual) if load.is_fresh and load.is_beside else usual)


class Pace:
    """Where a worker is between two commits, by its own clock."""

    def __init__(self, pacing: Pacing, now: datetime) -> None:
        self.pacing = pacing
        self.round = 0
        """Counts commits of the worker: whoever has inputs from a round before is to commit, too."""
        self._committed = now
        self._lasts = timedelta(milliseconds=10)
        self._sleepers: set[asyncio.Event] = set()
        self.turns = Turns()

    def wake(self, event: asyncio.Event) -> None:
        """Set this event when the next commit begins."""
        self._sleepers.add(event)

    def load(self, inputs: int, size: int, since: datetime, *, has_more: bool, is_fresh: bool = False) -> Load:
        """Return how a partition stands with so much in its transaction, which began then."""
        return Load(inputs, size, has_more, since, self._committed, self._lasts, is_fresh, self.turns.is_busy)

    def begin(self, now: datetime) -> None:
        """Begin a commit, and the next transaction with it; whoever has inputs is called to it."""
        self._committed = now
        self.round += 1
        self.turns.call_all()
        while self._sleepers:
            self._sleepers.pop().set()

    def note_commit(self, lasted: timedelta) -> None:
        """Note how long a commit lasted."""
        self._lasts += (lasted - self._lasts) / 8
