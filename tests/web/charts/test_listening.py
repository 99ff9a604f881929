"""What a journey listens for, in a few words."""

from typing import Any

import pytest

from models.journey import Journey
from models.steps import WaitStep
from streams.web.charts.listening import describe_awaited, describe_follow, describe_goal, describe_wait, list_exits
from tests.engine.build import journey, wait

PAID: dict[str, Any] = {"eventType": "payment.succeeded"}
GOLD = {"field": "tier", "operator": "equals", "value": "Gold"}
MEMBER = {"field": "tier", "operator": "in", "value": ["Gold", "Silver"]}
BARE = {"field": "tier", "operator": "isNull"}


def whole(**settings: Any) -> Journey:
    return journey(wait(), enrollmentKey="trigger.id", **settings)


@pytest.mark.parametrize(
    ("config", "awaited", "text"),
    [
        ({"duration": "1 day"}, "", "1 day"),
        (
            {"until": {"time": "09:00", "weekdays": ["MON"]}, "duration": "1 day"},
            "",
            "1 day and until 09:00 on MON",
        ),
        ({"until": {"field": "trigger.at", "offset": "-1 day"}}, "", "until trigger.at -1 day"),
        ({"until": "2026-12-24"}, "", "until 2026-12-24"),
        ({"events": [PAID], "duration": "3 days"}, "payment.succeeded", "for payment.succeeded, at most 3 days"),
        (
            {"events": [PAID, PAID | {"key": "any"}, {"eventType": "paid"}], "until": {"field": "at"}},
            "payment.succeeded or paid",
            "for payment.succeeded or paid, at most until at",
        ),
        (
            {"rules": [GOLD, BARE], "combinator": "OR", "duration": "3 days"},
            "tier equals Gold or tier isNull",
            "for tier equals Gold or tier isNull, at most 3 days",
        ),
        (
            {"events": [PAID], "rules": [GOLD], "duration": "3 days"},
            "payment.succeeded or tier equals Gold",
            "for payment.succeeded or tier equals Gold, at most 3 days",
        ),
    ],
)
def test_a_wait_says_what_may_end_it_and_when_at_the_latest(config: Any, awaited: str, text: str) -> None:
    step = journey(wait("w", config.pop("duration", None), **config)).steps[1]
    assert isinstance(step, WaitStep)
    assert (describe_awaited(step.config), describe_wait(step.config)) == (awaited, text)


def test_exits_are_told_by_the_names_that_enrolments_leave_by() -> None:
    exits = [PAID, PAID | {"name": "paid", "key": "any"}, {"rules": [GOLD, BARE]}, PAID | {"conditions": [GOLD]}]
    assert list_exits(whole(exits=exits)) == [
        ("exit 1", "payment.succeeded"),
        ("paid", "payment.succeeded of any key"),
        ("exit 3", "tier equals Gold and tier isNull"),
        ("exit 4", "payment.succeeded with tier equals Gold"),
    ]
    assert list_exits(whole()) == []


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ({"events": [PAID]}, "payment.succeeded, within 30 days"),
        ({"rules": [GOLD], "within": "1 week"}, "tier equals Gold, within 1 week"),
        ({"rules": [MEMBER]}, "tier in Gold, Silver, within 30 days"),
        ({"events": [PAID | {"key": "booking"}], "rules": [GOLD]},
         "payment.succeeded by booking or tier equals Gold, within 30 days"),
    ],
)  # fmt: skip
def test_a_goal_says_what_reaches_it_and_until_when(goal: Any, text: str) -> None:
    found = whole(goal=goal).goal
    assert found is not None
    assert describe_goal(found) == text


def test_what_is_followed_says_which_fields() -> None:
    one, other = whole(follow=[PAID | {"set": ["at", "hole"]}, PAID]).follow or ()
    assert describe_follow(one) == "payment.succeeded: at, hole"
    assert describe_follow(other) == "payment.succeeded: all that the trigger had"
