"""The public keys of an identity provider, asked for apart: nobody whose key is known waits for the provider."""

import asyncio
import json
from contextlib import suppress

import httpx
import jwt
from starlette.exceptions import HTTPException

from streams.clock import steady

_PATIENCE = 5.0  # seconds for one look
_FRESH = 300.0  # seconds, after which keys are looked for anew, in the background
_USABLE = 3_600.0  # seconds that they hold while the provider does not answer
_PAUSE = 5.0  # seconds between looks for a key that is not known: no flood of tokens floods the provider
_LARGEST = 1024 * 1024  # bytes of an answer


class UnknownKeyError(Exception):
    """The provider has no key of this id."""


class ProviderKeys:
    """Keys by their id, as the provider told them last."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._at = -_USABLE
        self._looking: asyncio.Task[None] | None = None

    async def find(self, id_: str) -> jwt.PyJWK:
        """Return a key; raises UnknownKeyError, or HTTPException 503 while the provider gives none."""
        age = steady() - self._at
        key = self._keys.get(id_) if age < _USABLE else None
        if key is not None:
            if age >= _FRESH:
                self._look()
            return key
        if age < _PAUSE:  # it was asked a moment ago
            raise UnknownKeyError
        try:
            await asyncio.shield(self._look())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, jwt.PyJWKSetError, ValueError):
            raise HTTPException(503, "The identity provider's keys can't be read for now.") from None
        if id_ not in self._keys:
            raise UnknownKeyError
        return self._keys[id_]

    def _look(self) -> "asyncio.Task[None]":
        """Return the look for keys that is under way, or begin one."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._read())
            self._looking.add_done_callback(_forget_error)
        return self._looking

    async def _read(self) -> None:
        async with (
            asyncio.timeout(_PATIENCE),
            httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client,
            client.stream("GET", self._url) as answer,
        ):
            answer.raise_for_status()
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _LARGEST:
                    raise ValueError("The identity provider's answer is too large.")
        given = json.loads(body)
        keys = jwt.PyJWKSet.from_dict(given if isinstance(given, dict) else {})
        self._keys = {key.key_id: key for key in keys.keys if key.key_id and key.public_key_use in ("sig", None)}
        self._at = steady()


def _forget_error(look: "asyncio.Task[None]") -> None:
    """Take a look's error that nobody waited for; those who did have raised it."""
    with suppress(asyncio.CancelledError):
        look.exception()
