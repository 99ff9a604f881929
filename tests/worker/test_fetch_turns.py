"""After a fetch that brought little the next one leaves a little later, or when what was forwarded is there."""

import asyncio

import pytest

from streams.worker import fetch_turns
from streams.worker.fetch_turns import FetchTurns

NEVER = 3600.0


async def waiting(turns: FetchTurns) -> "asyncio.Task[None]":
    """Return what waits for the next turn, after it has come as far as it comes at once."""
    task = asyncio.create_task(turns.wait())
    for _ in range(3):
        await asyncio.sleep(0)
    return task


@pytest.mark.parametrize(("records", "waits"), [(0, True), (249, True), (250, False), (5000, False)])
async def test_where_much_comes_the_next_fetch_leaves_at_once(
    records: int, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_turns, "_GATHER_SECONDS", NEVER)
    turns = FetchTurns()
    turns.note(records)
    task = await waiting(turns)
    assert task.done() is not waits
    task.cancel()


async def test_where_little_comes_it_leaves_a_little_later() -> None:
    turns, loop = FetchTurns(), asyncio.get_running_loop()
    before = loop.time()
    turns.note(1)
    await turns.wait()
    assert loop.time() >= before + fetch_turns._GATHER_SECONDS


async def test_what_was_forwarded_is_fetched_as_soon_as_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_turns, "_GATHER_SECONDS", NEVER)
    turns = FetchTurns()
    turns.note(1)
    task = await waiting(turns)
    assert not task.done()
    turns.hurry()
    async with asyncio.timeout(60):
        await task


async def test_whoever_hurries_makes_no_fetch_later() -> None:
    turns = FetchTurns()
    turns.hurry()
    async with asyncio.timeout(60):
        await turns.wait()
    assert (await waiting(turns)).done()
