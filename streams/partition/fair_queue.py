"""The fetches that wait, by topic: topics take turns, and what comes of one of which nothing waits comes first.

So a topic with a few records now and then waits for no flood. It is what routers do for flows with few packets
("new flows" in RFC 8290), and as there, nobody comes first for long: with many records a topic waits as any other.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from streams.kafka.fetch import Fetch

_AHEAD = 50  # records of a topic that come before those that wait, until one of these has had its turn


class FairQueue:
    """The fetches of each topic in their order, and the topics by whose turn is next."""

    def __init__(self) -> None:
        self._fetches: dict[str, deque[Fetch]] = {}
        self._new: set[str] = set()  # topics that come first, which are in front
        self._ahead: Counter[str] = Counter()  # records that came first since one that had waited had its turn

    def __bool__(self) -> bool:
        return bool(self._fetches)

    def __contains__(self, topic: str) -> bool:
        return topic in self._fetches

    def __iter__(self) -> Iterator[Fetch]:
        return (fetch for fetches in self._fetches.values() for fetch in fetches)

    @property
    def heads(self) -> Iterable[Fetch]:
        """Return the first fetch of each topic, by whose turn is next."""
        return (fetches[0] for fetches in self._fetches.values())

    @property
    def has_new(self) -> bool:
        """Say whether what is next comes first, for nothing of its topic waited."""
        return bool(self._new)

    def add(self, fetch: Fetch) -> None:
        """Add a fetch behind those of its topic."""
        if fetch.topic not in self._fetches:
            self._line_up(fetch.topic)
        self._fetches[fetch.topic].append(fetch)

    def _line_up(self, topic: str) -> None:
        self._fetches[topic] = deque()
        if self._ahead[topic] < _AHEAD:
            self._new.add(topic)
            for waiting in [one for one in self._fetches if one not in self._new]:
                self._move_back(waiting)

    def _move_back(self, topic: str) -> None:
        self._fetches[topic] = self._fetches.pop(topic)

    def take(self, topic: str, records: int, *, is_all: bool) -> None:
        """Note a topic's turn: so many records of its first fetch, which were `is_all` that was left of it."""
        if topic in self._new:
            self._ahead[topic] += records
        else:
            self._ahead.clear()
        if is_all:
            self.drop(topic)
        if topic in self._fetches and not (topic in self._new and self._ahead[topic] < _AHEAD):
            self._new.discard(topic)
            self._move_back(topic)

    def drop(self, topic: str) -> None:
        """Drop the first fetch of a topic."""
        self._fetches[topic].popleft()
        if not self._fetches[topic]:
            del self._fetches[topic]
            self._new.discard(topic)
        if not self._fetches:
            self._ahead.clear()

    def clear(self) -> None:
        """Drop all fetches."""
        self._fetches.clear()
        self._new.clear()
        self._ahead.clear()
