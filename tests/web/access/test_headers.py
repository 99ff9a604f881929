"""Every answer carries the headers of its path."""

import httpx
from starlette.responses import PlainTextResponse

from streams.web.access.headers import PRIVATE, FixedHeaders


async def test_headers_are_chosen_by_path_and_stand_over_the_application_s_own() -> None:
    own = PlainTextResponse("x", headers={"cache-control": "public", "etag": "1"})
    app = FixedHeaders(own, lambda path: PRIVATE if path == "/" else {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
        first, second = await client.get("/"), await client.get("/other")
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert (first.headers["etag"], second.headers["cache-control"]) == ("1", "public")
