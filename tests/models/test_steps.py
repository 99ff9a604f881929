"""Steps as authored: their short forms, and what is refused."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.steps import AnyStep, SplitStep, Step, UntilField, UntilTime, UpdateStep, WaitStep

READ: TypeAdapter[AnyStep] = TypeAdapter(Step)


def split(config: Any) -> SplitStep:
    step = READ.validate_python({"type": "SPLIT", "config": config})
    assert isinstance(step, SplitStep)
    return step


def test_a_split_may_be_names_and_weights() -> None:
    long = split({"variants": [{"name": "A", "weight": 1}, {"name": "B", "weight": 2}]})
    assert split({"variants": ["A", "B"], "weights": [1, 2]}) == long
    assert [variant.weight for variant in split({"variants": ["A", "B"]}).config.variants] == [1, 1]


@pytest.mark.parametrize("config", [{"variants": ["A"], "weights": [1, 2]}, {"variants": ["A"], "weights": 1},
                                    {"variants": ["A", 5]}, {"variants": 5}, 5])  # fmt: skip
def test_a_split_that_does_not_add_up_is_refused(config: Any) -> None:
    with pytest.raises(ValidationError):
        split(config)


def test_an_update_may_be_a_single_field() -> None:
    step = READ.validate_python({"type": "UPDATE", "config": {"field": "a", "value": 1}})
    assert isinstance(step, UpdateStep)
    assert [(one.field, one.operation, one.value) for one in step.config.updates] == [("a", "set", 1)]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-11-23", str),
        ({"time": "09:00"}, UntilTime),
        ({"field": "trigger.teeTime"}, UntilField),
        (UntilTime(time="09:00"), UntilTime),
    ],
)
def test_the_moment_of_a_wait_has_three_forms(until: Any, expected: type) -> None:
    step = READ.validate_python({"type": "WAIT", "config": {"until": until}})
    assert isinstance(step, WaitStep)
    assert isinstance(step.config.until, expected)
