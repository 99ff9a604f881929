"""A worker's HTTP server lets nobody hold a connection on which no request is finished."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.worker import web_server
from streams.worker.web_server import make_server

HEAD = b"POST / HTTP/1.1\r\nhost: worker\r\ncontent-length: 4\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(web_server, "_HEADER_SECONDS", 0.1)
    server = make_server(echo)
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving


async def connect(port: int, *sent: bytes) -> Connection:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in sent:
        writer.write(part)
        await writer.drain()
    return reader, writer


async def read(reader: asyncio.StreamReader, until: bytes = b"\r\n\r\nbody") -> bytes:
    async with asyncio.timeout(10):
        return await reader.readuntil(until)


async def is_closed(connection: Connection) -> bool:
    reader, writer = connection
    async with asyncio.timeout(10):
        rest = await reader.read()
    writer.close()
    return rest == b""


@pytest.mark.parametrize("sent", [b"", b"POST", HEAD, HEAD + b"x: "])
async def test_headers_that_do_not_end_end_the_connection(port: int, sent: bytes) -> None:
    assert await is_closed(await connect(port, sent))


async def test_it_ends_at_once_and_wakes_seldom_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_TICK_SECONDS", 3600)
    server = make_server(echo)
    serving = asyncio.create_task(server.serve([socket.create_server(("127.0.0.1", 0))]))
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0)
        server.should_exit = True
        await serving


async def test_a_drop_now_and_then_does_not_keep_a_connection_open(port: int) -> None:
    reader, writer = await connect(port, HEAD)
    async with asyncio.timeout(10):
        while not reader.at_eof():
            writer.write(b"x: y\r\n")
            try:
                await writer.drain()
                await asyncio.wait_for(reader.read(1), 0.02)
            except TimeoutError:
                continue
            except ConnectionError:  # it was closed with something of ours unread
                break
    writer.close()


async def test_a_body_may_take_longer_than_headers(port: int) -> None:
    reader, writer = await connect(port, HEAD, b"\r\nbo")
    assert await is_closed(await connect(port))  # so long a time has passed
    writer.write(b"dy")
    assert (await read(reader)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_further_request_has_to_be_finished_as_well(port: int) -> None:
    connection = await connect(port, HEAD + b"\r\nbody")
    await read(connection[0])
    connection[1].write(HEAD)
    assert await is_closed(connection)


async def test_requests_that_come_together_are_answered(port: int) -> None:
    reader, writer = await connect(port, 2 * (HEAD + b"\r\nbody"))
    for _ in range(2):
        assert (await read(reader)).startswith(b"HTTP/1.1 200")
    writer.close()
