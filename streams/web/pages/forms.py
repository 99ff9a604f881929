"""Forms that change something: answered only to our own pages, and to those who may act; and what was done."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, unquote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import with_query

_TOKEN, _NOTICE = "fairway-form", "fairway-done"
_NOTICE_LENGTH = 300
_KINDS = ("good", "warn")

Page = Callable[[Request], Awaitable[Response]]


def acting(page: Page) -> Page:
    """Let a page that changes something answer only to its own forms, and to those who may act."""

    async def guarded(request: Request) -> Response:
        async with request.form() as form:  # closes the files in it, also after a refusal
            _check_form(request, form)
            return await page(request)

    return guarded


def _check_form(request: Request, form: FormData) -> None:
    sent, kept = str(form.get("token", "")), request.cookies.get(_TOKEN, "")
    if not kept or not secrets.compare_digest(sent.encode(), kept.encode()):
        raise HTTPException(403, "This form is too old, or cookies are off; open its page again and repeat.")
    if not visitor_of(request).may_act:
        raise HTTPException(403, "You may look but not act; ask for a role that may.")


def form_token(request: Request) -> str:
    """Return what the forms of this browser carry, and its cookie holds."""
    return request.cookies.get(_TOKEN) or secrets.token_urlsafe(24)


def notice_of(request: Request) -> tuple[str, str]:
    """Return good or warn, and what was done just before, to be said on the page that is shown next."""
    kind, _, text = unquote(request.cookies.get(_NOTICE, "")).partition(":")
    return (kind, text) if kind in _KINDS else ("", "")


def keep_cookies(request: Request, response: Response, token: str) -> None:
    """Give the browser its token, and forget the notice, which is said once."""
    if _TOKEN not in request.cookies:
        secure = request.url.scheme == "https"
        response.set_cookie(_TOKEN, token, httponly=True, samesite="strict", secure=secure)
    if _NOTICE in request.cookies:
        response.delete_cookie(_NOTICE)


def done(path: str, notice: str, *, is_good: bool = True, **parameters: Any) -> RedirectResponse:
    """Return to a page after something was done, or could not be, and say so there, once."""
    response = RedirectResponse(with_query(path, parameters), 303)
    text = quote(f"{_KINDS[not is_good]}:{notice[:_NOTICE_LENGTH]}")
    response.set_cookie(_NOTICE, text, max_age=60, httponly=True, samesite="strict")
    return response
