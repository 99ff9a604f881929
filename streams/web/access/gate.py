"""The door of pages and API: refuses what another site sends, finds out who asks, and only then reads a body.

Nothing that a stranger sends costs more than its headers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPMethod

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.web.access.identity import Identify
from streams.web.access.visitor import NOBODY

BODY_BYTES = 2 * 1024 * 1024
IMPORT_BYTES = 8 * 1024 * 1024  # of a file of journeys
_BODY_SECONDS = 30.0  # from the first look for a body to its end
_SAFE = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})
_OF_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_OWN_SITE = frozenset({"same-origin", "none"})  # none: typed, or from a bookmark

Refuse = Callable[[Request, Exception], Awaitable[Response]]
"""Returns the answer that says what is wrong; raises what it does not know."""


class Gate:
    """Lets requests in to an application.

    `imports` are the paths that take files of journeys; `is_open` says of a path whether anybody may look there.
    An application that takes no forms is sent nothing that a form could send, so that no other site can.
    """

    def __init__(
        self, app: ASGIApp, identify: Identify, refuse: Refuse, imports: frozenset[str],
        is_open: Callable[[str], bool], *, takes_forms: bool,
    ) -> None:  # fmt: skip
        self._app, self._identify, self._refuse = app, identify, refuse
        self._imports, self._is_open, self._takes_forms = imports, is_open, takes_forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.visitor = NOBODY
        body = _Body(receive, IMPORT_BYTES if scope["path"] in self._imports else BODY_BYTES)
        try:
            _check_text(request)
            check_site(request)
            if not self._takes_forms:
                _check_kind(request)
            if not self._is_open(scope["path"]):
                request.state.visitor = await self._identify(request)
            body.check_length(request)
        except Exception as error:
            refusal = await self._refuse(request, error)
            if request.method not in _SAFE:
                refusal.headers["connection"] = "close"  # what else it sends is not read
            await refusal(scope, receive, send)
        else:
            with suppress(ClientDisconnect):  # nobody is there any more who could be answered
                await self._app(scope, body.receive, send)


def _check_text(request: Request) -> None:
    """Refuse an address with U+0000: Postgres holds no such text, so nothing can be there."""
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise HTTPException(400, "The address holds the character U+0000, which is not allowed anywhere.")


def check_site(request: Request) -> None:
    """Refuse what another site made a browser send, unless it only looks; raises HTTPException 403.

    Browsers send Origin with all that changes something, and newer ones say where it comes from. Programs send
    neither.
    """
    is_stream = "text/event-stream" in request.headers.get("accept", "")
    if request.method in _SAFE and not is_stream:
        return
    origin = request.headers.get("origin")
    is_foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host")
    if is_foreign or request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        raise HTTPException(403, "This was sent from another site.")


def _check_kind(request: Request) -> None:
    """Refuse a body of a kind that a form can send, or of none; raises HTTPException 415."""
    if request.method in _SAFE:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if kind in _OF_FORMS or (has_body and not kind):
        raise HTTPException(415, "Say in Content-Type what the body is: application/json, or application/yaml.")


class _Body:
    """What is received of a request's body: so many bytes at most, within so many seconds."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._limit = receive, limit
        self._taken, self._is_whole = 0, False
        self._deadline: float | None = None

    def check_length(self, request: Request) -> None:
        """Refuse a body that says that it is too large, before any of it is read; raises HTTPException 413."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._limit:
            raise self._too_large()

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"The request's body may have {self._limit:,} bytes.", {"connection": "close"})

    async def receive(self) -> Message:
        """Return the next part of the body, or that the client is gone."""
        if self._is_whole:
            return await self._receive()
        running = asyncio.get_running_loop()
        self._deadline = self._deadline or running.time() + _BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            text = f"The request's body did not come within {_BODY_SECONDS:.0f} seconds."
            raise HTTPException(408, text, {"connection": "close"}) from None
        self._taken += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._taken > self._limit:
            raise self._too_large()
        return message
