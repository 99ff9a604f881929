"""Addresses keep what a page was asked for."""

import pytest
from starlette.requests import Request

from streams.web.pages.addresses import here, missing, newest, older, with_query


def request(query: str) -> Request:
    scope = {"type": "http", "path": "/list", "headers": [], "server": ("a", 80), "scheme": "http"}
    return Request(scope | {"query_string": query.encode()})


@pytest.mark.parametrize(
    ("parameters", "address"),
    [({}, "/x"), ({"a": None, "b": ""}, "/x"), ({"a": 0, "b": "é &"}, "/x?a=0&b=%C3%A9+%26")],
)
def test_empty_parameters_are_left_out(parameters: dict[str, object], address: str) -> None:
    assert with_query("/x", parameters) == address


def test_a_list_is_turned_over_with_its_filter() -> None:
    first, second = request("status=ACTIVE"), request("status=ACTIVE&before=abc")
    assert older(first, "abc") == "/list?status=ACTIVE&before=abc"
    assert older(second, None) is newest(first) is None
    assert newest(second) == "/list?status=ACTIVE"
    assert here(second, status="") == "/list?before=abc"


def test_what_is_not_there_is_404() -> None:
    assert (missing("No.").status_code, missing("No.").detail) == (404, "No.")
