"""Tokens for SASL/OAUTHBEARER: asked for once for all clients, and again well before they expire."""

import asyncio
import re
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from streams.clock import steady, timestamp
from streams.errors import FairwayError
from streams.kafka.certificates import make_trust
from streams.settings import Settings

if TYPE_CHECKING:
    import httpx

_PATIENCE = 10.0  # seconds for the server that gives tokens
_RENEWED_AFTER = 0.8  # of a token's life
_LIFETIME = 300.0  # seconds, of a token whose server does not say
_HOST_OF_MSK = re.compile(r"\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?:")


class TokenError(KafkaError):  # type: ignore[misc]
    """There is no token: a sentence that says why. To be asked for again, for the server may be away."""

    retriable = True


class Token(NamedTuple):
    """A token, and for how many seconds it is valid."""

    text: str
    seconds: float

    def __repr__(self) -> str:
        return f"Token(seconds={self.seconds})"


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """Hands out a token until most of its life is over, then gets another; on whichever event loop it is asked."""

    def __init__(self, fetch: Callable[[], Token], extensions: dict[str, str] | None = None) -> None:
        self._fetch = fetch
        self._extensions = extensions or {}
        self._lock = threading.Lock()
        self._token = Token("", 0)
        self._renew_at = self._ends_at = 0.0  # on the steady clock

    async def token(self) -> str:
        """Return a token that is valid for a while; raises TokenError."""
        if steady() < self._renew_at:
            return self._token.text
        return await asyncio.to_thread(self._renew)

    def extensions(self) -> dict[str, str]:
        """Return what goes to the broker beside the token."""
        return self._extensions

    def _renew(self) -> str:
        with self._lock:
            if steady() >= self._renew_at:  # else another client was quicker
                self._take()
            return self._token.text

    def _take(self) -> None:
        try:
            token = self._fetch()
        except TokenError:
            if steady() < self._ends_at:
                return  # the old one is still good
            raise
        self._token, at = token, steady()
        self._renew_at, self._ends_at = at + token.seconds * _RENEWED_AFTER, at + token.seconds


class _Authenticator(conn.OAuthAuthenticator):  # type: ignore[misc]
    """Takes a broker's refusal of a token for what it is; aiokafka goes on as if the token had been accepted."""

    async def step(self, payload: bytes | None) -> Any:
        if payload:
            raise SaslAuthenticationFailed(payload.decode(errors="replace"))
        return await super().step(payload)


def install() -> None:
    """Let every client of this process learn of refusals so."""
    conn.OAuthAuthenticator = _Authenticator


def make_token_provider(settings: Settings) -> TokenProvider:
    """Return what gives tokens by the settings' mechanism; raises FairwayError where that is not installed."""
    if settings.kafka_sasl_mechanism == "AWS_MSK_IAM":
        return TokenProvider(_make_signer(settings))
    extensions = dict(pair.split("=") for pair in filter(None, settings.kafka_oauth_extensions.split(",")))
    trust = make_trust(settings, ssl.create_default_context())
    return TokenProvider(lambda: fetch_by_credentials(settings, trust), extensions)


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = _LIFETIME


def fetch_by_credentials(settings: Settings, trust: ssl.SSLContext) -> Token:
    """Return a token by OAuth's client credentials grant (RFC 6749, 4.4); raises TokenError."""
    import httpx  # takes its time, and most clients need no token

    url, form = settings.kafka_oauth_token_url, {"grant_type": "client_credentials"}
    if settings.kafka_oauth_scope:
        form["scope"] = settings.kafka_oauth_scope
    user = (settings.kafka_oauth_client_id, settings.kafka_oauth_client_secret.get_secret_value())
    try:
        answer = httpx.post(url, data=form, auth=user, verify=trust, timeout=_PATIENCE)
    except httpx.HTTPError as error:
        raise TokenError(f"'{url}' (FAIRWAY_KAFKA_OAUTH_TOKEN_URL) gives no token: {error}.") from None
    if answer.status_code in (400, 401, 403):
        raise TokenError(
            f"'{url}' refuses a token ({answer.status_code}{_name_error(answer)}): "
            "see FAIRWAY_KAFKA_OAUTH_CLIENT_ID, FAIRWAY_KAFKA_OAUTH_CLIENT_SECRET and FAIRWAY_KAFKA_OAUTH_SCOPE."
        )
    try:
        found = msgspec.json.decode(answer.content, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise TokenError(
            f"'{url}' (FAIRWAY_KAFKA_OAUTH_TOKEN_URL) answers {answer.status_code}, and without a token."
        ) from None
    return Token(found.access_token, found.expires_in)


class _Refusal(msgspec.Struct):
    error: str


def _name_error(answer: "httpx.Response") -> str:
    try:
        return f", {msgspec.json.decode(answer.content, type=_Refusal).error[:80]}"
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def _make_signer(settings: Settings) -> Callable[[], Token]:
    """Return what signs tokens of AWS by the credentials that AWS's own library finds."""
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    except ImportError:
        raise FairwayError(
            "FAIRWAY_KAFKA_SASL_MECHANISM is AWS_MSK_IAM, which needs more: pip install 'fairway-journeys[msk]'."
        ) from None
    region = find_region(settings)

    def sign() -> Token:
        try:
            text, ends_at = MSKAuthTokenProvider.generate_auth_token(region)
        except Exception as error:  # whatever AWS's library raises where there are no credentials, or they expired
            name = type(error).__name__
            raise TokenError(
                f"There are no credentials of AWS to sign a token for Amazon MSK with ({name})."
            ) from None
        return Token(text, ends_at / 1000 - timestamp())

    return sign


def find_region(settings: Settings) -> str:
    """Return the region of Amazon MSK: as it is set, or as the brokers' names tell; raises FairwayError."""
    named: Any = _HOST_OF_MSK.search(settings.brokers)
    region = settings.kafka_aws_region or (named and named[1])
    if not region:
        raise FairwayError(
            "FAIRWAY_KAFKA_SASL_MECHANISM is AWS_MSK_IAM, and FAIRWAY_BROKERS does not tell the region: "
            "set FAIRWAY_KAFKA_AWS_REGION, as to eu-west-1."
        )
    return str(region)
