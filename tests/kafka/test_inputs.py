"""What a partition of the state calls the partitions of topics that come to it, and back."""

from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.inputs import input_name, name_inputs, read_input

numbers = st.integers(0, 2**31 - 1)
topics = st.from_regex(r"[a-zA-Z0-9._-]{1,249}", fullmatch=True)


@given(topics, numbers, numbers)
def test_a_name_is_read_back(topic: str, number: int, partition: int) -> None:
    assert read_input(input_name(topic, number, partition), partition) == (topic, number)


def test_its_own_partition_is_called_by_the_topic_alone() -> None:
    assert name_inputs(["booked", "inbox"], [1, 5], 1) == ["booked", "booked:5", "inbox", "inbox:5"]
