"""What holds for any journey and any order of inputs."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.customer import decode, encode
from models.journey import Journey
from streams.engine.inputs import Arrived, Due, Exit
from tests.engine.build import END, NOON, TRIGGER, Life, event, live

DURATIONS = ["1 second", "30 minutes", "1 day", "1 week", "PT2H"]
FIELDS = ["tier", "visits", "trigger.tier", "customer.vip"]
RULE = st.fixed_dictionaries(
    {"field": st.sampled_from(FIELDS), "operator": st.sampled_from(["isNull", "isTrue"])}
) | st.fixed_dictionaries(
    {
        "field": st.sampled_from(FIELDS),
        "operator": st.sampled_from(["equals", "notEquals", "greaterThan"]),
        "value": st.sampled_from([1, "Gold", None, True]),
    }
)


def _step(number: int, later: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    onward = st.sampled_from(later)
    id_ = {"id": st.just(f"s{number}")}
    wait = st.sampled_from(DURATIONS).map(lambda text: {"duration": text})
    until = st.sampled_from(["trigger.teeTime", "missing"]).flatmap(
        lambda field: st.sampled_from(["continue", "skip", "exit", "fail"]).map(
            lambda policy: {
                "until": {"field": field},
                "ifPast": policy,
                "ifMissing": policy.replace("skip", "exit"),
            }
        )
    )
    late = st.sampled_from(["continue", "skip", "exit"]).map(
        lambda then: {"duration": "1 hour", "ifLate": {"after": "1 day", "then": then}}
    )
    update = st.sampled_from(["set", "increment", "add", "unset"]).flatmap(
        lambda operation: st.sampled_from(["tier", "visits"]).map(
            lambda field: {"field": field, "operation": operation, "value": 1}
        )
    )
    return st.one_of(
        st.fixed_dictionaries(
            id_ | {"type": st.just("SEND"), "config": st.just({"channel": "EMAIL", "templateId": "t"})}
        ),
        st.fixed_dictionaries(id_ | {"type": st.just("WAIT"), "config": wait | until | late}),
        st.fixed_dictionaries(id_ | {"type": st.just("UPDATE"), "config": update}),
        st.fixed_dictionaries(
            id_
            | {
                "type": st.just("CONDITION"),
                "config": st.lists(RULE, min_size=1, max_size=3).map(lambda rules: {"rules": rules}),
                "nextStepYesId": onward,
                "nextStepNoId": onward,
            }
        ),
        st.fixed_dictionaries(
            id_
            | {
                "type": st.just("SPLIT"),
                "config": onward.map(lambda to: {"variants": [{"name": "A", "nextStepId": to}, {"name": "B"}]}),
            }
        ),
    )


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    count = draw(st.integers(0, 6))
    steps = [draw(_step(n, [*(f"s{later}" for later in range(n + 1, count)), "end"])) for n in range(count)]
    settings = draw(st.fixed_dictionaries({"allowReentry": st.booleans()}))
    name = draw(st.sampled_from(["A", "B", "C"]))
    return Journey.model_validate(
        {
            "tenantId": "pinehurst",
            "name": name,
            "triggerType": "teetime.booked",
            "timezone": draw(st.sampled_from(["UTC", "Europe/London", "Australia/Lord_Howe"])),
            "steps": [TRIGGER, *steps, END],
            **settings,
        }
    )


INPUTS = st.one_of(
    st.builds(
        lambda number, type_, data: ("event", event(number, type_=type_, data=data)),
        st.integers(0, 5),
        st.sampled_from(["teetime.booked", "teetime.booked", "customer.updated", "customer.unsubscribed"]),
        st.sampled_from([{}, {"tier": "Gold"}, {"vip": True, "teeTime": "2026-11-25T09:00:00Z"}, {"visits": 1}]),
    ),
    st.just(("due", None)),
    st.just(("exit", None)),
)
STEPS = st.lists(st.tuples(st.integers(0, 200_000), INPUTS), max_size=12)
SETS = st.lists(journeys(), min_size=1, max_size=3, unique_by=lambda one: one.name)


def live_through(
    authored: list[Journey], script: list[tuple[int, tuple[str, Any]]], *, twice: bool = False
) -> Life:
    life, now = Life(live(*authored)), NOON
    for seconds, (kind, what) in script:
        now += timedelta(seconds=seconds)
        given = {"event": lambda what=what: Arrived(what), "due": Due, "exit": lambda now=now: Exit(now)}[kind]()
        before = life.customer
        frozen = encode(before) if before else None
        life.give(given, now)
        assert (encode(before) if before else None) == frozen, "the row that came in was changed"
        if twice:
            life.give(given, now)
        _check(life)
    return life


def _check(life: Life) -> None:
    """Every enrolment waits, and the row survives its encoding."""
    assert life.customer is None or all(e.waiting_until for e in life.customer.enrollments.values())
    assert life.customer is None or decode(encode(life.customer)) == life.customer


@given(SETS, STEPS)
def test_no_command_twice_no_wait_early_and_always_an_end_or_a_wait(authored: list[Journey], script: Any) -> None:
    life = live_through(authored, script)
    ids = [command["commandId"] for command in life.commands]
    assert len(ids) == len(set(ids))
    fired = [entry["result"] for entry in life.entries if "firedAt" in entry.get("result", {})]
    assert all(result["waitingUntil"] is None or result["firedAt"] >= result["waitingUntil"] for result in fired)
    visits = [(e["enrollmentId"], e["stepId"], e["visit"]) for e in life.entries if e["type"] == "step.completed"]
    assert len(visits) == len(set(visits))


@given(SETS, STEPS)
def test_R7_one_input_twice_is_as_good_as_once(authored: list[Journey], script: Any) -> None:
    once, twice = live_through(authored, script), live_through(authored, script, twice=True)
    assert once.commands == twice.commands
    told = [entry for entry in twice.entries if entry.get("reason") != "duplicate"]
    assert [entry for entry in once.entries if entry.get("reason") != "duplicate"] == told


@given(SETS, STEPS)
def test_R26_when_an_enrolment_has_ended_every_step_is_accounted_for(authored: list[Journey], script: Any) -> None:
    life = live_through(authored, script)
    steps = {one.id: {step.id for step in one.steps} for one in authored}
    for ended in (entry for entry in life.entries if "exitReason" in entry):
        told = {
            entry["stepId"]
            for entry in life.entries
            if entry.get("enrollmentId") == ended["enrollmentId"]
            and entry["type"] in ("step.completed", "step.skipped", "step.failed")
        }
        assert told == steps[ended["journeyId"]]
