"""Busy partitions take turns, one slice each, and the event loop goes round between two."""

import asyncio
from collections.abc import Callable, Set
from itertools import pairwise

import pytest

from streams.partition.turns import Turns

AN_ANSWER = 3  # rounds: it has come, it is read, whoever waits for it goes on


async def work(turns: Turns, name: str, times: int, done: list[str], urgent: Set[str] = frozenset()) -> None:
    def is_urgent() -> bool:
        return name in urgent

    for _ in range(times):
        await turns.wait(is_urgent, is_asked=True)
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


async def test_who_becomes_urgent_comes_first_and_the_others_keep_their_order() -> None:
    turns, done, urgent = Turns(), list[str](), set[str]()
    running = [asyncio.create_task(work(turns, name, 2, done, urgent)) for name in "abcd"]
    await asyncio.sleep(0)
    urgent.add("c")
    while "c" not in done:
        await asyncio.sleep(0)
    urgent.clear()
    await asyncio.gather(*running)
    assert done == list("cabdcabd")


@pytest.mark.parametrize("urgent", ["a", "ab", "abc"])
async def test_who_is_never_urgent_has_its_turns_beside_those_that_always_are(urgent: str) -> None:
    turns, done = Turns(), list[str]()
    running = [asyncio.create_task(work(turns, name, 9, done, set(urgent))) for name in "abcd"]
    await asyncio.gather(*running)
    round_ = (len(urgent) + 1) * 4  # before each turn in line, one of each that is urgent
    assert all(done[: number * round_].count("d") >= number for number in range(1, 10))


async def test_one_that_is_called_goes_on_at_once_and_the_others_keep_their_turns() -> None:
    turns, done = Turns(), list[str]()
    called: Callable[[], bool] = lambda: False  # noqa: E731

    async def wait() -> None:
        await turns.wait(called, is_asked=False)
        done.append("called")

    running = [asyncio.create_task(work(turns, name, 1, done)) for name in "ab"]
    running.append(asyncio.create_task(wait()))
    await asyncio.sleep(0)
    turns.call(called)
    await asyncio.sleep(0)
    assert done == ["called"]
    await asyncio.gather(*running)
    assert done == ["called", "a", "b"]


async def test_who_can_not_be_urgent_is_asked_once_it_may_be() -> None:
    turns, done, asked = Turns(), list[str](), list[str]()

    async def wait(name: str) -> None:
        await turns.wait(known[name], is_asked=False)
        done.append(name)

    known: dict[str, Callable[[], bool]] = {
        name: lambda name=name: not asked.append(name) for name in "abcd"  # type: ignore[misc]
    }  # fmt: skip
    turns.ask(known["d"])  # not in line yet
    running = [asyncio.create_task(wait(name)) for name in "abcd"]
    await asyncio.sleep(0)
    assert not asked
    turns.ask(known["c"])
    await asyncio.gather(*running)
    assert (done, asked) == (list("cabd"), ["c"])
