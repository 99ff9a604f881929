"""Which partitions of a topic come to a partition of the state, and what they are called in its rows.

A topic that is read may have any number of partitions: partition q is read by partition q modulo N of the state, if
that has N. Its own are called by their topic alone, further ones `topic:q`; no topic's name has a colon.
"""

from collections.abc import Iterable

from streams.kafka.records import Destination


def input_name(topic: str, number: int, partition: int) -> str:
    """Return what a partition of the state calls this partition of a topic."""
    return topic if number == partition else f"{topic}:{number}"


def read_input(name: str, partition: int) -> Destination:
    """Return the topic and the partition of it that a partition of the state calls so."""
    topic, colon, number = name.partition(":")
    return topic, int(number) if colon else partition


def name_inputs(topics: Iterable[str], numbers: Iterable[int], partition: int) -> list[str]:
    """Return what a partition of the state calls these partitions of each topic."""
    own = list(numbers)
    return [input_name(topic, number, partition) for topic in topics for number in own]
