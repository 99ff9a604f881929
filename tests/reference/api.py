"""Every route of the API, from what `/openapi.json` says."""

from collections.abc import Iterator
from typing import Any

from streams.web.api.application import make_api
from tests.reference.tables import code, table

_METHODS = ("get", "post", "put", "patch", "delete")


def _describe_api() -> dict[str, Any]:
    nothing: Any = None
    return make_api(nothing, nothing).openapi()


def find_routes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of each route."""
    for path, methods in _describe_api()["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def render() -> str:
    rows = [
        [method, code(path), _tell(operation), _list_parameters(operation)]
        for method, path, operation in find_routes()
    ]
    return table(["method", "path", "what it does", "parameters"], rows)


def _tell(operation: dict[str, Any]) -> str:
    return str(operation.get("description") or operation["summary"]).split("\n\n")[0].replace("\n", " ")


def _list_parameters(operation: dict[str, Any]) -> str:
    names = [code(one["name"]) for one in operation.get("parameters", []) if one["in"] == "query"]
    return ", ".join([*names, *(["a body"] if "requestBody" in operation else [])])
