"""A broker that hangs is left by every client of this process as soon as one of them notices.

A broker whose machine or disk hangs takes connections, and answers nothing. aiokafka gives each step as long as any
request has, ten seconds, and one follows the other: who coordinates the group now is asked of a broker chosen by
chance, and while a connection is made, no other is. So workers stood still for half a minute where the cluster had
given such a broker up after nine seconds. docs/decisions/039-rebalances.md says more.
"""

from collections import defaultdict
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any
from weakref import WeakSet

from aiokafka import conn
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.clock import steady

SECONDS = 5.0
"""For which a broker may be silent that could answer at once, and for which it is then left alone."""
SHORTLY = 1.0  # second; for it the address is tried meanwhile by who knows no other yet
_LATE = 1.0  # seconds; when a timeout comes later than that, it was this process that stood still
_PROMPT = (FindCoordinatorRequest, MetadataRequest)  # the answer waits for no other broker, so silence tells
_silent: dict[tuple[str, int], float] = {}  # addresses, and until when they are left alone
_open: defaultdict[tuple[str, int], WeakSet["Connection"]] = defaultdict(WeakSet)


def install() -> None:
    """Let every client of this process connect by this."""
    conn.AIOKafkaConnection = Connection


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]
    """A connection that is made within seconds, or not at all, and closed when its broker is silent on another."""

    _request_timeout: float
    answered = -inf
    """When there was an answer last, by the steady clock."""

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """Let what is sent within wait for so long for its answer, and not as long as other requests do."""
        usual, self._request_timeout = self._request_timeout, seconds
        try:
            yield
        finally:
            self._request_timeout = usual

    @property
    def _address(self) -> tuple[str, int]:
        return self.host, self.port

    async def connect(self) -> Any:
        """Reach the broker, ask what it speaks, and say who we are; raises OSError, TimeoutError, KafkaError.

        What a token provider needs for a token does not count.
        """
        is_silent = steady() < _silent.get(self._address, -inf)
        is_lasting = self._on_close_cb is not None  # else it is made for one question, maybe to the only address
        if is_silent and is_lasting:
            raise TimeoutError(f"{self.host}:{self.port} was silent a moment ago")
        with self.patience(min(self._request_timeout, SHORTLY if is_silent else SECONDS)):
            reaching = super().connect()
            reached = await (reaching if is_silent else self._watch(reaching, SECONDS))
        _silent.pop(self._address, None)
        if is_lasting:
            _open[self._address].add(self)
        return reached

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        """Send a request; what is returned raises TimeoutError if there is no answer in time."""
        is_next = not self._requests  # a broker answers the requests of a connection one after another
        if not (is_next and isinstance(request, (*_PROMPT, FetchRequest))):
            answer: Awaitable[Any] = super().send(request, expect_response)
            return answer
        usual = self._request_timeout
        seconds = min(usual, SECONDS) if isinstance(request, _PROMPT) else usual
        with self.patience(seconds):
            return self._watch(super().send(request, expect_response), seconds)

    def _handle_frame(self, answer: bytes) -> None:
        super()._handle_frame(answer)
        self.answered = steady()

    async def _watch(self, answer: Awaitable[Any], seconds: float) -> Any:
        """Return the answer; where there is none in time, and no other lately, leave the broker altogether."""
        since = steady()
        try:
            return await answer
        except TimeoutError:
            lately = since + seconds / 2  # the broker may have begun to hang after the request
            if steady() < since + seconds + _LATE and all(one.answered < lately for one in _open[self._address]):
                _silent[self._address] = steady() + SECONDS
                for connection in tuple(_open.pop(self._address)):
                    connection.drop()
            raise

    def drop(self) -> None:
        """Close it at once; by TLS it would wait for half a minute to say goodbye."""
        writer = self._writer
        self.close(reason=conn.CloseReason.CONNECTION_TIMEOUT)
        if writer is not None:
            writer.transport.abort()
