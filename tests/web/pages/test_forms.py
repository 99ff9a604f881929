"""Forms act for our own pages and for those who may act, and what was done is said once."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.web.access.visitor import Visitor
from streams.web.pages.forms import acting, done, form_token, keep_cookies, notice_of


async def ask(request: Request) -> Response:
    response = PlainTextResponse(" ".join(notice_of(request)).strip())
    keep_cookies(request, response, form_token(request))
    return response


async def act(_: Request) -> Response:
    return done("/", "Done: é.", id="x")


class Enter:
    def __init__(self, app: ASGIApp, visitor: Visitor) -> None:
        self._app, self._visitor = app, visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["visitor"] = self._visitor
        await self._app(scope, receive, send)


async def refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail, error.status_code)


@pytest.fixture(params=["write", "read"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=[Route("/", ask), Route("/", acting(act), methods=["POST"])],
        middleware=[Middleware(Enter, visitor=Visitor("ann", None, request.param))],
        exception_handlers={HTTPException: refuse},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://worker") as client:
        yield client


@pytest.mark.parametrize("client", ["write"], indirect=True)
async def test_a_form_of_ours_acts_and_its_notice_is_said_once(client: httpx.AsyncClient) -> None:
    await client.get("/")
    answer = await client.post("/", data={"token": client.cookies["fairway-form"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?id=x")
    assert (await client.get("/")).text == "good Done: é."
    assert (await client.get("/")).text == ""


async def test_a_notice_that_is_none_of_ours_is_not_said(client: httpx.AsyncClient) -> None:
    for cookie in ("boom", "evil%3Aboom", "%ff"):
        assert (await client.get("/", headers={"cookie": f"fairway-done={cookie}"})).text == ""


@pytest.mark.parametrize("client", ["write"], indirect=True)
async def test_a_form_without_the_browser_s_token_does_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.post("/", data={"token": ""})).status_code == 403
    await client.get("/")
    for token in ("", "guessed"):
        answer = await client.post("/", data={"token": token})
        assert answer.text == "This form is too old, or cookies are off; open its page again and repeat."


@pytest.mark.parametrize("client", ["read"], indirect=True)
async def test_who_may_only_look_may_not_act(client: httpx.AsyncClient) -> None:
    await client.get("/")
    answer = await client.post("/", data={"token": client.cookies["fairway-form"]})
    assert (answer.status_code, answer.text) == (403, "You may look but not act; ask for a role that may.")
