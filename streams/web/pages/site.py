"""What all pages share: where they read from, how they are rendered, and the rules that every answer keeps."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode
from uuid import UUID

import jinja2
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from streams.clock import now as read_clock
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from streams.web.pages.formats import FILTERS, MARKS, percent, relative
from streams.web.pages.glossary import DEFINITIONS
from streams.web.sources.broker import Broker
from streams.web.sources.peers import Peers
from streams.web.sources.samples import Samples
from streams.web.sources.worker import Table

MENU = (
    ("/", "Overview"), ("/journeys", "Journeys"), ("/customers", "Customers"), ("/waits", "Waits"),
    ("/dead-letters", "Dead letters"), ("/table", "Table"), ("/topics", "Topics"), ("/simulate", "Simulate"),
)  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_COOKIE, _DONE = "fairway-form", "fairway-done"


class Site:
    """Where pages read from: Postgres for history, Kafka for topics, this worker's part of the table for now."""

    def __init__(
        self, settings: Settings, engine: AsyncEngine, broker: Broker, table: Table, worker: str, peers: Peers
    ) -> None:
        self.settings, self.engine, self.broker, self.table, self.worker, self.peers = (
            settings,
            engine,
            broker,
            table,
            worker,
            peers,
        )
        self.samples = Samples(engine, broker)
        self._templates = _load_templates()

    def render(self, request: Request, template: str, code: int = 200, **values: Any) -> Response:
        """Return a page."""
        token = request.cookies.get(_COOKIE) or secrets.token_urlsafe(24)
        common = {
            "menu": MENU, "current": _current(request.url.path), "visitor": visitor_of(request),
            "worker": self.worker, "restoring": self._tell_restoring(), "token": token, "now": read_clock(),
            "notice": unquote(request.cookies.get(_DONE, "")), "here": _here(request),
        }  # fmt: skip
        html = self._templates.get_template(template).render(common | values)
        response = HTMLResponse(html, code)
        if _COOKIE not in request.cookies:
            response.set_cookie(
                _COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
            )
        if _DONE in request.cookies:
            response.delete_cookie(_DONE)
        return response

    def _tell_restoring(self) -> str:
        closed = [task for task in self.table.tasks.values() if task.stage in ("fencing", "restoring")]
        told = [f"partition {task.partition} {task.progress.percent:.0f} %" for task in closed[:8]]
        return ", ".join(told) + ("…" if len(closed) > 8 else ".") if closed else ""


def _load_templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("streams.web.pages"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(FILTERS)
    environment.globals.update(definitions=DEFINITIONS, marks=MARKS, percent=percent, relative=relative)
    environment.globals["part"] = environment.get_template("parts.html").module
    return environment


def _current(path: str) -> str:
    if path.startswith(("/enrollments", "/customer", "/search")):
        return "/customers"
    return "/" + path.split("/")[1]


def _here(request: Request) -> Callable[..., str]:
    """Return a function that gives this page's address with other parameters."""

    def here(**changes: Any) -> str:
        return with_query(request.url.path, dict(request.query_params) | changes)

    return here


def with_query(path: str, parameters: Mapping[str, Any]) -> str:
    """Return an address; parameters that are empty are left out."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def site_of(request: Request) -> Site:
    """Return the site that serves this request."""
    site: Site = request.app.state.site
    return site


def visitor_of(request: Request) -> Visitor:
    """Return who looks."""
    visitor: Visitor = request.state.visitor
    return visitor


def read_id(given: str) -> str:
    """Return a UUID as Postgres writes it; empty for what is none."""
    try:
        return str(UUID(given))
    except ValueError:
        return ""


def missing(what: str) -> HTTPException:
    """Return the answer for what is not there, or not this visitor's to see."""
    return HTTPException(404, what)


Page = Callable[[Request], Awaitable[Response]]


def acting(page: Page) -> Page:
    """Let a page that changes something answer only to its own forms, and to those who may act."""

    async def guarded(request: Request) -> Response:
        async with request.form() as form:  # closes the files in it, also after a refusal
            _check_form(request, form)
            return await page(request)

    return guarded


def _check_form(request: Request, form: FormData) -> None:
    sent, kept = str(form.get("token", "")), request.cookies.get(_COOKIE, "")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403, "This form was sent from another site.")
    if not kept or not secrets.compare_digest(sent.encode(), kept.encode()):
        raise HTTPException(403, "This form is too old, or cookies are off; open its page again and repeat.")
    if not visitor_of(request).may_act:
        raise HTTPException(403, "You may look but not act; ask for a role that may.")


def done(path: str, notice: str, **parameters: Any) -> RedirectResponse:
    """Return to a page after something was done, and say so there, once."""
    response = RedirectResponse(with_query(path, parameters), 303)
    response.set_cookie(_DONE, quote(notice[:300]), max_age=60, httponly=True, samesite="strict")
    return response
