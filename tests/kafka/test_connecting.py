"""A broker that takes connections and hangs is left soon, by every client; one that is well is not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason, create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.kafka import connecting
from streams.kafka.connection import client_arguments
from streams.settings import Settings

pytestmark = pytest.mark.timeout(30)

_NEVER_MS = 600_000
_API_VERSIONS = 18
_SPEAKS = {1: 4, 3: 0, 10: 0, _API_VERSIONS: 0}  # up to which version, by the request's number


class Broker:
    """It answers only what it speaks, so often, and then when it is told to."""

    def __init__(self, answers: int) -> None:
        self.port = 0
        self.wakes = asyncio.Event()
        self.talks: list[asyncio.Task[None] | None] = []
        self._answers = answers

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                size = int.from_bytes(await reader.readexactly(4), "big")
                request = await reader.readexactly(size)
                if int.from_bytes(request[:2], "big") == _API_VERSIONS:
                    await self._answer(request[4:8], writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, number: bytes, writer: asyncio.StreamWriter) -> None:
        if self._answers == 0:
            await self.wakes.wait()
        else:
            self._answers -= 1
        spoken = b"".join(bytes((0, key, 0, 0, 0, most)) for key, most in _SPEAKS.items())
        answer = number + bytes((0, 0, 0, 0, 0, len(_SPEAKS))) + spoken
        writer.write(len(answer).to_bytes(4, "big") + answer)


@asynccontextmanager
async def listening(answers: int) -> AsyncIterator[Broker]:
    broker = Broker(answers)
    server = await asyncio.start_server(broker.talk, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    async with server:
        yield broker
        broker.wakes.set()
        await asyncio.gather(*filter(None, broker.talks))


async def connect(broker: Broker, patience_ms: float = _NEVER_MS) -> AIOKafkaConnection:
    """Connect as a client does, which is told when the connection is closed."""

    def note(_connection: AIOKafkaConnection, _reason: CloseReason) -> None:
        pass

    return await create_conn("127.0.0.1", broker.port, request_timeout_ms=patience_ms, on_close=note)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "SECONDS", 0.05)
    monkeypatch.setattr(connecting, "SHORTLY", 0.01)
    monkeypatch.setattr(connecting, "_silent", {})


async def test_a_broker_that_says_nothing_is_no_connection() -> None:
    async with listening(0) as broker:
        with pytest.raises(TimeoutError):
            await connect(broker)


async def test_a_client_goes_on_to_the_next_broker() -> None:
    async with listening(0) as one, listening(0) as other:
        settings = Settings(brokers=f"127.0.0.1:{one.port},127.0.0.1:{other.port}")
        client = AIOKafkaClient(**client_arguments(settings), request_timeout_ms=_NEVER_MS)
        with pytest.raises(KafkaConnectionError, match="Unable to bootstrap"):
            await client.bootstrap()


async def test_a_broker_that_was_silent_is_left_alone_for_a_while_and_asked_shortly_by_who_knows_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening(0) as broker:
        with pytest.raises(TimeoutError, match=r"^$"):
            await connect(broker)
        monkeypatch.setattr(connecting, "SECONDS", 600.0)
        until = connecting._silent["127.0.0.1", broker.port] = connecting.steady() + 600.0
        with pytest.raises(TimeoutError, match=r"^$"):
            await create_conn("127.0.0.1", broker.port, request_timeout_ms=_NEVER_MS)
        assert connecting._silent == {("127.0.0.1", broker.port): until}
        broker.wakes.set()
        monkeypatch.setattr(connecting, "SHORTLY", 600.0)
        with pytest.raises(TimeoutError, match="was silent a moment ago"):
            await connect(broker)
        first = await create_conn("127.0.0.1", broker.port, request_timeout_ms=_NEVER_MS)
        assert connecting._silent == {}
        lasting = await connect(broker)
        first.close()
        lasting.close()


QUESTIONS = pytest.mark.parametrize(
    "request_",
    [MetadataRequest([]), FindCoordinatorRequest("group", 0), FetchRequest(0, 0, 1, 0, [])],
    ids=["metadata", "coordinator", "fetch"],
)


@QUESTIONS
async def test_who_is_silent_on_one_connection_is_left_on_all(request_: Any) -> None:
    async with listening(2) as broker:
        one, other = await connect(broker, 1000 * connecting.SECONDS), await connect(broker)
        pending = asyncio.create_task(other.send(ApiVersionRequest()))
        with pytest.raises(TimeoutError):
            await one.send(request_)
        with pytest.raises(KafkaConnectionError):
            await pending
        assert not one.connected()
        assert not other.connected()


@QUESTIONS
async def test_who_answers_on_another_connection_is_not_left(request_: Any) -> None:
    async with listening(10**9) as broker:
        one, other = await connect(broker, 1000 * connecting.SECONDS), await connect(broker)
        question = asyncio.create_task(one.send(request_))
        while not question.done():
            await other.send(ApiVersionRequest())
        with pytest.raises(TimeoutError):
            await question
        assert other.connected()
        assert connecting._silent == {}
        one.close()
        other.close()


async def test_nobody_is_left_because_this_process_stood_still(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(1) as broker:
        connection = await connect(broker)
        question = asyncio.create_task(connection.send(MetadataRequest([])))
        await asyncio.sleep(0)
        monkeypatch.setattr(connecting, "_LATE", 0.02)
        time.sleep(2 * connecting.SECONDS)  # it is the loop that is to stand still
        with pytest.raises(TimeoutError):
            await question
        assert connection.connected()
        connection.close()


async def test_all_else_and_what_is_behind_it_is_waited_for_as_long_as_it_may_take() -> None:
    async with listening(1) as broker:
        connection = await connect(broker)
        slow = asyncio.create_task(connection.send(ApiVersionRequest()))
        behind = asyncio.create_task(connection.send(MetadataRequest([])))
        await asyncio.wait([slow, behind], timeout=2 * connecting.SECONDS)
        broker.wakes.set()
        assert (await slow).error_code == 0
        connection.close()
        with pytest.raises(KafkaConnectionError):
            await behind
