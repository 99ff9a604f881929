"""Streams of live values: read once for all, so many at once, and over when their token is."""

import asyncio
from typing import Any

import msgspec
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.web.access.visitor import Visitor
from streams.web.pages import live
from streams.web.pages.live import Live, Readings, Values

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    monkeypatch.setattr(live, "_IDENTIFIED", 0.02)


class Doorman:
    """Knows one visitor, until told otherwise."""

    def __init__(self) -> None:
        self.answer: Visitor | Exception = Visitor("ann")

    async def __call__(self, _: Request) -> Visitor:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def request(visitor: Visitor, receive: Any, query: str = "") -> Request:
    scope = {
        "type": "http", "method": "GET", "path": "/live/numbers", "path_params": {"source": "numbers"},
        "query_string": query.encode(), "headers": [], "server": ("worker", 80), "client": ("10.0.0.1", 1),
        "state": {"visitor": visitor},
    }  # fmt: skip
    return Request(scope, receive)


class Listener:
    """One who listens until `leave`; `lines` is what they were sent."""

    def __init__(self, of: Live, visitor: Visitor | None = None) -> None:
        self.lines: list[str] = []
        self._of, self._visitor, self._left = of, visitor or Visitor("ann"), asyncio.Event()
        self._first = True
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        asked = request(self._visitor, self._receive)
        response = await self._of.stream(asked)
        await response(asked.scope, self._receive, self._send)

    async def _receive(self) -> Any:
        if self._first:
            self._first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.lines.append(message.get("body", b"").decode())

    async def leave(self) -> None:
        self._left.set()
        async with asyncio.timeout(PATIENCE):
            await self.task


async def until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.005)


async def test_a_stream_has_what_changed_and_nothing_else() -> None:
    count = 0

    async def numbers(_: Request) -> Values:
        nonlocal count
        count += 1
        return {"count": str(min(count, 3)), "same": "x"}

    listener = Listener(Live(Doorman(), numbers=numbers))
    await until(lambda: count > 6)
    await listener.leave()
    data = [msgspec.json.decode(line[6:]) for line in listener.lines if line.startswith("data: ")]
    assert data == [{"count": "1", "same": "x"}, {"count": "2"}, {"count": "3"}]


async def test_what_many_listen_to_is_read_once() -> None:
    count = open_ = most = 0

    async def numbers(_: Request) -> Values:
        nonlocal count, open_, most
        count, open_ = count + 1, open_ + 1
        most = max(most, open_)
        await asyncio.sleep(0.01)
        open_ -= 1
        return {"count": str(count)}

    readings, visitor = Readings(), Visitor("ann")
    asked = [request(visitor, None) for _ in range(50)]
    found = await asyncio.gather(*(readings.read(one, numbers) for one in asked))
    assert (count, {values["count"] for values in found}) == (1, {"1"})
    others = [request(visitor, None, f"journey={number}") for number in range(20)]
    await asyncio.gather(*(readings.read(one, numbers) for one in others))
    assert most == 2  # connections are left for pages


async def test_who_may_not_see_personal_fields_is_never_sent_what_another_may() -> None:
    async def numbers(asked: Request) -> Values:
        return {"place": "Ann" if asked.state.visitor.sees_personal else "•••"}

    readings = Readings()
    assert await readings.read(request(Visitor("ann"), None), numbers) == {"place": "Ann"}
    assert await readings.read(request(Visitor("bob", None, "read"), None), numbers) == {"place": "•••"}


async def test_a_visitor_and_a_worker_have_so_many_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_STREAMS", 4)
    monkeypatch.setattr(live, "_STREAMS_EACH", 2)

    async def numbers(_: Request) -> Values:
        return {}

    of = Live(Doorman(), numbers=numbers)

    async def code(visitor: Visitor) -> int:
        try:
            await of.stream(request(visitor, None))
        except HTTPException as refused:
            return refused.status_code
        return 200

    ann = [Listener(of), Listener(of)]
    await until(lambda: all(listener.lines for listener in ann))
    assert await code(Visitor("ann")) == 429
    bob = [Listener(of, Visitor("bob")), Listener(of, Visitor("bob"))]
    await until(lambda: all(listener.lines for listener in bob))
    assert await code(Visitor("carl")) == 503
    for listener in (*ann, *bob):
        listener.task.cancel() if listener in bob else await listener.leave()
    await asyncio.gather(*(listener.task for listener in bob), return_exceptions=True)
    assert await code(Visitor("ann")) == 200


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (HTTPException(401), True), (HTTPException(403), True), (Visitor("ann", frozenset({"golf"})), True),
        (HTTPException(503), False), (OSError(), False), (Visitor("ann"), False),
    ],
)  # fmt: skip
async def test_a_stream_ends_with_its_token_but_not_with_an_outage(answer: Any, ends: bool) -> None:
    doorman, count = Doorman(), 0

    async def numbers(_: Request) -> Values:
        nonlocal count
        count += 1
        return {}

    listener = Listener(Live(doorman, numbers=numbers))
    await until(lambda: count > 1)
    doorman.answer = answer
    if ends:
        await until(listener.task.done)
        await listener.task
    else:
        seen = count
        await until(lambda: count > seen + 3)
        await listener.leave()


async def test_there_is_no_stream_of_another_name() -> None:
    with pytest.raises(HTTPException) as refused:
        await Live(Doorman()).stream(request(Visitor(), None))
    assert refused.value.status_code == 404
