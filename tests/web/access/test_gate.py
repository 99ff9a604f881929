"""The door: nothing from other sites, nothing read for strangers, no body without end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message

from streams.web.access import gate as door
from streams.web.access.gate import BODY_BYTES, IMPORT_BYTES, Gate
from streams.web.access.visitor import Visitor

URL = "http://worker:6066"
OWN = {"origin": URL}
FOREIGN = ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
           {"sec-fetch-site": "same-site", "origin": URL}, {"origin": "http://worker:6067"})  # fmt: skip


async def identify(request: Request) -> Visitor:
    if "authorization" not in request.headers:
        raise HTTPException(401, "A valid token is needed.")
    return Visitor("ann")


async def refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return PlainTextResponse(error.detail, error.status_code, error.headers)


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Say who asked, and how much came."""
    request = Request(scope, receive)
    try:
        text = f"{request.state.visitor.name} {len(await request.body())}"
        response: Response = PlainTextResponse(text)
    except HTTPException as error:
        response = await refuse(request, error)
    await response(scope, receive, send)


def make_gate(*, takes_forms: bool = False) -> Gate:
    imports = frozenset({"/import"})
    return Gate(answer, identify, refuse, imports, lambda path: path == "/open", takes_forms=takes_forms)


async def ask(method: str, path: str = "/", *, takes_forms: bool = False, **given: Any) -> httpx.Response:
    transport = httpx.ASGITransport(make_gate(takes_forms=takes_forms))
    async with httpx.AsyncClient(transport=transport, base_url=URL, auth=("", "token")) as client:
        return await client.request(method, path, **given)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("takes_forms", [False, True])
async def test_what_another_site_sends_is_refused(method: str, headers: dict[str, str], takes_forms: bool) -> None:
    refused = await ask(method, headers=headers, takes_forms=takes_forms)
    assert (refused.status_code, refused.text) == (403, "This was sent from another site.")


@pytest.mark.parametrize("headers", [{}, OWN, OWN | {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
async def test_what_our_own_pages_and_programs_send_comes_in(headers: dict[str, str]) -> None:
    assert (await ask("POST", json={}, headers=headers)).text == "ann 2"


async def test_another_site_may_link_here_but_not_listen() -> None:
    foreign = {"sec-fetch-site": "cross-site"}
    assert (await ask("GET", headers=foreign)).text == "ann 0"
    assert (await ask("GET", headers=foreign | {"accept": "text/event-stream"})).status_code == 403


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "Multipart/Form-Data; b=x", ""],
)
async def test_what_a_form_can_send_is_refused_where_no_forms_are_taken(kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    assert (await ask("POST", content=b"{}", headers=headers)).status_code == 415
    assert (await ask("POST", content=b"{}", headers=headers, takes_forms=True)).status_code == 200


async def test_without_a_body_there_is_no_kind_to_say() -> None:
    assert (await ask("POST")).text == "ann 0"
    assert (await ask("DELETE")).text == "ann 0"


@pytest.mark.parametrize(("path", "limit"), [("/", BODY_BYTES), ("/import", IMPORT_BYTES)])
async def test_a_body_has_a_limit_however_it_comes(path: str, limit: int) -> None:
    async def parts(size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, 65536):
            yield bytes(min(65536, size - start))

    kind = {"content-type": "application/json"}
    for size, code in ((limit, 200), (limit + 1, 413)):
        assert (await ask("POST", path, content=bytes(size), headers=kind)).status_code == code
        chunked = await ask("POST", path, content=parts(size), headers=kind)
        assert chunked.status_code == code
    assert chunked.text == f"The request's body may have {limit:,} bytes."
    assert (await ask("POST", path, headers=kind | {"content-length": "9" * 5000})).status_code == 413


async def test_of_a_stranger_s_request_nothing_is_read() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"100000000"), (b"host", b"worker")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    await make_gate()(scope, receive, send)
    assert sent[0]["status"] == 401
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_BODY_SECONDS", 0.05)
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"10"), (b"authorization", b"x")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    await make_gate()(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_who_leaves_in_the_middle_of_a_body_is_no_error() -> None:
    parts = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(parts)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"10"), (b"authorization", b"x")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    await make_gate()(scope, receive, send)
    assert sent == []


@pytest.mark.parametrize("address", ["/a%00b", "/?prefix=%00", "/?q=a%00"])
async def test_an_address_with_U_0000_is_refused(address: str) -> None:
    assert (await ask("GET", address)).status_code == 400


async def test_where_it_is_open_nobody_has_to_be_known() -> None:
    transport = httpx.ASGITransport(make_gate())
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        assert (await client.get("/open")).text == " 0"
        assert (await client.get("/")).status_code == 401


async def test_an_error_that_is_ours_is_not_hidden() -> None:
    async def broken(_: Request) -> Visitor:
        raise ZeroDivisionError

    gate = Gate(answer, broken, refuse, frozenset(), lambda _: False, takes_forms=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url=URL) as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/")
