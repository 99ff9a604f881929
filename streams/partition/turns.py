"""Whose turn it is: one busy partition at a time holds the event loop for a slice, the network comes between."""

import asyncio
from collections import deque

# Rounds of the event loop between two slices, of some microseconds each. An answer takes three until whoever waits
# for it goes on, and what was fetched goes through more hands: with one round each of them would wait for a slice.
_ROUNDS = 6


class Turns:
    """A line of partitions that have more to do, served one after another."""

    def __init__(self) -> None:
        self._line: deque[asyncio.Future[None]] = deque()
        self._is_going = False

    @property
    def is_busy(self) -> bool:
        """Say whether any partition is in line."""
        return self._is_going

    async def wait(self) -> None:
        """Wait until every partition in line before has done a slice, or all are called together."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._line.append(turn)
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
            turn = self._line.popleft()
            if not turn.done():  # who waits may have been cancelled
                turn.set_result(None)
                break
        self._is_going = bool(self._line)
        if self._line:
            loop.call_soon(self._go_on, loop, _ROUNDS)

    def call_all(self) -> None:
        """End the wait of all who are in line."""
        for turn in self._line:
            if not turn.done():
                turn.set_result(None)
        self._line.clear()
