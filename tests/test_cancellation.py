"""Tasks are ended, whatever they make of being cancelled."""

import asyncio

import pytest

from streams import cancellation
from streams.cancellation import end_tasks


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancellation, "_AGAIN_SECONDS", 0.0)
    swallowed = []

    async def work() -> None:
        for _ in range(3):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(True)
        await asyncio.Event().wait()

    async def fail() -> None:
        raise OSError

    running, failed = asyncio.create_task(work()), asyncio.create_task(fail())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks(running, failed)
    assert (running.cancelled(), len(swallowed)) == (True, 3)
    assert isinstance(failed.exception(), OSError)  # whoever watches it tells
