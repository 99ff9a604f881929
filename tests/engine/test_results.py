"""The shapes of results: each is read as it was written, and what the customer's data says makes no difference."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from streams.engine.results import (
    NO_RESULT,
    Change,
    ConditionResult,
    Result,
    SendResult,
    SplitResult,
    UnknownResult,
    UpdateResult,
    WaitResult,
    decode_result,
    read_result,
)

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SAYING = {"sent": True, "variant": "B", "evaluatedRules": [], "updates": [], "firedAt": "soon"}
RULE = {"field": "x", "operator": "equals", "value": SAYING, "seen": SAYING, "matched": True}


@pytest.mark.parametrize(
    "result",
    [
        NO_RESULT,
        SendResult(True, "EMAIL", "m-1"),
        SendResult(True, "evaluatedRules", "m-1"),
        ConditionResult(False, []),
        ConditionResult(True, [RULE]),
        SplitResult("evaluatedRules"),
        WaitResult(AT, AT),
        WaitResult(None, AT, policy="skip", note='"evaluatedRules"'),
        UpdateResult([]),
        UpdateResult([Change("evaluatedRules", SAYING, RULE)]),
    ],
)
def test_a_result_is_read_as_it_was_written(result: Result) -> None:
    assert decode_result(msgspec.Raw(msgspec.json.encode(result))) == result


@pytest.mark.parametrize("fields", [{"opened": True}, {"sent": "yes"}, {"variant": 3, "sent": False}])
def test_what_no_shape_fits_is_kept_as_it_is(fields: dict[str, Any]) -> None:
    assert read_result(fields) == UnknownResult(fields)


def test_no_fields_are_no_result() -> None:
    assert read_result({}) is NO_RESULT
