"""A worker listens where it is told, or at a free port beside it, and tells an address that others can reach."""

import asyncio
import socket
from contextlib import closing

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from streams.cancellation import end_tasks
from streams.settings import Settings
from streams.worker.address import WebPort, listen, tell_address


def test_a_port_that_another_worker_has_is_left_to_it() -> None:
    with closing(listen(Settings(web_port=0))) as first:
        taken = first.getsockname()[1]
        first.listen()
        with closing(listen(Settings(web_port=taken))) as second:
            assert second.getsockname()[1] not in (0, taken)


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
