"""When a partition commits: soon while there is little to do, seldom while there is more to do at once.

A commit costs as much as twenty inputs or so, and while it lasts the partition does nothing else. So what is done
is committed at once where little waits, and a transaction grows where much does, up to what fits it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec


class Load(NamedTuple):
    """How a partition stands: what its transaction holds, whether there is more to do at once, and its commits."""

    inputs: int
    """Inputs handled since the last commit."""
    size: int
    """Bytes emitted since the last commit."""
    has_more: bool
    """Whether input waits, or waits are due."""
    begun: datetime
    """When the transaction began, which is when the last commit ended."""
    committed: datetime
    """When the last commit began."""
    lasts: timedelta
    """How long a commit lasts, on average."""
    is_fresh: bool = False
    """Whether it holds input of a topic that is read to its end: somebody waits for that, and for no backlog."""


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
    enough: int = 1000
    """Inputs of which a commit is a small part: with more to do at once, a transaction goes on until then."""
    stretch: int = 40
    """Commit intervals that a transaction lasts at most, however much there is to do."""
    patience: int = 3
    """Times as long as a commit that a transaction with enough in it lasts at least."""
    offsets_every: timedelta = timedelta(seconds=1)
    """How far the group's offsets may be behind the positions: they are half of what a commit costs."""

    def records_at_once(self, records: int, lasted: timedelta) -> int:
        """Return how many records to take at once after so many lasted so long: as many as fill a slice."""
        fill = int(records * (self.slice_time / lasted)) if lasted else self.most_slice_records
        return max(self.slice_records, min(fill, self.most_slice_records))

    def is_time(self, load: Load, now: datetime) -> bool:
        """Say whether to commit what is done."""
        if load.inputs >= self.most_inputs or load.size >= self.most_bytes:
            return True
        return now >= self.next_commit(load)

    def next_commit(self, load: Load) -> datetime:
        """Return when to commit what is done: later while there is more to do at once."""
        if load.has_more:
            longest = self.stretch * self.interval
            if load.is_fresh:
                return load.begun + min(max(self.interval, load.lasts), longest)
            lasts = self.patience * load.lasts if load.inputs >= self.enough else longest
            return load.begun + min(lasts, longest)
        if load.inputs >= self.worth:
            return load.committed + self.interval
        return load.committed + min(self.interval, 2 * load.lasts)


class Pace:
    """Where a partition is between two commits, by its own clock."""

    def __init__(self, pacing: Pacing, now: datetime, *, owes_offsets: bool) -> None:
        """Begin now; the last owner of a partition with a position may not have come to the group's offsets."""
        self._pacing = pacing
        self._begun = self._committed = now
        self._lasts = timedelta(milliseconds=10)
        self._is_fresh = False
        self._offsets_since = now if owes_offsets else None  # since when the group's offsets are behind

    @property
    def owes_offsets(self) -> bool:
        """Say whether the group's offsets are behind the positions."""
        return self._offsets_since is not None

    @property
    def offsets_due(self) -> datetime | None:
        """Return when the group's offsets are to be committed; None if they are not behind."""
        return None if self._offsets_since is None else self._offsets_since + self._pacing.offsets_every

    def load(self, inputs: int, size: int, *, has_more: bool) -> Load:
        """Return how the partition stands with so much in its transaction."""
        return Load(inputs, size, has_more, self._begun, self._committed, self._lasts, self._is_fresh)

    def note_fresh(self) -> None:
        """Note that the transaction holds input of a topic that is read to its end."""
        self._is_fresh = True

    def note_commit(self, started: datetime, ended: datetime, *, with_offsets: bool) -> None:
        """Note how long a commit lasted, and whether the group's offsets went along."""
        self._lasts += (ended - started - self._lasts) / 8
        self._offsets_since = None if with_offsets else self._offsets_since or started

    def begin(self, committed: datetime, now: datetime) -> None:
        """Begin the next transaction, after a commit that began then."""
        self._committed, self._begun, self._is_fresh = committed, now, False
