"""The other workers: a question about a partition goes to the one that has it, as its asker put it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_PATIENCE = 5.0  # seconds, for all of an answer
_LARGEST = 32 * 1024 * 1024  # bytes of an answer, as it is when it is unpacked
_FAULTS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ExceptionGroup)  # the last for a port that is none
_ASKED_BY = "fairway-asked-by"
_FOUND = 200

Answer = TypeVar("Answer")


class _State(msgspec.Struct, frozen=True):
    """The answer about a customer's row, as far as it is read here."""

    state: dict[str, Any] | None


class Group(Protocol):
    """The workers of the group, as one of them knows them."""

    @property
    def address(self) -> str:
        """Return this worker's own web address."""

    def members(self) -> Mapping[str, frozenset[int]]:
        """Return the partitions of the table by the web address of the worker that has them."""


class Peers:
    """Asks other workers with the asker's own token: each of them decides itself who may see what."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._client = httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    async def ask_owner(self, request: Request, partition: int, path: str | None = None) -> Response:
        """Return the answer of the worker that has a partition; raises HTTPException 503 if there is none.

        It is asked for what the request asks for, unless a path is given.
        """
        members = self._group.members()
        address = next((each for each, partitions in members.items() if partition in partitions), None)
        if address in (None, self._group.address) or is_passed_on(request):
            raise _closed(partition, "is not open yet")
        try:
            answer = await self._ask(str(address), request, path)
        except _FAULTS:
            raise _closed(partition, f"is on a worker that does not answer at '{address}'") from None
        headers = {name: answer.headers[name] for name in ("retry-after",) if name in answer.headers}
        return Response(answer.content, answer.status_code, headers, answer.headers.get("content-type"))

    async def ask_state(
        self, request: Request, partition: int, tenant_id: str, customer_id: str
    ) -> dict[str, Any] | None:
        """Return a customer's row from the worker that has its partition; HTTPException 503 if none can."""
        parts = (quote(part, safe="") for part in (tenant_id, customer_id))
        path = "/api/v1/customers/{}/{}/state".format(*parts)
        answer = await self.ask_owner(request, partition, path)
        try:
            if answer.status_code == _FOUND:
                return msgspec.json.decode(bytes(answer.body), type=_State).state
        except (msgspec.DecodeError, RecursionError):
            pass
        raise _closed(partition, "can't be asked")

    async def ask_all(self, request: Request, read: Callable[[bytes], Answer]) -> tuple[list[Answer], int]:
        """Return what each of the others answered that did, as `read` reads it, and how many were asked.

        Where `read` raises ValueError, the answer is taken for none.
        """
        if is_passed_on(request):
            return [], 0
        others = [address for address in self._group.members() if address != self._group.address]
        answers = await asyncio.gather(*(self._ask_safely(each, request, read) for each in others))
        return [answer for answer in answers if answer is not None], len(others)

    async def _ask_safely(self, address: str, request: Request, read: Callable[[bytes], Answer]) -> Answer | None:
        try:
            answer = await self._ask(address, request)
            return read(answer.content) if answer.is_success else None
        except (*_FAULTS, ValueError):
            return None

    async def _ask(self, address: str, request: Request, path: str | None = None) -> httpx.Response:
        passed = {name: request.headers[name] for name in ("authorization",) if name in request.headers}
        asked = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        url, headers = address + (path or asked), passed | {_ASKED_BY: self._group.address}
        async with asyncio.timeout(_PATIENCE), self._client.stream("GET", url, headers=headers) as answer:
            content = bytearray()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > _LARGEST:
                    raise httpx.DecodingError(f"more than {_LARGEST} bytes")
            return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(content))


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Return the headers that are passed on, of what is decoded by now."""
    return {name: headers[name] for name in ("content-type", "retry-after") if name in headers}


def is_passed_on(request: Request) -> bool:
    """Say whether another worker passed this request on: it is answered from what is here, or not at all."""
    return _ASKED_BY in request.headers


def _closed(partition: int, why: str) -> HTTPException:
    return HTTPException(503, f"Partition {partition} {why}; ask again in a moment.", {"retry-after": "2"})
