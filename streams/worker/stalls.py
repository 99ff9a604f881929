"""How late the event loop is: whoever holds it keeps all partitions, the web and the heartbeats waiting."""

import asyncio

from prometheus_client import Histogram

from streams.clock import steady

_EVERY = 0.5  # seconds between two looks
STALL = Histogram(
    "fairway_loop_stall_seconds",
    "How much later than asked for the event loop woke a sleeper, twice a second.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


async def watch_loop() -> None:
    """Measure until cancelled."""
    while True:
        asked = steady() + _EVERY
        await asyncio.sleep(_EVERY)
        STALL.observe(max(0.0, steady() - asked))
