"""Busy partitions take turns, one slice each, and the event loop goes round between two."""

import asyncio
from itertools import pairwise

import pytest

from streams.partition.turns import Turns

AN_ANSWER = 3  # rounds: it has come, it is read, whoever waits for it goes on


async def work(turns: Turns, name: str, times: int, done: list[str]) -> None:
    for _ in range(times):
        await turns.wait()
        done.append(name)


@pytest.mark.parametrize("names", ["a", "ab", "abcd"])
async def test_each_in_line_has_its_turn_in_order_and_an_answer_comes_between_two(names: str) -> None:
    turns, done, rounds = Turns(), list[str](), 0
    running = [asyncio.create_task(work(turns, name, 3, done)) for name in names]
    seen = list[int]()
    while not all(task.done() for task in running):
        before = len(done)
        await asyncio.sleep(0)
        rounds += 1
        assert len(done) <= before + 1
        seen += [rounds] * (len(done) - before)
    assert done == list(names) * 3
    assert all(later - earlier >= AN_ANSWER for earlier, later in pairwise(seen))


async def test_all_in_line_go_on_at_once_when_they_are_called() -> None:
    turns, done = Turns(), list[str]()
    running = [asyncio.create_task(work(turns, name, 1, done)) for name in "abcd"]
    await asyncio.sleep(0)
    turns.call_all()
    await asyncio.sleep(0)
    assert done == list("abcd")
    await asyncio.gather(*running)


async def test_one_that_is_cancelled_holds_up_nobody() -> None:
    turns, done = Turns(), list[str]()
    first, second = (asyncio.create_task(work(turns, name, 2, done)) for name in "ab")
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(10):
        await second
    assert done == ["b", "b"]
