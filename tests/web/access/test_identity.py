"""Who gets in where no token is asked for: on loopback, under the port's own name."""

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.errors import FairwayError
from streams.settings import Settings
from streams.web.access.identity import is_loopback, make_identify
from streams.web.access.visitor import Visitor


def settings(access: str, host: str = "127.0.0.1") -> Settings:
    return Settings(access=access, web_host=host)  # type: ignore[arg-type]


def request(host: str) -> Request:
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b"", "server": ("127.0.0.1", 1)}
    return Request(scope | {"headers": [(b"host", host.encode())]})


def test_without_access_control_only_loopback_is_listened_on() -> None:
    with pytest.raises(FairwayError) as caught:
        make_identify(settings("none", "0.0.0.0"), None)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "FAIRWAY_WEB_HOST is '0.0.0.0', which others can reach: set FAIRWAY_ACCESS to token, oidc, or open if the"
        " network in front decides who may come."
    )


@pytest.mark.parametrize("host", ["localhost", "localhost:6066", "127.0.0.1:6066", "[::1]:6066"])
async def test_on_loopback_everyone_gets_in_by_its_own_name(host: str) -> None:
    identify = make_identify(settings("none"), None)  # type: ignore[arg-type]
    assert await identify(request(host)) == Visitor()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:6066", "localhost.evil.example", ""])
async def test_on_loopback_a_name_that_was_bent_to_it_gets_nothing(host: str) -> None:
    identify = make_identify(settings("none"), None)  # type: ignore[arg-type]
    with pytest.raises(HTTPException) as refused:
        await identify(request(host) if host else request("a.b"))
    assert refused.value.status_code == 403


async def test_an_open_port_asks_nobody() -> None:
    identify = make_identify(settings("open", "0.0.0.0"), None)  # type: ignore[arg-type]
    assert await identify(request("anything.example")) == Visitor()


@pytest.mark.parametrize(
    ("host", "yes"), [("localhost", True), ("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)]
)
def test_loopback_is_told_from_what_others_reach(host: str, yes: bool) -> None:
    assert is_loopback(host) is yes
