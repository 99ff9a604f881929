"""Every page for people, and what the numbers on them mean."""

import re
from typing import Any

from starlette.routing import Route

from streams.web.pages.application import make_pages
from streams.web.pages.glossary import DEFINITIONS
from tests.reference.tables import code, table

_drop_types = re.compile(r":\w+(?=})").sub


def render_pages() -> str:
    """Return the table of pages, without what only forms and scripts ask for."""
    nothing: Any = None
    routes = [route for route in make_pages(nothing, nothing).routes if isinstance(route, Route)]
    rows = [
        [code(_drop_types("", route.path)), str(route.endpoint.__doc__).partition("\n")[0]]
        for route in routes
        if "GET" in (route.methods or ()) and route.endpoint.__doc__ and not route.path.startswith("/live/")
    ]
    return table(["address", "what it does"], sorted(rows))


def render_numbers() -> str:
    """Return the table of numbers."""
    return table(["number", "meaning"], [[name, meaning] for name, meaning in DEFINITIONS.items()])
