"""Where a request's secret stands."""

import base64

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.web.access.credentials import read_secret


def request(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers})


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("authorization", "secret"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), (basic(b"anyone:abc"), "abc"), (basic(b":a:b"), "a:b")],
)
def test_a_secret_is_a_bearer_s_token_or_a_password(authorization: str, secret: str) -> None:
    assert read_secret(request(authorization)) == secret


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic ???", basic(b"\xff"), "Digest x"])
def test_without_one_a_browser_is_asked_for_it(authorization: str | None) -> None:
    with pytest.raises(HTTPException) as refused:
        read_secret(request(authorization))
    assert refused.value.status_code == 401
    assert refused.value.headers == {"www-authenticate": 'Basic realm="Fairway: the token is the password", Bearer'}
