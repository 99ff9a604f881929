"""What each step leaves in the activity record, whole: R26."""

from typing import Any

import pytest

from models.customer import Customer
from models.ids import command_id, enrollment_id
from streams.engine.effects import ProfileUpdate, plain
from streams.engine.inputs import Arrived
from tests.engine.build import NOON, Life, ask, event, hours, journey, live, rule, send, update, wait

SPLIT = {"id": "ab", "type": "SPLIT", "config": {"variants": [{"name": "A"}]}}
SMS = send("sms", config={"channel": "SMS"})
GOLD = {"field": "tier", "value": "Gold"}
CHANGED = [{"field": "tier", "before": None, "after": "Gold"}]
PAST: dict[str, Any] = {"duration": None, "until": "2026-11-20T09:00:00Z"}
OVER = "'2026-11-20T09:00:00Z' was over at 2026-11-20T09:00:00+00:00."


def life_of(*steps: Any) -> Life:
    """Return the life of somebody who takes no text messages; the event came half an hour late."""
    known = Customer("pinehurst", "c-7", {"subscriptions": {"SMS": False}})
    return Life(live(journey(*steps)), known).give(Arrived(event(club="north")), NOON + hours(0.5))


def of(life: Life, kind: str, step: str, number: int, visit: int = 1, **more: Any) -> dict[str, Any]:
    id_ = life.journeys.wanted["pinehurst", "teetime.booked"][0].id
    enrolled = {"journeyId": id_, "journeyVersion": 1, "enrollmentId": enrollment_id(id_, "c-7", "", 1)}
    return {"type": kind, **enrolled, "stepId": step, "stepNumber": number, "visit": visit, **more}


def done(life: Life, step: str, number: int, /, **result: Any) -> dict[str, Any]:
    return of(life, "step.completed", step, number, enteredAt=NOON, completedAt=NOON, result=result)


def test_R26_what_each_step_leaves() -> None:
    life = life_of(SPLIT, ask("ask", rule("isNull")), update("tag", GOLD), send(), SMS, wait())
    enrollment = life.told("enrollment.started", "enrollmentId")[0]
    asked = {"field": "x", "operator": "isNull", "value": None, "seen": None, "matched": True}
    assert life.entries[1:] == [
        done(life, "start", 1),
        done(life, "ab", 2, variant="A"),
        done(life, "ask", 3, result=True, evaluatedRules=[asked]),
        done(life, "tag", 4, updates=CHANGED),
        {"type": "profile.updated", "changes": CHANGED},
        done(life, "mail", 5, sent=True, channel="EMAIL", messageId=command_id(enrollment, "mail", 1)),
        of(life, "step.skipped", "sms", 6, enteredAt=NOON, reason="unsubscribed"),
        of(life, "step.entered", "wait", 7, enteredAt=NOON, waitingUntil=NOON + hours(2)),
    ]
    life.due(NOON + hours(3))
    fired = {"waitingUntil": NOON + hours(2), "firedAt": NOON + hours(3)}
    ended = {"enteredAt": NOON + hours(3), "completedAt": NOON + hours(3)}
    assert life.records[-1]["entries"][:2] == [
        of(life, "step.completed", "wait", 7, enteredAt=NOON, completedAt=NOON + hours(3), result=fired),
        of(life, "step.completed", "end", 8, **ended, result={}),
    ]


def test_R23_a_profile_update_says_whose_and_by_which_step() -> None:
    life = life_of(update("tag", GOLD))
    (told,) = [plain(effect) for effect in life.effects if isinstance(effect, ProfileUpdate)]
    whose = {"tenantId": "pinehurst", "clubId": "north", "customerId": "c-7"}
    step = {name: value for name, value in of(life, "", "tag", 2).items() if name != "type"}
    assert told == whose | step | {"updates": CHANGED, "updatedAt": NOON}


@pytest.mark.parametrize("policy", ["skip", "exit"])
def test_R19_a_wait_that_is_over_leaves_its_policy_and_why(policy: str) -> None:
    life = life_of(wait(**PAST, ifPast=policy), send())
    why = {"waitingUntil": None, "firedAt": NOON, "note": OVER, "policy": policy}
    assert life.entries[2] == done(life, "wait", 2, **why)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (wait("bad", **PAST, ifPast="fail"), OVER),
        (update("bad", {"field": "subscriptions", "operation": "increment"}),
         "'subscriptions' is a group of fields, not a number."),
    ],
)  # fmt: skip
def test_R27_a_step_that_fails_says_why_and_the_rest_is_skipped(step: Any, error: str) -> None:
    life = life_of(step, send())
    assert life.entries[2] == of(life, "step.failed", "bad", 2, enteredAt=NOON, error=error)
    told = life.told("enrollment.failed", "stepId", "at", "error")
    assert told == [("bad", NOON, f"Step 'bad' failed: {error}")]
    rest = [of(life, "step.skipped", step, number, 0, reason="ended") for step, number in (("mail", 3), ("end", 4))]
    assert life.entries[4:] == rest


def test_R26_a_step_on_the_other_branch_is_skipped_with_its_number() -> None:
    life = life_of(ask("ask", rule("isNotNull"), nextStepNoId="end"), send())
    assert life.told("step.skipped", "stepId", "stepNumber", "reason") == [("mail", 3, "branch")]


def test_R25_the_step_limit_skips_the_rest() -> None:
    life = life_of(send("loop", nextStepId="loop"))
    assert life.told("step.skipped", "stepId", "reason") == [("end", "ended")]
