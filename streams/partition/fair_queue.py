"""The fetches that wait, by topic: topics take turns, and what comes of one of which nothing waits comes first.

So a topic with a few records now and then waits for no flood. It is what routers do for flows with few packets
("new flows" in RFC 8290), and as there, nobody comes first for long: with many records a topic waits as any other.
"""

from collections import Counter, deque
from collections.abc import Iterator

from streams.kafka.fetch import Fetch

_AHEAD = 50  # records of a topic that come before those that wait, until one of these has had its turn


class FairQueue(dict[str, deque[Fetch]]):
    """The fetches of each topic in their order, and the topics by whose turn is next."""

    def __init__(self) -> None:
        super().__init__()
        self.new: set[str] = set()  # topics of which nothing waited: they come first, and are in front
        self._ahead: Counter[str] = Counter()  # records that came first since one that had waited had its turn
        self.records = 0  # in all fetches that wait, which is asked for more often than these change
        self.size = 0  # bytes of them, decompressed

    @property
    def heads(self) -> Iterator[Fetch]:
        """Return the first fetch of each topic, by whose turn is next."""
        return (fetches[0] for fetches in self.values())

    def add(self, fetch: Fetch) -> None:
        """Add a fetch behind those of its topic."""
        if fetch.topic not in self:
            self._line_up(fetch.topic)
        self[fetch.topic].append(fetch)
        self.records += len(fetch.records)
        self.size += fetch.size

    def _line_up(self, topic: str) -> None:
        self[topic] = deque()
        if self._ahead[topic] < _AHEAD:
            self.new.add(topic)
            for waiting in [one for one in self if one not in self.new]:
                self._move_back(waiting)

    def _move_back(self, topic: str) -> None:
        self[topic] = self.pop(topic)

    def take(self, topic: str, records: int, *, is_all: bool) -> None:
        """Note a topic's turn: so many records of its first fetch, which were `is_all` that was left of it."""
        if topic in self.new:
            self._ahead[topic] += records
        else:
            self._ahead.clear()
        if is_all:
            self.drop(topic)
        if topic in self and not (topic in self.new and self._ahead[topic] < _AHEAD):
            self.new.discard(topic)
            self._move_back(topic)

    def drop(self, topic: str) -> None:
        """Drop the first fetch of a topic."""
        fetch = self[topic].popleft()
        self.records -= len(fetch.records)
        self.size -= fetch.size
        if not self[topic]:
            del self[topic]
            self.new.discard(topic)
        if not self:
            self._ahead.clear()

    def clear(self) -> None:
        """Drop all fetches."""
        super().clear()
        self.new.clear()
        self._ahead.clear()
        self.records = self.size = 0
