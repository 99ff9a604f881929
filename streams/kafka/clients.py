"""Kafka clients that are closed whatever happens, and patience with brokers that are starting, stopping or away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    InvalidMessageError,
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
)
from aiokafka.protocol.admin import ApiVersionRequest
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential

from streams.cancellation import is_asked_to_end
from streams.errors import FairwayError
from streams.kafka.connection import client_arguments
from streams.kafka.faults import describe_denial, find_fault
from streams.settings import Settings

PATIENCE = 30.0  # seconds; a cluster gives up a broker, and moves what it led, in ten
_REQUEST_TIMEOUT_MS = 10_000
_CLOSE_SECONDS = 5.0
_LOOK_SECONDS = 1.0  # after which a consumer looks what to fetch, if nothing has told it to
_REFUSALS = (
    InvalidMessageError, InvalidTimestampError, MessageSizeTooLargeError, PolicyViolationError,
    RecordListTooLargeError,
)  # fmt: skip


class _Client(Protocol):
    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Let go of the connections."""


Client = TypeVar("Client", bound=_Client)
Answer = TypeVar("Answer")


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Lend a client that is connected; raises KafkaError if the broker can't be reached."""
    try:
        await client.start()
        yield client
    finally:
        await stop(client)


async def stop(client: _Client) -> None:
    """Let go of a client's connections, also while its broker is away.

    aiokafka's consumer raises the cancellation of its own fetches then, and leaves its connections open.
    """
    try:
        await client.stop()
    except asyncio.CancelledError:
        if isinstance(client, AIOKafkaConsumer):
            await client._client.close()
        if is_asked_to_end():
            raise


def look_seldom(consumer: AIOKafkaConsumer) -> None:
    """Let a started consumer that has nothing to do wake each second, not five times; it is told what happens."""
    consumer._fetcher._fetcher_timeout = _LOOK_SECONDS


@asynccontextmanager
async def producing(producer: AIOKafkaProducer) -> AsyncIterator[AIOKafkaProducer]:
    """Lend a producer that is connected; raises KafkaError if that takes half a minute.

    aiokafka's producers try for ever to connect, to send and, when they are closed, to send what is left.
    """
    try:
        async with deadline():
            await producer.start()
        yield producer
    finally:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await producer.stop()
        except TimeoutError:
            await producer._sender.close()
            await producer.client.close()


@asynccontextmanager
async def deadline(seconds: float = PATIENCE) -> AsyncIterator[None]:
    """Raise KafkaTimeoutError where what is awaited within takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise KafkaTimeoutError(f"nothing for {seconds:g} seconds") from None


class Admin:
    """Asks whichever broker answers: aiokafka's admin client asks one by chance, also one that is down."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaAdminClient | None = None

    async def ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[Answer]]) -> Answer:
        """Return the answer, asked for again by a new client for 30 seconds; raises FairwayError."""

        async def attempt() -> Answer:
            try:
                return await question(self._client or await self._connect())
            except (KafkaError, TimeoutError):
                await self.close()  # what it knows of the cluster may be old
                raise

        try:
            return await patiently(attempt)
        except (KafkaError, TimeoutError) as error:
            raise await explain(self._settings, error) from None

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connect(self) -> AIOKafkaAdminClient:
        self._client = AIOKafkaAdminClient(
            **client_arguments(self._settings), request_timeout_ms=_REQUEST_TIMEOUT_MS
        )
        try:
            await self._client.start()
        except KafkaConnectionError:
            raise await find_fault(self._settings) from None
        return self._client


async def ask_offer(client: AIOKafkaAdminClient) -> dict[int, tuple[int, int]]:
    """Return the lowest and highest version of each request that a broker takes, by the request's number."""
    answer = await client._send_request(ApiVersionRequest())
    return {key: (least, most) for key, least, most, *_ in answer.api_versions}


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[Admin]:
    """Lend the means to ask and change what the cluster is like; connects at the first question."""
    found = Admin(settings)
    try:
        yield found
    finally:
        await found.close()


async def patiently(ask: Callable[[], Awaitable[Answer]], patience: float = PATIENCE) -> Answer:
    """Return the answer, asked for again where the fault may pass by itself; raises the last KafkaError."""

    async def attempt() -> Answer:  # tenacity awaits what is called only if that is a coroutine function
        return await ask()

    attempts = AsyncRetrying(
        retry=retry_if_exception(_may_pass), stop=stop_after_delay(patience),
        wait=wait_exponential(0.1, max=1), reraise=True,
    )  # fmt: skip
    return await attempts(attempt)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, TimeoutError | KafkaTimeoutError) or bool(getattr(error, "retriable", False))


def is_refusal(error: BaseException) -> bool:
    """Say whether it is the record that Kafka does not want, so that another may well be sent."""
    return isinstance(error, _REFUSALS)


async def explain(settings: Settings, error: KafkaError | TimeoutError) -> FairwayError:
    """Return a sentence that says what is wrong with Kafka, and where."""
    if denial := describe_denial(error):
        return FairwayError(denial)
    if isinstance(error, KafkaConnectionError):
        return await find_fault(settings)
    if _may_pass(error):
        name = type(error).__name__.removesuffix("Error")
        return FairwayError(
            f"Kafka at '{settings.brokers}' (FAIRWAY_BROKERS) gave no answer ({name}): "
            "see that enough of its brokers run."
        )
    return FairwayError(f"Kafka can't be used at '{settings.brokers}' (FAIRWAY_BROKERS): {error}.")


def missing_topic(name: str) -> FairwayError:
    """Return a sentence that says what to do where a topic does not exist."""
    return FairwayError(f"The topic '{name}' is missing: name it in topics.yaml, and run 'fairway topics apply'.")
