"""Several workers on one machine, a process each: one that ends is started again, and all end together."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from streams.settings import environment

_PAUSE = 1.0  # seconds before a worker that ended is started again

log = structlog.get_logger()


async def supervise(command: Sequence[str], variables: Sequence[Mapping[str, str]], stop: asyncio.Event) -> None:
    """Keep a process of `command` running for each set of environment variables; at `stop`, end them in order."""
    await asyncio.gather(*(_keep_running(command, own, stop) for own in variables))


async def _keep_running(command: Sequence[str], variables: Mapping[str, str], stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(*command, env={**environment(), **variables})
        ended = asyncio.create_task(process.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            log.warning("A worker has ended and is started again.", exit_code=await ended)
            await asyncio.wait([stopping], timeout=_PAUSE)
        elif not ended.done():
            with suppress(ProcessLookupError):
                process.terminate()
            await ended
