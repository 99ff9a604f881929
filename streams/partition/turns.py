"""Whose turn it is: one busy partition at a time holds the event loop for a slice, the network comes between."""

import asyncio
from collections.abc import Callable

# Rounds of the event loop between two slices, of a microsecond each. An answer takes three until whoever waits for
# it goes on, and what was fetched goes through a dozen hands: with one round each of them would wait for a slice.
_ROUNDS = 12


IsUrgent = Callable[[], bool]
"""Says whether one in line is to come first."""


class Turns:
    """A line of partitions that have more to do, served one after another; who is urgent comes first."""

    def __init__(self) -> None:
        self._line: dict[IsUrgent, asyncio.Future[None]] = {}
        self._asked: dict[IsUrgent, None] = {}  # those in line that may be urgent: to ask 64 takes 60 us
        self._ahead: set[IsUrgent] = set()  # those that came first since the one in front had its turn
        self._is_going = False

    @property
    def is_busy(self) -> bool:
        """Say whether any partition is in line."""
        return self._is_going

    async def wait(self, is_urgent: IsUrgent, *, is_asked: bool) -> None:
        """Wait until every partition in line before has done a slice, or all are called together.

        Whoever becomes urgent goes first, but only once before the one in front has its turn. Whether it is urgent
        is asked before each turn if `is_asked`, or from when `ask` is called. One waits once at a time.
        """
        loop = asyncio.get_running_loop()
        turn = self._line[is_urgent] = loop.create_future()
        if is_asked:
            self.ask(is_urgent)
        if not self._is_going:
            self._is_going = True
            loop.call_soon(self._go_on, loop, _ROUNDS - 1)
        await turn

    def ask(self, is_urgent: IsUrgent) -> None:
        """Ask one from now on whether it is urgent, if it is in line."""
        if is_urgent in self._line:
            self._asked[is_urgent] = None

    def _go_on(self, loop: asyncio.AbstractEventLoop, rounds: int) -> None:
        """Let the loop go round so many times, and then the first in line go on."""
        if rounds > 1:
            loop.call_soon(self._go_on, loop, rounds - 1)
            return
        while self._line:
            if _end(self._take_next()):
                break
        self._is_going = bool(self._line)
        if self._line:
            loop.call_soon(self._go_on, loop, _ROUNDS)

    def _take_next(self) -> asyncio.Future[None]:
        for one in self._asked:
            if one not in self._ahead and one():
                self._ahead.add(one)
                return self._take(one)
        self._ahead.clear()
        return self._take(next(iter(self._line)))

    def _take(self, one: IsUrgent) -> asyncio.Future[None]:
        self._asked.pop(one, None)
        return self._line.pop(one)

    def call(self, is_urgent: IsUrgent) -> None:
        """End the wait of one, if it is in line."""
        if is_urgent in self._line:
            _end(self._take(is_urgent))

    def call_all(self) -> None:
        """End the wait of all who are in line."""
        for turn in self._line.values():
            _end(turn)
        self._line.clear()
        self._asked.clear()


def _end(turn: asyncio.Future[None]) -> bool:
    """End a wait; say whether somebody waited, for they may have been cancelled."""
    if turn.done():
        return False
    turn.set_result(None)
    return True
