"""aiokafka's part in the group, overridden: it leaves at once, and takes the session that the broker allows.

Held by tests/worker/test_coordinator.py and tests/broker/test_leaving.py.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError, NodeNotReadyError, RequestTimedOutError

from streams.kafka.requests import LeaveGroupRequest

_LONGEST_SESSION_MS = 300_000

log = structlog.get_logger()


def adapt(coordinator: Any) -> None:
    """Let this coordinator ask for a longer session where the broker refuses the one that it has."""
    coordinator._do_rejoin_group = partial(_join, coordinator, coordinator._do_rejoin_group)


async def _join(coordinator: Any, join: Callable[[Any], Awaitable[bool]], subscription: Any) -> bool:
    try:
        return await join(subscription)
    except InvalidSessionTimeoutError:
        refused = coordinator._session_timeout_ms
        if 2 * refused > _LONGEST_SESSION_MS:
            raise
        coordinator._session_timeout_ms = 2 * refused
        log.warning(
            "The broker refuses a session of %s seconds (group.min.session.timeout.ms), so this worker asks "
            "for %s: when it is killed, its partitions stand still for longer.",
            refused // 1000,
            2 * refused // 1000,
        )
        return False


async def join(coordinator: Any, node: int, request: Any) -> Any:
    """Return the answer of the group's coordinator, which waits for other members, too; raises KafkaError.

    aiokafka would wait as long as for any answer. A member that gave up before the group does would miss its place
    in it, and join as another, for which the next round waits.
    """
    connection = await coordinator._client._get_conn(node, group=ConnectionGroup.COORDINATION)
    if connection is None:
        raise NodeNotReadyError(f"no connection to the group's coordinator, node {node}")
    with connection.patience(connection._request_timeout + coordinator._rebalance_timeout_ms / 1000):
        answer = connection.send(request)
    try:
        return await answer
    except TimeoutError as error:
        connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
        raise RequestTimedOutError from error


async def leave(coordinator: Any) -> None:
    """Leave the group at once, even while it agrees anew; one with a name of its own may come back, and only stops.

    What waits for this worker's part in the group's agreement is taken back; nothing is committed any more.
    """
    await coordinator._stop_heartbeat_task()
    node = coordinator.coordinator_id
    if coordinator.generation > 0 and node is not None and coordinator._group_instance_id is None:
        # While the group agrees, the answer to that holds up the connection which is for the coordinator.
        is_agreeing = coordinator._rejoin_needed_fut.done()
        connection = ConnectionGroup.DEFAULT if is_agreeing else ConnectionGroup.COORDINATION
        request = LeaveGroupRequest(coordinator.group_id, [(coordinator.member_id, None, {})], {})
        try:
            await coordinator._client.send(node, request, group=connection)
        except KafkaError as error:
            log.warning("The group was not told that this worker leaves: it waits for its session. %r", error)
        coordinator.generation = -1  # so that aiokafka does not tell it once more
    await coordinator.close()
