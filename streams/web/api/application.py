"""The API as one application."""

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from streams.web.access.gate import Gate
from streams.web.access.headers import PRIVATE, FixedHeaders
from streams.web.access.identity import Identify
from streams.web.api import audit, dead_letters, events, history, journeys, runs, state
from streams.web.api.parameters import PROBLEM
from streams.web.api.problems import KNOWN, explain
from streams.web.sources.sources import Sources

PREFIX = "/api/v1"
DESCRIPTION = "/openapi.json"
"""Where the API is described; nobody has to be known to read that."""

_IMPORTS = frozenset({f"{PREFIX}/journeys/import"})
_PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys(
    (400, 401, 403, 404, 408, 409, 413, 415, 422, 503), PROBLEM
)


def make_api(sources: Sources, identify: Identify) -> FastAPI:
    """Return the application; `identify` says who asks, or raises HTTPException."""
    gate = Middleware(
        Gate, identify=identify, refuse=explain, imports=_IMPORTS, is_open=lambda path: path == DESCRIPTION,
        takes_forms=False,
    )  # fmt: skip
    app = FastAPI(
        title="Fairway", version="1", docs_url=None, redoc_url=None, openapi_url=DESCRIPTION,
        description="Marketing journeys on Kafka: author them, and see what happened, to whom, and why.",
        middleware=[
            Middleware(FixedHeaders, choose=lambda _: PRIVATE), Middleware(GZipMiddleware, minimum_size=1024), gate,
        ],
        exception_handlers=dict.fromkeys(KNOWN, explain),
    )  # fmt: skip
    root = APIRouter(prefix=PREFIX, responses=_PROBLEMS)
    for module in (runs, journeys, history, state, events, dead_letters, audit):
        root.include_router(module.router)
    app.include_router(root)
    app.state.sources = sources
    return app
