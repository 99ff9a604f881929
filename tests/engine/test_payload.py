"""Data that did not come as bytes is held to what bytes could have brought."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.payload import Rejection, check_data, read_data

LOOP: dict[str, Any] = {}
LOOP["a"] = LOOP


@pytest.mark.parametrize(
    "data", [{"a": 2**64}, {"a": -(2**63) - 1}, {"a": "\ud800"}, {"a": {1, 2j}}, LOOP, {(): 1}]
)
def test_what_no_json_could_bring_is_refused(data: dict[Any, Any]) -> None:
    assert isinstance(check_data(data), Rejection)


def test_what_json_could_bring_comes_back_as_json_brings_it() -> None:
    moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert check_data({"a": (1, 2.5), "b": moment, "c": None}) == {
        "a": [1, 2.5], "b": "2026-11-23T10:00:00Z", "c": None,
    }  # fmt: skip


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise(value: bytes) -> None:
    assert isinstance(read_data(value), dict | Rejection)
