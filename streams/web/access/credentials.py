"""The secret that a request brings: a bearer's token, or the password of HTTP's own dialogue."""

import base64

from starlette.exceptions import HTTPException
from starlette.requests import Request


def read_secret(request: Request) -> str:
    """Return the bearer's token; browsers may give it as a password. Raises HTTPException 401 without one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given:
        return given
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            raise refusal() from None
    raise refusal()


def refusal() -> HTTPException:
    """Return the answer for a request without a secret that is known."""
    headers = {"www-authenticate": 'Basic realm="Fairway: the token is the password", Bearer'}
    return HTTPException(401, "A valid token is needed.", headers)
