"""A worker keeps what it did in a partition only if nobody else can have had the partition since."""

import asyncio

import pytest

from streams.kafka.standing import Membership, Standing

FIRST = Membership("group", 4, "member", None, frozenset({0, 1}), is_shared=True)


@pytest.mark.parametrize(
    ("changes", "keeps"),
    [
        ({"generation": 5}, True),
        ({}, True),
        ({"generation": 6}, False),
        ({"generation": 3}, False),
        ({"generation": 5, "member": "member, given up and taken in anew"}, False),
        ({"generation": 5, "is_shared": False}, False),
    ],
    ids=["the next generation", "the same", "one was missed", "an older one", "another member", "another way"],
)
def test_a_partition_is_kept_from_one_generation_to_the_next_by_the_same_member(
    changes: dict[str, object], keeps: bool
) -> None:
    standing = Standing("group")
    assert standing.era(0) is None
    standing.join(FIRST)
    era = standing.era(0)
    assert era is not None
    standing.join(FIRST._replace(**changes))
    assert (standing.era(0) == era) is keeps
    assert standing.era(0) is not None


def test_a_partition_that_went_and_came_back_is_another_s_meanwhile_and_one_beside_it_is_not() -> None:
    standing = Standing("group")
    standing.join(FIRST)
    eras = standing.era(0), standing.era(1)
    standing.join(FIRST._replace(generation=5, partitions=frozenset({1})))
    assert (standing.era(0), standing.era(1)) == (None, eras[1])
    standing.join(FIRST._replace(generation=6))
    assert standing.era(0) not in (None, eras[0])
    assert standing.era(1) == eras[1]


def test_who_is_no_member_has_nothing_and_begins_anew() -> None:
    standing = Standing("group")
    nobody = FIRST._replace(generation=-1, member="")
    standing.join(nobody)
    assert standing.era(0) is None
    standing.join(nobody._replace(generation=0))
    assert standing.era(0) is not None
    era = standing.era(0)
    standing.join(nobody)
    standing.join(nobody._replace(generation=0))
    assert standing.era(0) != era


async def test_whoever_waits_for_the_next_membership_gets_it() -> None:
    standing = Standing("group")
    standing.join(FIRST)
    waiting = asyncio.create_task(standing.after(FIRST))
    await asyncio.sleep(0)
    assert not waiting.done()
    after = FIRST._replace(generation=5)
    standing.join(FIRST)
    await asyncio.sleep(0)
    standing.join(after)
    assert await waiting == after
    assert await standing.after(FIRST) == after
