"""A broker that hangs is left by every client of this process as soon as one of them notices.

A broker whose machine or disk hangs takes connections, and answers nothing. aiokafka gives each step as long as any
request has, ten seconds, and one follows the other: who coordinates the group now is asked of a broker chosen by
chance, and while a connection is made, no other is. So workers stood still for half a minute where the cluster had
given such a broker up after nine seconds. docs/decisions/039-rebalances.md says more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable
from typing import Any
from weakref import WeakSet

from aiokafka import conn
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.clock import steady

SECONDS = 5.0
"""For which a broker may be silent that could answer at once, and for which one that was is left alone."""
_PROMPT = (FindCoordinatorRequest, MetadataRequest)  # the answer waits for no other broker, so silence tells
_silent: dict[tuple[str, int], float] = {}  # addresses, and until when they are left alone
_open: defaultdict[tuple[str, int], WeakSet["Connection"]] = defaultdict(WeakSet)


def install() -> None:
    """Let every client of this process connect by this."""
    conn.AIOKafkaConnection = Connection


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]
    """A connection that is made within seconds, or not at all, and closed when its broker is silent on another."""

    _request_timeout: float

    @property
    def _address(self) -> tuple[str, int]:
        return self.host, self.port

    async def connect(self) -> Any:
        """Reach the broker, ask what it speaks, and say who we are; raises OSError, TimeoutError, KafkaError.

        What a token provider needs for a token does not count.
        """
        if steady() < _silent.get(self._address, 0.0):
            raise TimeoutError(f"{self.host}:{self.port} was silent a moment ago")
        usual = self._request_timeout
        self._request_timeout = min(usual, SECONDS)
        try:
            reached = await self._note_silence(super().connect())
        finally:
            self._request_timeout = usual
        _open[self._address].add(self)
        return reached

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        """Send a request; what is returned raises TimeoutError if there is no answer in time."""
        is_next = not self._requests  # a broker answers the requests of a connection one after another
        answer: Awaitable[Any] = super().send(request, expect_response)
        if is_next and isinstance(request, _PROMPT):
            return self._note_silence(asyncio.wait_for(answer, SECONDS))
        return self._note_silence(answer) if isinstance(request, FetchRequest) else answer

    async def _note_silence(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except TimeoutError:
            _silent[self._address] = steady() + SECONDS
            for connection in tuple(_open.pop(self._address, ())):
                connection.close(reason=conn.CloseReason.CONNECTION_TIMEOUT)
            raise
