"""A worker takes the session that the broker allows, and says at once that it leaves."""

from typing import Any

import pytest
from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import (
    InvalidSessionTimeoutError,
    KafkaConnectionError,
    NodeNotReadyError,
    RequestTimedOutError,
)
from structlog.testing import capture_logs

from streams.kafka import connecting
from streams.worker.coordinator import adapt, join, leave


class Coordinator:
    """aiokafka's, at a broker that allows sessions of so many milliseconds or more."""

    group_id, member_id, coordinator_id = "golf", "one", 3

    def __init__(self, least: int = 0, *, instance: str | None = None, is_agreeing: bool = False) -> None:
        self.least = least
        self.generation = 5
        self._session_timeout_ms = 6000
        self._group_instance_id = instance
        self.is_agreeing = is_agreeing
        self.told: list[Any] = []
        self._client = self._rejoin_needed_fut = self

    async def _do_rejoin_group(self, _subscription: Any) -> bool:
        if self._session_timeout_ms < self.least:
            raise InvalidSessionTimeoutError
        return True

    def done(self) -> bool:
        return self.is_agreeing

    async def _stop_heartbeat_task(self) -> None:
        self.told.append("no heartbeats")

    async def send(self, node: int, request: Any, *, group: ConnectionGroup) -> None:
        self.told.append((node, request.group_id, request.members, group))

    async def close(self) -> None:
        self.told.append("closed")


async def test_where_the_broker_refuses_a_session_the_worker_asks_for_longer_ones_and_says_so() -> None:
    coordinator = Coordinator(least=20_000)
    adapt(coordinator)
    with capture_logs() as logs:
        assert [await coordinator._do_rejoin_group(None) for _ in range(3)] == [False, False, True]
    assert coordinator._session_timeout_ms == 24_000
    assert len(logs) == 2


async def until_joined(coordinator: Coordinator) -> None:
    while not await coordinator._do_rejoin_group(None):
        pass


async def test_a_broker_that_refuses_every_session_is_an_error() -> None:
    coordinator = Coordinator(least=10**9)
    adapt(coordinator)
    with pytest.raises(InvalidSessionTimeoutError):
        await until_joined(coordinator)


@pytest.mark.parametrize(
    ("is_agreeing", "connection"), [(False, ConnectionGroup.COORDINATION), (True, ConnectionGroup.DEFAULT)]
)
async def test_a_worker_leaves_once_over_a_connection_that_answers(
    is_agreeing: bool, connection: ConnectionGroup
) -> None:
    coordinator = Coordinator(is_agreeing=is_agreeing)
    await leave(coordinator)
    assert coordinator.told == ["no heartbeats", (3, "golf", [("one", None, {})], connection), "closed"]
    assert coordinator.generation < 0


async def test_a_worker_with_a_name_keeps_its_place() -> None:
    coordinator = Coordinator(instance="first")
    await leave(coordinator)
    assert coordinator.told == ["no heartbeats", "closed"]


async def test_a_worker_whose_coordinator_is_away_ends_all_the_same() -> None:
    coordinator = Coordinator()
    coordinator.send = away  # type: ignore[method-assign]
    await leave(coordinator)
    assert coordinator.told == ["no heartbeats", "closed"]


async def away(node: int, request: Any, *, group: ConnectionGroup) -> None:
    raise KafkaConnectionError


class Connection:
    """One to the group's coordinator, which answers or is silent."""

    _request_timeout = 10.0
    patience = connecting.Connection.patience

    def __init__(self, *, is_silent: bool = False) -> None:
        self.is_silent = is_silent
        self.waits: list[float] = []
        self.closed: list[Any] = []

    async def _answer(self) -> str:
        if self.is_silent:
            raise TimeoutError
        return "joined"

    def send(self, _request: Any) -> Any:
        self.waits.append(self._request_timeout)
        return self._answer()

    def close(self, *, reason: Any) -> None:
        self.closed.append(reason)


class Joining:
    """A coordinator's part that joins, over this connection."""

    _rebalance_timeout_ms = 20_000

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection
        self._client = self

    async def _get_conn(self, node: int, *, group: ConnectionGroup) -> Connection | None:
        assert (node, group) == (3, ConnectionGroup.COORDINATION)
        return self._connection


async def test_a_member_that_joins_waits_for_longer_than_the_group_does_and_asks_else_as_usual() -> None:
    connection = Connection()
    assert await join(Joining(connection), 3, None) == "joined"
    assert (connection.waits, connection._request_timeout, connection.closed) == ([30.0], 10.0, [])


async def test_a_connection_over_which_no_answer_came_is_closed() -> None:
    connection = Connection(is_silent=True)
    with pytest.raises(RequestTimedOutError):
        await join(Joining(connection), 3, None)
    assert connection.closed == [CloseReason.CONNECTION_TIMEOUT]


async def test_a_coordinator_that_can_t_be_reached_is_not_joined() -> None:
    with pytest.raises(NodeNotReadyError):
        await join(Joining(None), 3, None)
