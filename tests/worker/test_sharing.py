"""The leader gives each partition to one member and copies to others; only what has a copy elsewhere moves."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.sharing import Member, Share, share_out

Members = dict[str, Member]


def member(
    *own: int, fresh: Any = (), copying: Any = None, opening: Any = (), generation: int = 1, disk: str = ""
) -> Member:
    kept = None if fresh is None else frozenset(fresh)
    return Member(
        frozenset(own),
        kept,
        frozenset((fresh or ()) if copying is None else copying),
        frozenset(opening),
        generation,
        disk,
    )


def write(shares: dict[str, Share]) -> str:
    """Return what each gets as `own/copies/warming`."""
    return " ".join(
        "/".join("".join(map(str, sorted(part))) for part in shares[name]).rstrip("/") for name in sorted(shares)
    )


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param([member()], "0123", id="alone, without anyone to copy"),
        pytest.param([member(), member()], "02/13 13/02", id="two begin, and copy each other"),
        pytest.param([member(), member(), member(), member()], "0/1 1/0 2/3 3/2", id="four begin"),
        pytest.param([member(0, 2, fresh=[1, 3])], "0123", id="who has the copies takes over"),
        pytest.param(
            [member(0, 1, fresh=[4]), member(2, 3, fresh=[5])], "014/235 235/014", id="each its copies"
        ),
        pytest.param(
            [member(0, 1, fresh=[2, 3]), member()], "0123 /0123/01", id="who comes anew warms up before it gets any"
        ),
        pytest.param(
            [member(0, 1, 2, 3), member(fresh=[0, 1], copying=[0, 1, 2, 3])],
            "23/01 01/23", id="and gets them when the copies have caught up",
        ),
        pytest.param(
            [member(0, 1, 2, 3, opening=[1]), member()], "023/1 1/023/0", id="what waits for a restore moves"
        ),
        pytest.param([member(0, 1, 2, 3), member(fresh=None)], "23/01 01", id="who keeps no copies waits for none"),
        pytest.param(
            [member(0, 1, generation=3), member(0, 1, 2, 3, generation=2)], "01/23 23/01",
            id="who missed a generation has lost what it had",
        ),
    ],
)  # fmt: skip
def test_who_gets_what(members: list[Member], expected: str) -> None:
    partitions = 1 + max((number for one in members for number in (*one.own, *(one.fresh or ()))), default=3)
    assert write(share_out(dict(zip("abcdef", members, strict=False)), partitions, 1)) == expected


@pytest.mark.parametrize(
    ("disks", "standbys", "expected"),
    [("xx", 0, "23 01"), ("xy", 0, "0123 /01/01"), ("xx", 1, "0123 /0123/01")],
    ids=["the store is there", "it is elsewhere", "copies are kept"],
)
def test_who_is_on_the_same_disk_need_not_copy(disks: str, standbys: int, expected: str) -> None:
    members = {"a": member(0, 1, 2, 3, disk=disks[0]), "b": member(disk=disks[1])}
    assert write(share_out(members, 4, standbys)) == expected


def test_a_group_of_none_shares_out_nothing() -> None:
    assert share_out({}, 4, 1) == {}


numbers = st.frozensets(st.integers(0, 7))
groups = st.dictionaries(
    st.sampled_from("abcde"), st.builds(Member, numbers, st.none() | numbers, numbers, numbers, st.integers(0, 3)),
    min_size=1,
)  # fmt: skip


@given(groups, st.integers(0, 3))
def test_every_partition_has_one_owner_and_copies_elsewhere(members: Members, standbys: int) -> None:
    shares = share_out(members, 8, standbys)
    assert Counter(number for share in shares.values() for number in share.own) == dict.fromkeys(range(8), 1)
    keepers = {name for name, one in members.items() if one.fresh is not None}
    for number in range(8):
        (owner,) = (name for name, share in shares.items() if number in share.own)
        copies = {name for name, share in shares.items() if number in share.copies - share.warming}
        copying = {name for name, share in shares.items() if number in share.copies}
        assert owner not in copying
        assert copying <= keepers
        assert len(copies) <= standbys
        assert len(copying) >= min(standbys, len(keepers - {owner}))


@given(groups, st.integers(0, 3))
def test_what_somebody_works_on_moves_only_to_a_copy_that_has_caught_up(members: Members, standbys: int) -> None:
    shares = share_out(members, 8, standbys)
    for number in range(8):
        owners = {name for name, one in members.items() if number in one.own}
        working = all(number not in members[name].opening for name in owners)
        (owner,) = (name for name, share in shares.items() if number in share.own)
        fresh = members[owner].fresh
        assert not owners or owner in owners or not working or fresh is None or number in fresh


@given(groups, st.integers(0, 3))
def test_once_all_copies_have_caught_up_all_have_as_many_and_nothing_moves_any_more(
    members: Members, standbys: int
) -> None:
    for generation in range(4, 7):
        shares = share_out(members, 8, standbys)
        members = {
            name: Member(
                share.own,
                None if members[name].fresh is None else share.copies,
                share.copies,
                frozenset(),
                generation,
            )
            for name, share in shares.items()
        }
    sizes = [len(share.own) for share in shares.values()]
    assert max(sizes) - min(sizes) <= 1
    assert not any(share.warming for share in shares.values())
    assert share_out(members, 8, standbys) == shares


@pytest.mark.parametrize("count", [3, 4, 5])
def test_the_copies_of_one_owner_lie_with_all_others_so_that_none_takes_over_all(count: int) -> None:
    shares = share_out({str(number): member() for number in range(count)}, 8 * count, 1)
    for owner in shares.values():
        spread = [len(owner.own & share.copies) for share in shares.values() if share is not owner]
        assert max(spread) - min(spread) <= 3
        assert min(spread) > 0
