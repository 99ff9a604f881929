"""API and pages by one port."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from streams.web.app import Views


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/", "pages"), ("/journeys", "pages"), ("/api", "pages"), ("/apis/x", "pages"),
        ("/api/v1/journeys", "api"), ("/api/v2", "api"), ("/openapi.json", "api"),
    ],
)  # fmt: skip
async def test_a_request_goes_where_its_path_belongs(path: str, where: str) -> None:
    views = Views(PlainTextResponse("api"), PlainTextResponse("pages"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(views), base_url="http://a") as client:
        assert (await client.get(path)).text == where
