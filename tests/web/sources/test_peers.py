"""A worker that answers with anything at all, or never to an end, costs the one who asks its answer and no more."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.clock import steady
from streams.web.api.shapes import States
from streams.web.sources import peers as module
from streams.web.sources.peers import Peers
from tests.poison.mutants import Raw, mutate

STATES = {"items": [], "next": None, "workers": 1, "answered": 1, "partitions": 4, "open": 2}
GOOD = json.dumps(STATES).encode()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


BAD = {
    "nothing": b"",
    "no HTTP": b"\x00\xff\r\n\r\n",
    "half an answer": answer(GOOD)[:-5],
    "no JSON": answer(b"<html>"),
    "no UTF-8": answer(b'{"items": "\xff"}'),
    "nested beyond reason": answer(b"[" * 100_000),
    "a list": answer(b"[]"),
    "other fields": answer(b'{"items": 5}'),
    "rows of another shape": answer(json.dumps(STATES | {"items": [{"a": 1}]}).encode()),
    "numbers that are text": answer(json.dumps(STATES | {"open": "many"}).encode()),
    "a number of 5,000 digits": answer(GOOD.replace(b'"open": 2', b'"open": ' + b"9" * 5_000)),
    "an error": answer(b"{}", "500 Oops"),
    "a redirect": answer(b"", "302 Found", "location: http://127.0.0.1:1/"),
    "a bomb": answer(b"x" * 3_000_000),
    "no gzip": answer(GOOD, "200 OK", "content-encoding: gzip"),
    "an odd status": answer(GOOD, "999 ?"),
    "a header without end": b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000,
}


class Group:
    """This worker and some others, the first of which has partition 1."""

    address = "http://127.0.0.1:2"

    def __init__(self, *others: str) -> None:
        self._others = others

    def members(self) -> Mapping[str, frozenset[int]]:
        return {self.address: frozenset({0})} | dict.fromkeys(self._others, frozenset({1}))


@asynccontextmanager
async def worker(content: bytes, pause: float = 0.0) -> AsyncIterator[str]:
    """Serve these bytes, one by one if there is a pause between them, to whoever connects."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        for start in range(0, len(content), 1 if pause else len(content)):
            writer.write(content[start : start + 1] if pause else content)
            await asyncio.sleep(pause)
            if writer.is_closing():
                return
        writer.close()

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def request() -> Request:
    scope = {"type": "http", "method": "GET", "path": "/a", "raw_path": b"/a", "query_string": b"", "headers": []}
    return Request(scope)


@asynccontextmanager
async def asking(*others: str) -> AsyncIterator[Peers]:
    peers = Peers(Group(*others))
    yield peers
    await peers.close()


read: Callable[[bytes], States] = States.model_validate_json


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_an_answer_that_can_t_be_used_is_none_and_the_others_count(
    bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST", 1_000_000)
    async with (
        worker(bad) as first,
        worker(answer(GOOD)) as second,
        asking(first, second, "nonsense:", "") as peers,
    ):
        found, asked = await peers.ask_all(request(), read)
    assert ([part.open for part in found], asked) == ([2], 4)


async def test_two_hundred_mutated_answers_are_each_read_or_taken_for_none() -> None:
    chance = random.Random(11)
    bodies = [mutate(Raw(b"k", GOOD), chance).value or b"" for _ in range(200)]
    served = iter(answer(body) for body in bodies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(served))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address, read_ones = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 0
    async with worker(answer(GOOD)) as good, asking(address) as one_by_one:
        for _ in bodies:
            found, asked = await one_by_one.ask_all(request(), read)
            assert asked == 1
            read_ones += len(found)
        async with asking(good) as others:
            assert [part.open for part in (await others.ask_all(request(), read))[0]] == [2]
    server.close()
    assert 0 < read_ones < len(bodies)


async def test_an_answer_that_never_ends_is_given_up_after_five_seconds_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    async with worker(answer(b" " * 9_000), pause=0.01) as slow, asking(slow) as peers:
        started = steady()
        assert await peers.ask_all(request(), read) == ([], 1)
        with pytest.raises(HTTPException) as raised:
            await peers.ask_owner(request(), 1)
        assert raised.value.status_code == 503
        assert steady() - started < 30  # of more than 90


async def test_the_owner_s_answer_is_handed_on_as_it_is() -> None:
    async with (
        worker(answer(b'{"a":1}', "404 Not Found", "retry-after: 2", "x-own: 1")) as owner,
        asking(owner) as peers,
    ):
        found = await peers.ask_owner(request(), 1)
    assert (found.status_code, found.body, found.headers["retry-after"]) == (404, b'{"a":1}', "2")
    assert found.headers["content-type"] == "application/json"
    assert "x-own" not in found.headers


@pytest.mark.parametrize(
    "address", ["nonsense:", "", "http://", "http://[::1", "http://127.0.0.1:99999", "http://\x00"]
)
async def test_an_address_that_is_none_is_a_worker_that_does_not_answer(address: str) -> None:
    async with asking(address) as peers:
        with pytest.raises(HTTPException, match="is on a worker that does not answer"):
            await peers.ask_owner(request(), 1)
