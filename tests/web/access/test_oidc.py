"""JWTs of an identity provider whose keys are served on loopback: who gets in, and who does not."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.errors import FairwayError
from streams.settings import Settings
from streams.web.access.identity import Identify, make_identify
from streams.web.access.visitor import Visitor
from tests.web.access.provider import CURVE, RSA, Provider

ISSUER, AUDIENCE = "https://id.example", "fairway"
CLAIMS = {
    "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "fairway_role": "write", "fairway_tenants": ["pinehurst"],
}  # fmt: skip


def settings(provider: Provider, **changes: str) -> Settings:
    given = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_keys_url": provider.url} | changes
    return Settings(access="oidc", **given)  # type: ignore[arg-type]


@pytest.fixture
def identify(provider: Provider) -> Identify:
    return make_identify(settings(provider), None)  # type: ignore[arg-type]


def sign(key: Any = RSA, kid: str | None = "rsa-1", algorithm: str = "RS256", **changes: Any) -> str:
    claims = CLAIMS | {"exp": datetime.now(UTC) + timedelta(minutes=5)} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers={"kid": kid} if kid else None)


async def ask(identify: Identify, token: str) -> Visitor | int:
    """Return who came in, or the status of the refusal."""
    header = (b"authorization", f"Bearer {token}".encode())
    try:
        return await identify(Request({"type": "http", "headers": [header]}))
    except HTTPException as refused:
        return refused.status_code


def forge(header: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), sign().split(".")[1].encode(), signature)
    first, last = (base64.urlsafe_b64encode(part).rstrip(b"=") for part in (parts[0], parts[2]))
    return b".".join((first, parts[1], last)).decode()


def sign_with_public_key() -> str:
    """Return a token whose secret, for HS256, is the public key that everybody knows."""
    shape = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    unsigned = forge({"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}).rpartition(".")[0]
    digest = hmac.digest(RSA.public_key().public_bytes(*shape), unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.mark.parametrize(("key", "kid", "algorithm"), [(RSA, "rsa-1", "RS256"), (CURVE, "ec-1", "ES256")])
async def test_who_has_a_token_of_the_provider_gets_in(
    identify: Identify, key: Any, kid: str, algorithm: str
) -> None:
    visitor = await ask(identify, sign(key, kid, algorithm))
    assert visitor == Visitor("ann", frozenset({"pinehurst"}), "write")


AGO = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2999, 1, 1, tzinfo=UTC)
BAD = {
    "another issuer": lambda: sign(iss="https://id.example.org"),
    "no issuer": lambda: sign(iss=None),
    "another audience": lambda: sign(aud="golf"),
    "no audience": lambda: sign(aud=None),
    "expired": lambda: sign(exp=AGO),
    "never expires": lambda: sign(exp=None),
    "not valid yet": lambda: sign(nbf=LATER),
    "nobody": lambda: sign(sub=None),
    "unknown key": lambda: sign(kid="rsa-9"),
    "no key named": lambda: sign(kid=None),
    "signed by another key": lambda: sign(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "another key's name": lambda: sign(kid="ec-1"),
    "alg none": lambda: forge({"alg": "none", "typ": "JWT", "kid": "rsa-1"}),
    "HS256 with the public key": sign_with_public_key,
    "no signature": lambda: sign().rpartition(".")[0] + ".",
    "no JWT": lambda: "nonsense",
    "deep": lambda: base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode() + ".e30.",
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
async def test_nobody_else_does(identify: Identify, make: Any) -> None:
    assert await ask(identify, make()) == 401


@pytest.mark.parametrize(
    "claims",
    [{"fairway_role": "owner"}, {"fairway_role": None}, {"fairway_tenants": "pinehurst"}, {"fairway_tenants": [1]}],
)
async def test_a_token_must_say_what_one_may(identify: Identify, claims: dict[str, Any]) -> None:
    assert await ask(identify, sign(**claims)) == 403


@pytest.mark.parametrize("name", ["oidc_issuer", "oidc_audience", "oidc_keys_url"])
def test_all_that_is_needed_must_be_set(provider: Provider, name: str) -> None:
    with pytest.raises(FairwayError) as caught:
        make_identify(settings(provider, **{name: ""}), None)  # type: ignore[arg-type]
    assert str(caught.value) == f"FAIRWAY_ACCESS is 'oidc': set FAIRWAY_{name.upper()} too."
