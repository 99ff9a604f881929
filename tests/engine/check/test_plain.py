# ruff: noqa: E501 (one line a case)
"""What plain data may hold to travel and be stored."""

from typing import Any

import pytest

from tests.engine.build import NOON, problems, raw


def split(*variants: Any, **more: Any) -> dict[str, Any]:
    return {"id": "split", "type": "SPLIT", "config": {"variants": list(variants)} | more}


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
        (raw(description="\0"), None, "'description' holds the character U+0000, which can't be stored; remove it."),
        (raw(description="\ud800"), None, "'description' holds the character U+D800, which can't be stored; remove it."),
        (raw(description={"\0": 1}), None, "'description' has a name with characters that can't be stored; remove them."),
        (raw(description={5: "x"}), None, "'description' has the name 5, but names are text; put quotes around it."),
        (raw() | {5: "x"}, None, "A journey has the name 5, but names are text; put quotes around it."),
        (raw(maxEnrollments=2**63), None, "'maxEnrollments' is too large a number; put quotes around it."),
        (
            raw(split({"name": "A", "weight": float("inf")})),
            None,
            "'steps#2.config.variants#1.weight' is inf, which is not a finite number; write one such as 1.5.",
        ),
        (raw(description=NOON), None, f"'description' is {NOON}, neither text, number, list nor mapping; put quotes around it."),
        (raw(description=[["x"] * 1000] * 1000), None, "It holds more than 100000 values."),
    ],
)  # fmt: skip
def test_what_can_t_travel_or_be_stored_is_told_with_its_place(
    journey: Any, step: str | None, sentence: str
) -> None:
    assert problems(journey) == [(step, sentence)]


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"x": inner}])
def test_data_nested_too_deeply_is_refused(wrap: Any) -> None:
    nested: Any = "x"
    for _ in range(63):
        nested = wrap(nested)
    sentence = "It is nested too deeply; 64 levels are allowed."
    assert (None, sentence) not in problems(raw(description=nested))
    assert problems(raw(description=wrap(nested))) == [(None, sentence)]


def test_what_cannot_be_stored_is_found_before_and_after_a_mapping() -> None:
    sentence = "'description' holds the character U+0000, which can't be stored; remove it."
    for settings in ({"description": "\0", "triggerConfig": {}}, {"triggerConfig": {}, "description": "\0"}):
        assert problems(raw(**settings)) == [(None, sentence)]
