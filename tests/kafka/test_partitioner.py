"""A key's partition is the one that the Java client's default gives."""

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.partitioner import partition_of


@given(st.binary(max_size=64), st.integers(1, 64))
def test_a_key_s_partition_is_the_java_client_s(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


# As in the Java client's own tests.
GOLDEN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", GOLDEN)
def test_murmur2_is_the_java_client_s(key: bytes) -> None:
    assert partition_of(key, 2**31) == GOLDEN[key] & 0x7FFFFFFF
