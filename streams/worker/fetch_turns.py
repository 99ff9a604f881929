"""When the next fetch may leave: at once where much comes, else a little later, with what comes meanwhile."""

import asyncio
from contextlib import suppress

_FEW = 250  # records; a fetch that brings fewer has caught up with the producers
_GATHER_SECONDS = 0.02  # for which they may then go on, before the next fetch: a commit lasts half as long
_MARKS_SECONDS = 0.003  # until the end of a transaction is written to where its records are


class FetchTurns:
    """The turns of a consumer's fetches."""

    def __init__(self) -> None:
        self._next = 0.0  # time of the event loop
        self._sooner = asyncio.Event()

    def note(self, records: int) -> None:
        """Note how many records a fetch brought."""
        if records < _FEW:
            self._next = asyncio.get_running_loop().time() + _GATHER_SECONDS

    def hurry(self) -> None:
        """Let the next fetch leave as soon as a transaction can be read that has just ended."""
        self._next = min(self._next, asyncio.get_running_loop().time() + _MARKS_SECONDS)
        self._sooner.set()

    async def wait(self) -> None:
        """Return when the next fetch may leave."""
        while (seconds := self._next - asyncio.get_running_loop().time()) > 0:
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._sooner.wait()
