"""Partitions share what a worker has room for."""

import pytest

from streams.kafka.fetch import share


@pytest.mark.parametrize(
    ("partitions", "each"),
    [
        pytest.param(1, 250, id="one gets a quarter, so that a fetch is not all of it"),
        pytest.param(4, 250, id="four the same"),
        pytest.param(10, 100, id="more share the whole"),
        pytest.param(64, 31, id="many get some at least"),
    ],
)
def test_each_partition_gets_its_share(partitions: int, each: int) -> None:
    assert share(1000, partitions) == each
