"""An outage of Postgres is told from its refusal of what it was given."""

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from streams.database import is_outage


class Refusal(Exception):  # noqa: N818 - stands for the driver's
    """An error as the driver raises it, with a state or without."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def wrap(sqlstate: str | None, cause: Exception | None = None) -> DBAPIError:
    inner = Refusal(sqlstate)
    inner.__cause__ = cause
    return DBAPIError("SELECT 1", {}, inner)


@pytest.mark.parametrize(
    ("state", "outage"),
    [
        ("08006", True), ("57P01", True), ("57P03", True), ("53100", True), ("53300", True), ("40001", True),
        ("40P01", True), ("55P03", True), ("25006", True), ("28P01", True), ("3D000", True), ("42P01", True),
        ("42703", True), ("58030", True), ("0A000", True),
        ("22001", False), ("22003", False), ("22021", False), ("22P02", False), ("23502", False), ("23503", False),
        ("23505", False), ("23514", False), ("21000", False), ("54000", False), ("54001", False), ("XX000", False),
    ],
)  # fmt: skip
def test_the_class_of_the_state_says_whether_the_same_may_succeed_later(state: str, outage: bool) -> None:
    assert is_outage(wrap(state)) is outage


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (wrap(None), True),  # the connection is gone
        (wrap(None, ValueError("no int")), False),  # the driver can't encode a value
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (ValueError(), False),
        (RecursionError(), False),
    ],
)
def test_errors_without_a_state_are_told_apart_by_what_they_are(error: Any, outage: bool) -> None:
    assert is_outage(error) is outage
