"""Ending tasks that run for ever."""

import asyncio
from typing import Any

_AGAIN_SECONDS = 1.0


async def end_tasks(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks until they have ended, whichever way.

    Once is not enough: aiokafka swallows a cancellation that comes while it closes a client, and so does Python
    before 3.12 where `asyncio.wait_for` has just got what it waited for.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_AGAIN_SECONDS)


def is_asked_to_end() -> bool:
    """Say of a cancellation that was just raised whether it is this task's: a library raises those of its own."""
    task = asyncio.current_task()
    return task is None or bool(task.cancelling())
