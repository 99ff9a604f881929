"""A rule that compares dates letter by letter is right only where all are written alike: it is warned of."""

from pathlib import Path
from typing import Any

import pytest

from streams.engine.check import check, find_dates_as_text
from streams.engine.reading import read_journeys
from tests.engine.build import EXAMPLES, ask, journey, rule, wait

WARNED: list[dict[str, Any]] = [
    rule("greaterThan", "2026-05-01T10:00:00Z"),
    rule(">=", "2026-05-01"),
    rule("lt", "2026-05-01T10:00"),
    rule("lessThanOrEqual", "2026-05-01 10:00+02"),
    rule("between", ["2026-05-01", "2026-05-31"]),
    rule("notBetween", ["2026-05-01", "2026-05-31"]),
]
FINE: list[dict[str, Any]] = [
    rule("equals", "2026-05-01"),
    rule("after", "2026-05-01"),
    rule("in", ["2026-05-01"]),
    rule("greaterThan", 20260501),
    rule("greaterThan", "Gold"),
    rule("between", ["a", "z"]),
    {"field": "x", "operator": "greaterThan", "valueField": "y"},
]


def sentence(where: str, operator: str) -> str:
    return f"'{where}': {operator} compares dates letter by letter; use before, after or withinLast."


@pytest.mark.parametrize("one", WARNED)
def test_dates_in_order_of_their_letters_are_warned_of(one: dict[str, Any]) -> None:
    step = ask("ask", FINE[0], {"rules": [one]})
    trigger = {"id": "start", "type": "TRIGGER", "config": {"conditions": [one]}}
    heard = {"eventType": "x", "conditions": [one]}
    whole = journey(
        steps=[trigger, step, wait("wait", events=[heard], rules=[one])],
        triggerConfig={"conditions": [one]},
        exits=[{"rules": [one]}, heard],
        goal={"rules": [one], "events": [heard]},
        follow=[heard],
    )
    name = whole.trigger_config.conditions[0].operator.value  # type: ignore[union-attr]
    assert list(find_dates_as_text(whole)) == [
        (None, sentence("triggerConfig.conditions#1", name)),
        (None, sentence("exits#1.rules#1", name)),
        (None, sentence("goal.rules#1", name)),
        (None, sentence("exits#2.conditions#1", name)),
        (None, sentence("goal.events#1.conditions#1", name)),
        (None, sentence("follow#1.conditions#1", name)),
        ("wait", sentence("config.events#1.conditions#1", name)),
        ("start", sentence("config.conditions#1", name)),
        ("ask", sentence("config.rules#2.rules#1", name)),
        ("wait", sentence("config.rules#1", name)),
    ]


@pytest.mark.parametrize("one", FINE)
def test_whatever_compares_no_dates_or_compares_them_as_such_is_fine(one: dict[str, Any]) -> None:
    assert list(find_dates_as_text(journey(ask("ask", one)))) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_compare_dates_as_dates(file: Path) -> None:
    for raw in read_journeys(file.read_text()):
        found, _ = check(raw)
        assert found is not None
        assert list(find_dates_as_text(found)) == []
