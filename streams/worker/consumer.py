"""Faust's consumer thread, overridden: it runs on the worker's own event loop.

A thread hands the interpreter's lock and every fetch to and fro: at 1,500 events/s that was a third of what the
worker did. Heartbeats now say that the loop turns, not only that the process is there.
Held by tests/broker/test_worker.py.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from faust.transport.drivers import aiokafka as driver
from mode.utils.futures import maybe_async


class ThreadlessConsumer(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Starts, calls and stops as a service without a thread does."""

    wait_for_shutdown = False  # nobody else shuts it down

    def __init__(self, consumer: driver.Consumer, *, loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, **kwargs)

    async def start(self) -> None:
        """Start on this loop."""
        self._thread_started.set()
        await self._default_start()

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call at once what would have gone through the thread's queue."""
        return await maybe_async(fun(*args, **kwargs))

    async def on_stop(self) -> None:
        """Leave the group."""
        await self.on_thread_stop()

    def _stopped_set(self) -> None:
        self._stopped.set()

    async def _stop_children(self) -> None:
        await self._default_stop_children()

    async def _stop_futures(self) -> None:
        await self._default_stop_futures()

    async def _stop_exit_stacks(self) -> None:
        await self._default_stop_exit_stacks()
