"""Whether a topic may be written is asked of whichever broker answers."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError

from streams.errors import FairwayError
from streams.kafka.readiness import check_writable

UNKNOWN = 3  # Kafka's code: UNKNOWN_TOPIC_OR_PARTITION


class Cluster:
    """Brokers in the order in which chance has them asked; the first is down."""

    def __init__(self, **topic: Any) -> None:
        self._order = iter((1, 1, 2))
        self._topic = topic | {"topic": "a.b"}

    def get_random_node(self) -> int:
        return next(self._order)

    async def send(self, node: int, _request: object) -> Any:
        if node == 1:
            raise NodeNotReadyError("Attempt to send a request to node which is not ready (node id 1).")
        return SimpleNamespace(to_object=lambda: {"topics": [self._topic]})


async def check(**topic: Any) -> None:
    await check_writable(SimpleNamespace(client=Cluster(**topic)), "a.b")  # type: ignore[arg-type]


async def test_a_broker_that_is_down_keeps_nobody_from_writing() -> None:
    await check(error_code=0, partitions=[{}])


async def test_a_topic_that_is_missing_is_told_by_the_broker_that_answers() -> None:
    with pytest.raises(FairwayError, match=r"^The topic 'a\.b' is missing"):
        await check(error_code=UNKNOWN, partitions=[])
