"""Who asks: nobody in particular (loopback only), the bearer of a token, or of a JWT of your identity provider.

Tokens are kept as SHA-256: they are 256 random bits, so there is nothing to guess and no need for a slow hash.
"""

import asyncio
import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

import jwt
from pydantic.alias_generators import to_camel
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.rows import TokenRow
from streams.errors import FairwayError
from streams.settings import Settings
from streams.web.access.visitor import ROLES, Visitor

Identify = Callable[[Request], Awaitable[Visitor]]
_KEYS_PATIENCE = 5.0  # seconds
_KEYS_EVERY = 5.0  # seconds between looks for a key that is not known: no flood of tokens floods the provider
_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "EdDSA"]


def make_identify(settings: Settings, engine: AsyncEngine) -> Identify:
    """Return what tells who asks; raises FairwayError for settings that would let anyone in from afar."""
    match settings.access:
        case "token":
            return _by_token(engine)
        case "oidc":
            return _by_jwt(settings)
        case "open":
            return _anyone
        case _:
            if not _is_loopback(settings.web_host):
                raise FairwayError(
                    f"FAIRWAY_WEB_HOST is '{settings.web_host}', which others can reach: set FAIRWAY_ACCESS to"
                    " token, oidc, or open if the network in front decides who may come."
                )
            return _by_own_name(settings.web_host)


async def _anyone(_: Request) -> Visitor:
    return Visitor()


def _by_own_name(host: str) -> Identify:
    """Let everyone in who reached the port by its own name: a name that was bent to it gets nothing."""

    async def identify(request: Request) -> Visitor:
        name = request.url.hostname or ""
        if not (_is_address(name) or name in ("localhost", host)):
            raise HTTPException(403, f"This worker is not known as '{name}'.")
        return Visitor()

    return identify


def _by_token(engine: AsyncEngine) -> Identify:
    async def identify(request: Request) -> Visitor:
        query = select(TokenRow).where(TokenRow.hash == hash_token(_read_secret(request)))
        async with engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise _unknown()
        return make_visitor(row["name"], row["role"], [row["tenant_id"]])

    return identify


def _by_jwt(settings: Settings) -> Identify:
    for name in ("oidc_issuer", "oidc_audience", "oidc_keys_url"):
        if not getattr(settings, name):
            raise FairwayError(f"FAIRWAY_ACCESS is 'oidc': set FAIRWAY_{name.upper()} too.")
    keys = jwt.PyJWKClient(settings.oidc_keys_url, timeout=_KEYS_PATIENCE, cooldown_duration=_KEYS_EVERY)
    thread = ThreadPoolExecutor(1, "keys")  # of its own: a provider that is slow must not hold up anything else

    async def identify(request: Request) -> Visitor:
        token = _read_secret(request)
        running = asyncio.get_running_loop()
        try:
            key = await running.run_in_executor(thread, keys.get_signing_key_from_jwt, token)
            claims = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=settings.oidc_audience, issuer=settings.oidc_issuer,
                options={"require": ["exp", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, json.JSONDecodeError):
            raise HTTPException(503, "The identity provider's keys can't be read for now.") from None
        except (jwt.PyJWTError, RecursionError):
            raise _unknown() from None
        return _read_claims(claims)

    return identify


def _read_claims(claims: dict[str, Any]) -> Visitor:
    """Return the visitor of a JWT: `fairway_role`, and `fairway_tenants`, a list of ids or "*"."""
    tenants, role = claims.get("fairway_tenants"), claims.get("fairway_role")
    if role not in ROLES or not (isinstance(tenants, list) and all(isinstance(name, str) for name in tenants)):
        raise HTTPException(
            403, "The token must name a fairway_role (read, write, admin) and fairway_tenants (a list)."
        )
    return make_visitor(str(claims["sub"]), role, tenants)


def make_visitor(name: str, role: str, tenants: list[str]) -> Visitor:
    """Return who has this role in these tenants; "*" stands for all of them."""
    seen = None if "*" in tenants else frozenset(tenants)
    return Visitor(name, seen, may_act=role != "read", role=role)


def _read_secret(request: Request) -> str:
    """Return the bearer's token; browsers may give it as the password of HTTP's own dialogue."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given:
        return given
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            raise _unknown() from None
    raise _unknown()


def _unknown() -> HTTPException:
    headers = {"www-authenticate": 'Basic realm="Fairway: the token is the password", Bearer'}
    return HTTPException(401, "A valid token is needed.", headers)


def hash_token(token: str) -> str:
    """Return what is kept of a token."""
    return sha256(token.encode()).hexdigest()


async def grant(connection: AsyncConnection, name: str, tenant_id: str, role: str, now: datetime) -> str:
    """Make a token for a tenant ("*": all) and return it; only its hash is kept, so it is shown this once."""
    token = secrets.token_urlsafe(32)
    row = {"hash": hash_token(token), "name": name, "tenant_id": tenant_id, "role": role, "created_at": now}
    await connection.execute(insert(TokenRow).values(**row))
    return token


async def list_tokens(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Return whose tokens there are, by name."""
    rows = (await connection.execute(select(TokenRow.__table__).order_by(TokenRow.name))).mappings()
    names = "name", "tenant_id", "role", "created_at"
    return [{to_camel(name): row[name] for name in names} for row in rows]


async def revoke(connection: AsyncConnection, name: str) -> bool:
    """Take somebody's token back; say whether there was one."""
    return bool((await connection.execute(delete(TokenRow).where(TokenRow.name == name))).rowcount)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False
