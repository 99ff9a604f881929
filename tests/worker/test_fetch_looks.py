"""aiokafka's look at every partition is spared where no broker can be asked for anything, and only there."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from streams.worker.fetch_looks import FetchLooks

ONE, TWO, THREE = (TopicPartition("a", number) for number in range(3))
TIMEOUT = 0.2
LOOKED: Any = (["a fetch"], {}, TIMEOUT, False, [])


class Fetcher:
    """A fetcher of partitions that these brokers lead."""

    def __init__(self, leaders: dict[TopicPartition, int | None], in_flight: set[int]) -> None:
        self.looks = self.asked = 0
        self.leaders = leaders
        self._in_flight = in_flight
        self._records: dict[TopicPartition, Any] = {}
        self._fetcher_timeout = TIMEOUT
        self._client = SimpleNamespace(cluster=self)
        self._partitions: dict[str, Any] = {}

    def leader_for_partition(self, place: TopicPartition) -> int | None:
        self.asked += 1
        return self.leaders[place]

    def hold(self, **backoffs: float) -> None:
        """Have something fetched of these partitions, on which the next fetch waits for so long."""
        self._records = {
            TopicPartition("a", int(name[-1])): SimpleNamespace(calculate_backoff=lambda seconds=seconds: seconds)
            for name, seconds in backoffs.items()
        }

    def _get_actions_per_node(self, _: object) -> Any:
        self.looks += 1
        return LOOKED


def assigned(*places: TopicPartition) -> Any:
    return SimpleNamespace(tps=frozenset(places))


@pytest.mark.parametrize(
    ("leaders", "in_flight", "backoffs", "seconds"),
    [
        ({ONE: 1, TWO: 1}, {1}, {}, TIMEOUT),
        ({ONE: 1, TWO: 2}, {1, 2}, {}, TIMEOUT),
        ({ONE: 1, TWO: 1}, set(), {"p0": 0.01, "p1": 0.015}, 0.015),
        ({ONE: 1, TWO: 2}, {1}, {"p1": 0.015}, 0.015),
        ({ONE: 1, TWO: 2}, set(), {"p0": 0.01, "p1": 0.015}, 0.01),
        ({}, set(), {}, TIMEOUT),
    ],
)
def test_nothing_is_looked_at_where_all_leaders_are_busy(
    leaders: dict[TopicPartition, int | None], in_flight: set[int], backoffs: dict[str, float], seconds: float
) -> None:
    fetcher = Fetcher(leaders, in_flight)
    fetcher.hold(**backoffs)
    assert FetchLooks(fetcher).look(assigned(*leaders)) == ([], {}, seconds, False, [])
    assert not fetcher.looks


@pytest.mark.parametrize(
    ("leaders", "in_flight", "backoffs"),
    [
        ({ONE: 1, TWO: 2}, {1}, {}),
        ({ONE: 1, TWO: 2}, set(), {"p0": 0.01}),
        ({ONE: 1, TWO: 1}, set(), {"p0": 0.0}),
        ({ONE: 1, TWO: None}, {1}, {}),
        ({ONE: 1, TWO: -1}, {1}, {}),
        ({ONE: 1, TWO: None}, set(), {"p0": 0.01}),
    ],
)
def test_where_one_is_free_or_nobody_leads_aiokafka_looks(
    leaders: dict[TopicPartition, int | None], in_flight: set[int], backoffs: dict[str, float]
) -> None:
    fetcher = Fetcher(leaders, in_flight)
    fetcher.hold(**backoffs)
    assert FetchLooks(fetcher).look(assigned(*leaders)) == LOOKED
    assert fetcher.looks == 1


def test_leaders_are_found_again_only_where_the_partitions_or_the_metadata_are_others() -> None:
    fetcher = Fetcher({ONE: 1, TWO: 1, THREE: 2}, {1})
    looks, both = FetchLooks(fetcher), assigned(ONE, TWO)
    for _ in range(3):
        looks.look(both)
    assert (fetcher.asked, fetcher.looks) == (2, 0)
    looks.look(assigned(ONE, THREE))
    assert (fetcher.asked, fetcher.looks) == (4, 1)
    fetcher.leaders, fetcher._partitions = {ONE: 2, TWO: 2}, {}
    looks.look(both)
    assert (fetcher.asked, fetcher.looks) == (6, 2)
