"""JWTs of an identity provider: signature, issuer, audience, age, and the role and tenants that they name."""

from typing import Any

import jwt
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.errors import FairwayError
from streams.settings import Settings
from streams.web.access.credentials import read_secret, refusal
from streams.web.access.provider_keys import ProviderKeys, UnknownKeyError
from streams.web.access.visitor import ROLES, Visitor, make_visitor

_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "EdDSA"]


class JwtIdentity:
    """Knows the bearers of JWTs."""

    def __init__(self, settings: Settings) -> None:
        for name in ("oidc_issuer", "oidc_audience", "oidc_keys_url"):
            if not getattr(settings, name):
                raise FairwayError(f"FAIRWAY_ACCESS is 'oidc': set FAIRWAY_{name.upper()} too.")
        self._settings = settings
        self._keys = ProviderKeys(settings.oidc_keys_url)

    async def __call__(self, request: Request) -> Visitor:
        """Return who asks; raises HTTPException for a token that is not valid, or names no role."""
        token = read_secret(request)
        try:
            id_ = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(id_ if isinstance(id_, str) else "")
            claims = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=self._settings.oidc_audience,
                issuer=self._settings.oidc_issuer, options={"require": ["exp", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWTError, UnknownKeyError, RecursionError, ValueError):
            raise refusal() from None
        return _read_claims(claims)


def _read_claims(claims: dict[str, Any]) -> Visitor:
    """Return the visitor of a JWT: `fairway_role`, and `fairway_tenants`, a list of ids or "*"."""
    tenants, role = claims.get("fairway_tenants"), claims.get("fairway_role")
    if role not in ROLES or not (isinstance(tenants, list) and all(isinstance(name, str) for name in tenants)):
        raise HTTPException(
            403, "The token must name a fairway_role (read, write, admin) and fairway_tenants (a list)."
        )
    return make_visitor(str(claims["sub"]), role, tenants)
