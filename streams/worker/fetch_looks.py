"""aiokafka's look at what to fetch next, skipped while every broker has a fetch under way or may not be asked yet.

It goes over every partition of every topic whenever something was fetched or taken: with 64 partitions that was 1 %
of a worker's time, and two in three such looks found nothing to ask. Held by tests/worker/test_fetch_looks.py.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

Actions = tuple[Sequence[Any], Mapping[int, Any], float, bool, Sequence[Any]]
"""Fetches, resets of positions, seconds until the next look, whether leaders are missing, and who is paused."""


class FetchLooks:
    """Looks in the place of a fetcher's `_get_actions_per_node`."""

    def __init__(self, fetcher: Any) -> None:
        self._fetcher = fetcher
        self._look = fetcher._get_actions_per_node
        self._leaders: Set[int | None] = frozenset()
        self._partitions = self._metadata = None  # by which `_leaders` were found

    def look(self, assignment: Any) -> Actions:
        """Return what to ask of which broker."""
        fetcher = self._fetcher
        leaders = self._find_leaders(assignment)
        waits = self._find_waits(leaders - fetcher._in_flight)
        if leaders <= fetcher._in_flight | waits.keys():
            return [], {}, min(waits.values(), default=fetcher._fetcher_timeout), False, []
        actions: Actions = self._look(assignment)
        return actions

    def _find_waits(self, free: Set[int | None]) -> dict[int | None, float]:
        """Return in how many seconds each of these brokers may be asked again, by what was fetched last of it."""
        waits: dict[int | None, float] = {}
        leader_of = self._fetcher._client.cluster.leader_for_partition
        for place, fetched in reversed(self._fetcher._records.items()):
            seconds = fetched.calculate_backoff()
            if not seconds or free <= waits.keys():  # what came before has waited longer
                break
            waits.setdefault(leader_of(place), seconds)
        return waits

    def _find_leaders(self, assignment: Any) -> Set[int | None]:
        """Return who leads what is assigned; in it is None or -1 where nobody is known to."""
        cluster = self._fetcher._client.cluster
        if assignment.tps is not self._partitions or cluster._partitions is not self._metadata:
            self._partitions, self._metadata = assignment.tps, cluster._partitions
            self._leaders = {cluster.leader_for_partition(place) for place in assignment.tps}
        return self._leaders
