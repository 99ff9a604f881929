"""A worker listens where it is told, or at a free port beside it, and tells an address that others can reach."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from streams.cancellation import end_tasks
from streams.errors import FairwayError
from streams.settings import Settings
from streams.worker.address import WebPort, listen, tell_address


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another worker has just taken, and does not serve yet."""
    with closing(listen(Settings(web_port=0))) as listening:
        yield listening.getsockname()[1]


def test_the_default_port_is_left_to_who_has_it_for_a_free_one(taken: int) -> None:
    by_default = Settings.model_construct(_fields_set=set(), **Settings().model_dump() | {"web_port": taken})
    with closing(listen(by_default)) as listening:
        assert listening.getsockname()[1] not in (0, taken)


def test_a_port_that_was_asked_for_and_is_taken_is_refused_with_a_sentence(taken: int) -> None:
    sentence = f"Port {taken} of '127.0.0.1' is taken by another program: name another one with --web-port or"
    with pytest.raises(FairwayError, match=sentence):
        listen(Settings(web_port=taken))


def test_a_host_that_is_not_ours_is_refused_with_a_sentence() -> None:
    with pytest.raises(FairwayError, match=r"can't be served at '192\.0\.2\.1', port 0 \(FAIRWAY_WEB_HOST"):
        listen(Settings(web_host="192.0.2.1", web_port=0))


@pytest.mark.parametrize(
    ("host", "name", "told"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("0.0.0.0", "", socket.gethostname()),
        ("0.0.0.0", "worker-1.golf", "worker-1.golf"),
        ("127.0.0.1", "fd00::7", "[fd00::7]"),
    ],
)
def test_the_address_that_is_told_is_one_that_can_be_reached(host: str, name: str, told: str) -> None:
    settings = Settings(web_host=host, web_name=name, web_port=0)
    with closing(listen(settings)) as listening:
        assert tell_address(settings, listening) == f"http://{told}:{listening.getsockname()[1]}"


async def test_it_serves_at_the_address_that_it_tells_until_it_is_cancelled() -> None:
    async def greet(_request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    port = WebPort(Settings(web_port=0))
    serving = asyncio.create_task(port.serve(Starlette(routes=[Route("/", greet)])))
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=port.address, trust_env=False) as client:
        while await ask(client) is None:
            await asyncio.sleep(0.01)
        assert await ask(client) == "hello"
        await end_tasks(serving)
        assert await ask(client) is None


async def ask(client: httpx.AsyncClient) -> str | None:
    """Return what is served; None if nothing is."""
    try:
        return (await client.get("/")).text
    except httpx.ConnectError:
        return None
