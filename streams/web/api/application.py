"""The API as one application: who asks, and how it says that something is wrong (RFC 9457)."""

from typing import Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Lifespan

from streams.database import UNREACHABLE
from streams.journeys.authoring import ConflictError, UnknownError
from streams.web.access.identity import Identify
from streams.web.api import audit, events, history, journeys, runs, state
from streams.web.api.parameters import PROBLEM
from streams.web.queries.cursors import BadCursorError
from streams.web.sources.sources import Sources

_PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys((400, 401, 403, 404, 409, 422, 503), PROBLEM)
_BAD_TEXT = ("22021", "22P05")  # SQLSTATE: a text that Postgres can't hold, such as one with U+0000


def make_api(sources: Sources, identify: Identify, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Return the application; `identify` says who asks, or raises HTTPException."""
    app = FastAPI(
        title="Fairway", version="1", docs_url=None, redoc_url=None, lifespan=lifespan,
        description="Marketing journeys on Kafka: author them, and see what happened, to whom, and why.",
    )  # fmt: skip

    async def admit(request: Request) -> None:
        request.state.visitor = await identify(request)

    root = APIRouter(prefix="/api/v1", dependencies=[Depends(admit)], responses=_PROBLEMS)
    for module in (runs, journeys, history, state, events, audit):
        root.include_router(module.router)
    app.include_router(root)
    app.state.sources = sources
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(RequestValidationError, _explain_invalid)
    app.add_exception_handler(ConflictError, _explain_conflict)
    app.add_exception_handler(UnknownError, _explain_unknown)
    app.add_exception_handler(BadCursorError, _explain_cursor)
    for kind in (*UNREACHABLE, KafkaError):
        app.add_exception_handler(kind, _explain_outage)
    return app


def problem(code: int, detail: str, headers: Any = None, **more: Any) -> JSONResponse:
    """Return a problem as RFC 9457 has it."""
    content = {
        "type": "about:blank",
        "title": _TITLES.get(code, "Problem"),
        "status": code,
        "detail": detail,
        **more,
    }
    return JSONResponse(content, code, headers, media_type="application/problem+json")


_TITLES = {
    400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Precondition failed", 413: "Content too large", 422: "Invalid",
    428: "Precondition required", 503: "Unavailable",
}  # fmt: skip


async def _explain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), error.headers)


async def _explain_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(map(str, each["loc"])), "text": each["msg"]} for each in error.errors()]
    return problem(422, "The request is not as /openapi.json describes it.", errors=errors)


async def _explain_conflict(_: Request, error: Exception) -> JSONResponse:
    return problem(409, str(error))


async def _explain_unknown(_: Request, error: Exception) -> JSONResponse:
    return problem(404, str(error))


async def _explain_cursor(_: Request, error: Exception) -> JSONResponse:
    return problem(400, str(error))


async def _explain_outage(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") in _BAD_TEXT:
        return problem(422, "The request holds a character that can't be kept, such as U+0000.")
    what = "Kafka" if isinstance(error, KafkaError) else "Postgres"
    return problem(503, f"{what} can't be reached for now.", {"retry-after": "5"})
