"""Partitions are named by ranges."""

import pytest

from streams.health.wording import name_partitions


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ([3], "partition 3"), ([3, 2], "partitions 2, 3"), ([0, 1, 2, 3], "partitions 0\N{EN DASH}3"),
        ([9, 0, 1, 2, 5, 6], "partitions 0\N{EN DASH}2, 5, 6, 9"),
    ],
)  # fmt: skip
def test_neighbours_are_named_as_a_range(numbers: list[int], named: str) -> None:
    assert name_partitions(numbers) == named
