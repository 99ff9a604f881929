"""Addresses of pages: written with what they are asked for, and what is not there."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request


def with_query(path: str, parameters: Mapping[str, Any]) -> str:
    """Return an address; parameters that are empty are left out."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def here(request: Request, **changes: Any) -> str:
    """Return this page's address with other parameters."""
    return with_query(request.url.path, dict(request.query_params) | changes)


def older(request: Request, cursor: str | None) -> str | None:
    """Return the address of the next page of a list, which begins at a cursor; None if there is none."""
    return here(request, before=cursor) if cursor else None


def newest(request: Request) -> str | None:
    """Return the address of a list's first page; None if this is it."""
    return here(request, before="") if request.query_params.get("before") else None


def missing(what: str) -> HTTPException:
    """Return the answer for what is not there, or not this visitor's to see."""
    return HTTPException(404, what)


def unusable(what: str) -> HTTPException:
    """Return the answer for a parameter that says nothing."""
    return HTTPException(400, what)
