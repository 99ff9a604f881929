"""How pages are written: the templates, and what each of them finds there."""

from functools import cache, partial
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.clock import now as read_clock
from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import here
from streams.web.pages.formats import FILTERS, MARKS, percent, relative
from streams.web.pages.forms import form_token, keep_cookies, notice_of
from streams.web.pages.glossary import DEFINITIONS
from streams.web.sources.sources import sources_of
from streams.web.sources.worker import Table

MENU = (
    ("/", "Overview"), ("/journeys", "Journeys"), ("/customers", "Customers"), ("/waits", "Waits"),
    ("/dead-letters", "Dead letters"), ("/table", "Table"), ("/topics", "Topics"), ("/simulate", "Simulate"),
)  # fmt: skip
_NAMED = 8  # partitions that are restoring


def render(request: Request, template: str, code: int = 200, **values: Any) -> Response:
    """Return a page."""
    token, sources = form_token(request), sources_of(request)
    common = {
        "menu": MENU, "current": _current(request.url.path), "visitor": visitor_of(request),
        "worker": sources.worker, "restoring": _describe_restoring(sources.table), "token": token,
        "now": read_clock(), "unwell": _describe_health(request), "notice": notice_of(request),
        "here": partial(here, request),
    }  # fmt: skip
    response = HTMLResponse(_templates().get_template(template).render(common | values), code)
    keep_cookies(request, response, token)
    return response


def confirm(
    request: Request, title: str, verb: str, effects: list[str], *, back: str, code: int = 200,
    danger: bool = False, **form: Any,
) -> Response:  # fmt: skip
    """Return the page that asks whether something shall be done; `form` is what else has to be filled in."""
    action = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    empty = {"fields": (), "given": {}, "choices": (), "trouble": "", "stranger": "", "action": action}
    asked = {"title": title, "verb": verb, "effects": effects, "back": back, "danger": danger}
    return render(request, "confirm.html", code, **(empty | asked | form))


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("streams.web.pages"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(FILTERS)
    environment.globals.update(definitions=DEFINITIONS, marks=MARKS, percent=percent, relative=relative)
    environment.globals["part"] = environment.get_template("parts.html").module
    return environment


def _describe_restoring(table: Table) -> str:
    closed = [task for task in table.tasks.values() if task.stage in ("fencing", "restoring")]
    named = [f"partition {task.partition} {task.progress.percent:.0f} %" for task in closed[:_NAMED]]
    return ", ".join(named) + ("…" if len(closed) > _NAMED else ".") if closed else ""


def _describe_health(request: Request) -> str:
    """Return what is not well, for the pages that do not say so themselves; nothing before the first look."""
    watch, now = sources_of(request).watch, read_clock()
    if request.url.path == "/" or watch.observe(now).looked is None:
        return ""
    judgement = watch.judge(now)
    return "" if judgement.level == "well" else judgement.line


def _current(path: str) -> str:
    if path.startswith(("/enrollments", "/customer", "/search")):
        return "/customers"
    return "/" + path.split("/")[1]
