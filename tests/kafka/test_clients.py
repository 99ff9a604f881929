"""Patience with brokers, and what is said at its end."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
)

from streams.errors import FairwayError
from streams.kafka.clients import admin, deadline, explain, patiently, stop
from streams.settings import Settings

NOWHERE = "127.0.0.1:1"
SETTINGS = Settings(brokers=NOWHERE)


async def ask(*outcomes: Exception | str, patience: float = 30.0) -> tuple[str, int]:
    """Return the answer, and how often it was asked for."""
    asked = 0

    async def answer() -> str:
        nonlocal asked
        asked += 1
        outcome = outcomes[min(asked, len(outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return await patiently(answer, patience), asked


async def test_what_may_pass_by_itself_is_asked_for_again() -> None:
    assert await ask("at once") == ("at once", 1)
    assert await ask(NodeNotReadyError(), TimeoutError(), "in the end") == ("in the end", 3)


@pytest.mark.parametrize("error", [MessageSizeTooLargeError(), ValueError()])
async def test_what_will_not_pass_is_raised_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        await ask(error, "never")


async def test_patience_ends_with_the_last_error() -> None:
    with pytest.raises(NotLeaderForPartitionError):
        await ask(NodeNotReadyError(), NotLeaderForPartitionError(), patience=0.5)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KafkaConnectionError("Unable to bootstrap"),
         f"No Kafka broker answers at '{NOWHERE}': start one with 'fairway dev up', or set FAIRWAY_BROKERS."),
        (NodeNotReadyError("node 1"), f"Kafka at '{NOWHERE}' (FAIRWAY_BROKERS) gave no answer (NodeNotReady): "
         "see that enough of its brokers run."),
        (KafkaTimeoutError("x"), f"Kafka at '{NOWHERE}' (FAIRWAY_BROKERS) gave no answer (KafkaTimeout): "
         "see that enough of its brokers run."),
        (KafkaError("denied"), f"Kafka can't be used at '{NOWHERE}' (FAIRWAY_BROKERS): KafkaError: denied."),
    ],
)  # fmt: skip
async def test_an_error_of_kafka_s_is_told_in_a_sentence(error: KafkaError, sentence: str) -> None:
    assert str(await explain(SETTINGS, error)) == sentence


async def test_where_no_broker_answers_it_is_told_at_once() -> None:
    async with admin(SETTINGS) as asking:
        with pytest.raises(FairwayError, match=f"^No Kafka broker answers at '{NOWHERE}'"):
            await asking.ask(lambda client: client.describe_topics())


async def test_what_takes_too_long_is_an_error_of_kafka_s() -> None:
    with pytest.raises(KafkaTimeoutError, match=r"nothing for 0\.01 seconds"):
        async with deadline(0.01):
            await asyncio.Event().wait()


class Connections:
    """What a consumer connects by."""

    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


class AwayConsumer(AIOKafkaConsumer):
    """A consumer whose broker is away: ending it raises the cancellation of a fetch of its own."""

    def __init__(self) -> None:
        self._client = Connections()

    async def stop(self) -> None:
        fetching = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(0)
        fetching.cancel()
        await fetching


async def test_a_consumer_whose_broker_is_away_is_ended_without_an_error_and_lets_go_of_all() -> None:
    consumer = AwayConsumer()
    await stop(consumer)
    assert consumer._client.is_closed


async def test_who_is_cancelled_while_a_consumer_ends_stays_cancelled() -> None:
    consumer = AwayConsumer()
    ending = asyncio.create_task(stop(consumer))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert consumer._client.is_closed
