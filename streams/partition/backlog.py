"""What has to be read before a due wait may fire: all that had arrived when it was due (R32).

An event that lay in a topic during an outage, or behind others, comes before the waits that were due after it.
Where nothing lies unread, a wait fires at once.
"""

from collections import deque
from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

PATIENCE = timedelta(minutes=10)
_SPACING = timedelta(seconds=1)  # between two looks at how far the topics go


class Mark(NamedTuple):
    """How far the topics were known to go at a moment."""

    moment: datetime
    ends: Mapping[str, int]

    def is_read(self, positions: Mapping[str, int], topics: Container[str]) -> bool:
        """Say whether all of it is handled, in the topics that are still read."""
        return all(positions.get(topic, 0) >= end for topic, end in self.ends.items() if topic in topics)


class Backlog:
    """Looks at how far the topics go whenever waits are due, and says which of them may fire.

    It is made when the partition is opened: what the topics hold then comes before any wait.
    """

    def __init__(self, opened: datetime, ends: Mapping[str, int]) -> None:
        self._marks: deque[Mark] = deque([Mark(opened, dict(ends))])
        self._until: datetime | None = None  # what was due by then may fire
        self.is_overtaken = False
        """Whether waits fire before all is read, because that takes longer than ten minutes."""

    def fires_until(self, now: datetime, positions: Mapping[str, int], ends: Mapping[str, int]) -> datetime | None:
        """Return by when waits may have been due that may fire now; None if none may.

        `ends` is how far the topics that are read are known to go.
        """
        while self._marks and self._has_passed(self._marks[0], now, positions, ends):
            self._until = self._marks.popleft().moment
        if not self._marks or now >= self._marks[-1].moment + _SPACING:
            latest = Mark(now, dict(ends))
            if not self._marks and latest.is_read(positions, ends):
                self.is_overtaken = False
                return now
            self._marks.append(latest)
        return self._until

    def _has_passed(self, mark: Mark, now: datetime, positions: Mapping[str, int], ends: Mapping[str, int]) -> bool:
        if mark.is_read(positions, ends):
            return True
        self.is_overtaken = self.is_overtaken or now >= mark.moment + PATIENCE
        return now >= mark.moment + PATIENCE
