"""Fetches by sessions: the broker has in mind what was asked for, whatever was lost, forgotten or given up."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    FetchSessionIdNotFound,
    InvalidFetchSessionEpoch,
    KafkaConnectionError,
    UnknownError,
)
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.fetch_sessions import FetchSessions
from tests import client

PLACES = [("a", 0), ("a", 1), ("b", 0)]
Wanted = dict[tuple[str, int], int]


def make_request(wanted: Wanted) -> FetchRequest:
    topics: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for (topic, partition), offset in wanted.items():
        topics[topic].append((partition, offset, 1_000_000))
    return FetchRequest(50, 1, 1_000_000, 1, list(topics.items()))


class Answer:
    def __init__(self, session_id: int, error_code: int = 0) -> None:
        self.session_id = session_id
        self.error_code = error_code


class BrokerModel:
    """Keeps sessions as KIP-227 says."""

    def __init__(self) -> None:
        self.sessions: dict[int, tuple[int, Wanted]] = {}  # the epoch that comes next, and what is in mind
        self.made = 0
        self.in_mind: Wanted = {}
        self.fault = ""

    async def send(self, _: int, request: Any) -> Answer:
        """Answer, or do what the fault says."""
        fault, self.fault = self.fault, ""
        if fault == "lost on its way":
            raise KafkaConnectionError
        if fault == "forgets":
            self.sessions.clear()
        built = request.build(FetchRequest_v11)
        answer = self._answer(FetchRequest_v11.decode(built.encode()))
        if fault == "the answer is lost":
            raise KafkaConnectionError
        if fault == "given up":
            raise asyncio.CancelledError
        if fault == "keeps none":
            self.sessions.clear()
            return Answer(0)
        return answer

    def _answer(self, built: Any) -> Answer:
        number, epoch = built.session_id, built.session_epoch
        told = {(topic, one[0]): one[2] for topic, partitions in built.topics for one in partitions}
        if epoch == 0:
            self.made += 1
            number, before = self.made, {}
        elif number not in self.sessions:
            return Answer(0, FetchSessionIdNotFound.errno)
        else:
            expected, before = self.sessions[number]
            if epoch != expected:
                return Answer(0, InvalidFetchSessionEpoch.errno)
        gone = {(topic, partition) for topic, partitions in built.forgotten_topics_data for partition in partitions}
        self.in_mind = {place: at for place, at in (before | told).items() if place not in gone}
        self.sessions[number] = epoch + 1, self.in_mind
        return Answer(number)


FAULTS = ["", "lost on its way", "the answer is lost", "given up", "forgets", "keeps none"]


@given(st.lists(st.tuples(st.dictionaries(st.sampled_from(PLACES), st.integers(0, 3)), st.sampled_from(FAULTS))))
async def test_each_answer_is_for_what_was_asked_whatever_happened_before(steps: list[tuple[Wanted, str]]) -> None:
    broker, sessions = BrokerModel(), FetchSessions()
    for wanted, broker.fault in steps:
        try:
            await sessions.fetch(broker.send, 1, make_request(wanted))
        except (KafkaConnectionError, asyncio.CancelledError):
            continue
        assert broker.in_mind == wanted


async def test_another_error_is_raised_and_ends_the_session() -> None:
    broker, sessions = BrokerModel(), FetchSessions()
    await sessions.fetch(broker.send, 1, make_request({("a", 0): 1}))

    async def refuse(_: int, _request: Any) -> Answer:
        return Answer(0, UnknownError.errno)

    with pytest.raises(UnknownError):
        await sessions.fetch(refuse, 1, make_request({("a", 0): 1}))
    await sessions.fetch(broker.send, 1, make_request({("b", 0): 1}))
    assert (broker.in_mind, broker.made) == ({("b", 0): 1}, 2)


@pytest.mark.broker
async def test_a_broker_answers_with_what_is_new_and_with_all_once_it_has_forgotten(
    broker: str, prefix: str
) -> None:
    client.create_topics(broker, {prefix: 3})
    client.produce(broker, [client.Record(prefix, b"k", b"v", partition=n) for n in range(3)])
    kafka, sessions = AIOKafkaClient(bootstrap_servers=broker), FetchSessions()
    try:
        await kafka.bootstrap()
        await kafka.set_topics([prefix])
        (node,) = {kafka.cluster.leader_for_partition(TopicPartition(prefix, number)) for number in range(3)}

        async def answered(wanted: dict[int, int]) -> set[int]:
            request = make_request({(prefix, partition): at for partition, at in wanted.items()})
            answer = await sessions.fetch(kafka.send, node, request)
            return {one[0] for _, partitions in answer.topics for one in partitions}

        assert await answered({0: 0, 1: 0, 2: 0}) == {0, 1, 2}
        assert await answered({0: 1, 1: 1, 2: 0}) == {2}
        assert await answered({0: 1, 1: 1, 2: 1}) == set()
        assert await answered({1: 0}) == {1}
        sessions._sessions[node] = sessions._sessions[node]._replace(epoch=99)
        assert await answered({0: 0, 1: 1, 2: 1}) == {0, 1, 2}
        sessions._sessions[node] = sessions._sessions[node]._replace(id=1)
        assert await answered({0: 1, 1: 0, 2: 1}) == {0, 1, 2}
    finally:
        await kafka.close()
        client.delete_topics(broker, [prefix])
