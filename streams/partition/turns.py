"""Whose turn it is: one busy partition at a time holds the event loop for a slice, the network comes between."""

import asyncio
from collections import deque
from collections.abc import Callable

# Rounds of the event loop between two slices, of a microsecond each. An answer takes three until whoever waits for
# it goes on, and what was fetched goes through a dozen hands: with one round each of them would wait for a slice.
_ROUNDS = 12


IsUrgent = Callable[[], bool]
"""Says whether one in line is to come first."""


class Turns:
    """A line of partitions that have more to do, served one after another; who is urgent comes first."""

    def __init__(self) -> None:
        self._line: deque[tuple[asyncio.Future[None], IsUrgent]] = deque()
        self._ahead: set[IsUrgent] = set()  # those that came first since the one in front had its turn
        self._is_going = False

    @property
    def is_busy(self) -> bool:
        """Say whether any partition is in line."""
        return self._is_going

    async def wait(self, is_urgent: IsUrgent) -> None:
        """Wait until every partition in line before has done a slice, or all are called together.

        Who becomes urgent meanwhile comes first, but only once until one comes whose turn it is.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._line.append((turn, is_urgent))
        if not self._is_going:
            self._is_going = True
            loop.call_soon(self._go_on, loop, _ROUNDS - 1)
        await turn

    def _go_on(self, loop: asyncio.AbstractEventLoop, rounds: int) -> None:
        """Let the loop go round so many times, and then the first in line go on."""
        if rounds > 1:
            loop.call_soon(self._go_on, loop, rounds - 1)
            return
        while self._line:
            turn = self._take_next()
            if not turn.done():  # who waits may have been cancelled
                turn.set_result(None)
                break
        self._is_going = bool(self._line)
        if self._line:
            loop.call_soon(self._go_on, loop, _ROUNDS)

    def _take_next(self) -> asyncio.Future[None]:
        for place, (turn, is_urgent) in enumerate(self._line):
            if is_urgent() and is_urgent not in self._ahead:  # mostly it is not, and to look it up costs more
                self._ahead.add(is_urgent)
                del self._line[place]
                return turn
        self._ahead.clear()
        turn, _ = self._line.popleft()
        return turn

    def call(self, is_urgent: IsUrgent) -> None:
        """End the wait of one, if it is in line."""
        for turn, one in self._line:
            if one == is_urgent and not turn.done():
                turn.set_result(None)

    def call_all(self) -> None:
        """End the wait of all who are in line."""
        for turn, _ in self._line:
            if not turn.done():
                turn.set_result(None)
        self._line.clear()
