"""What holds for any journeys that listen and any order of inputs: R31 to R43."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from models.customer import encode
from models.journey import Journey
from tests.engine.build import END, NOON, TRIGGER, Life, event, send
from tests.engine.test_properties import SETS, STEPS, live_through

LATER = "2026-11-30T09:00:00Z"
HEARD = ("teetime.completed", "teetime.rescheduled", "email.opened")
GOLD = {"field": "customer.tier", "operator": "equals", "value": "Gold"}
LISTENER = st.sampled_from(HEARD).map(lambda type_: {"eventType": type_})
ANY = LISTENER.map(lambda one: one | {"key": "any"})


def steps(listener: st.SearchStrategy[Any], *others: Any) -> st.SearchStrategy[list[Any]]:
    """Up to four steps that are led to one after another, or by the events that a WAIT hears."""
    ways = st.sampled_from([{}, {"nextStepId": "s3"}, {"nextStepId": "end"}])
    events = st.lists(st.builds(lambda one, way: one | way, listener, ways), min_size=1, max_size=2)
    time = st.sampled_from([{"duration": "2 hours"}, {"duration": "3 days"}, {"until": {"field": "trigger.at"}}])
    since = st.sampled_from([{}, {"since": "enrollment"}, {"since": "s0"}])
    listening = st.builds(lambda one, until, far: {"events": one} | until | far, events, time, since)
    config = st.one_of(listening, time, *others)
    waiting = config.map(lambda it: it if "updates" in it else {"ifMissing": "continue", "ifPast": "skip"} | it)
    return st.lists(st.one_of(st.none(), waiting), min_size=4, max_size=4)


def build(name: str, configs: list[Any], **settings: Any) -> Journey:
    made = [_make(f"s{number}", config) for number, config in enumerate(configs)]
    whole = {"tenantId": "pinehurst", "name": name, "triggerType": "teetime.booked", "allowReentry": True}
    return Journey.model_validate(whole | {"steps": [TRIGGER, *made, END]} | settings)


def _make(id_: str, config: Any) -> dict[str, Any]:
    if config is None:
        return dict(send(id_))
    return {"id": id_, "type": "UPDATE" if "updates" in config else "WAIT", "config": config}


def journeys(*, alone: bool) -> st.SearchStrategy[Journey]:
    """Return journeys of a run for each key; `alone` if no run may touch another."""
    listener = LISTENER if alone else LISTENER | ANY
    rules = st.just({"rules": [GOLD], "duration": "1 day"})
    update = st.sampled_from(["Gold", "Silver"]).map(lambda tier: {"updates": [{"field": "tier", "value": tier}]})
    exits = st.lists(listener | st.just({"rules": [GOLD]}) if not alone else listener, min_size=1, max_size=2)
    goal = st.builds(lambda one, ends: {"events": [one], "exit": ends, "within": "2 days"}, listener, st.booleans())
    return st.builds(
        lambda name, made, settings: build(name, made, enrollmentKey="trigger.id", **settings),
        st.sampled_from("ABC"),
        steps(listener) if alone else steps(listener, rules, update),
        st.fixed_dictionaries(
            {}, optional={"exits": exits, "goal": goal, "follow": st.lists(listener, min_size=1, max_size=1)}
        ),
    )


TYPES = ("teetime.booked", *HEARD, *HEARD, "customer.updated", "due", "exit")
DATA = [
    {},
    {"at": "2026-11-25T09:00:00Z"},
    {"at": "2026-12-02T09:00:00Z"},
    {"at": None},
    {"tier": "Gold"},
    {"tier": "B"},
]
INPUT = st.tuples(
    st.integers(0, 50_000), st.sampled_from(TYPES), st.sampled_from("aab"), st.sampled_from(DATA),
    st.sampled_from([0, 0, 0, 1, 30]), st.integers(0, 30),
)  # fmt: skip
BOOKED = (0, "teetime.booked", "a", {}, 0, 31)


def write(inputs: list[Any]) -> list[Any]:
    """Return a script of a booking and what comes so many seconds later, of a type and a key, hours late."""
    script, now = list[Any](), NOON
    for seconds, type_, id_, data, late, number in [BOOKED, *inputs]:
        now += timedelta(seconds=seconds)
        at, whole = now - timedelta(hours=late), {"id": id_, "at": LATER} | data
        given = (type_, None) if type_ in ("due", "exit") else ("event", event(number, at, type_, data=whole))
        script.append((seconds, given))
    return script


SCRIPT = st.lists(INPUT, max_size=15).map(write)
ALL = st.lists(journeys(alone=False), min_size=1, max_size=3, unique_by=lambda one: one.name)
ALONE = st.lists(journeys(alone=True), min_size=1, max_size=3, unique_by=lambda one: one.name)


@settings(max_examples=50)
@given(ALL, SCRIPT)
def test_every_enrolment_ends_or_waits_and_no_step_is_done_twice_in_a_visit(
    authored: list[Journey], script: Any
) -> None:
    life = live_through(authored, script)
    ids = [command["commandId"] for command in life.commands]
    assert len(ids) == len(set(ids))
    visits = [(e["enrollmentId"], e["stepId"], e["visit"]) for e in life.entries if e["type"] == "step.completed"]
    assert len(visits) == len(set(visits))
    results = [entry["result"] for entry in life.entries if "firedAt" in entry.get("result", {})]
    over = [one for one in results if one.get("ended", "time") == "time" and one["waitingUntil"]]
    assert all(one["firedAt"] >= one["waitingUntil"] for one in over)
    ended = life.told("enrollment.exited", "enrollmentId") + life.told("enrollment.completed", "enrollmentId")
    assert len(ended) == len(set(ended))
    reached = life.told("goal.reached", "enrollmentId")
    assert len(reached) == len(set(reached)), "a goal counts once an enrolment"


@settings(max_examples=50)
@given(ALL, SCRIPT)
def test_R7_an_input_twice_is_as_good_as_once(authored: list[Journey], script: Any) -> None:
    once, twice = live_through(authored, script), live_through(authored, script, twice=True)
    assert once.commands == twice.commands
    told = [entry for entry in twice.entries if entry.get("reason") != "duplicate"]
    assert [entry for entry in once.entries if entry.get("reason") != "duplicate"] == told


@settings(max_examples=50)
@given(ALL, SCRIPT)
def test_R26_of_whoever_has_ended_every_step_is_accounted_for(authored: list[Journey], script: Any) -> None:
    life = live_through(authored, script)
    all_steps = {one.id: {step.id for step in one.steps} for one in authored}
    for ended in (entry for entry in life.entries if "exitReason" in entry):
        mine = [entry for entry in life.entries if entry.get("enrollmentId") == ended["enrollmentId"]]
        done = ("step.completed", "step.skipped", "step.failed")
        assert {entry["stepId"] for entry in mine if entry["type"] in done} == all_steps[ended["journeyId"]]


@settings(max_examples=50)
@given(ALONE, SCRIPT, st.sampled_from(HEARD), st.sampled_from(HEARD))
def test_two_events_of_different_runs_may_come_in_any_order(
    authored: list[Journey], script: Any, one: str, other: str
) -> None:
    at = NOON + timedelta(days=10)
    first, second = event(40, at, one, data={"id": "a"}), event(41, at, other, data={"id": "b"})
    lives = []
    for both in ((first, second), (second, first)):
        life = live_through(authored, script)
        life.give(both[0], at).give(both[1], at)
        lives.append((_view(life), sorted(command["commandId"] for command in life.commands)))
    assert lives[0] == lives[1]


def _view(life: Life) -> Any:
    """Return a row but for the order in which it remembers events, and what was watched."""
    assert life.customer is not None
    recent = sorted(life.customer.recent[at : at + 8] for at in range(0, len(life.customer.recent), 8))
    watched = sorted(life.customer.watched, key=lambda watch: watch.id)
    return recent, watched, msgspec.structs.replace(life.customer, recent=b"", watched=())


@settings(max_examples=50)
@given(SETS, STEPS)
def test_a_row_of_journeys_that_do_not_listen_holds_nothing_of_it(authored: list[Journey], script: Any) -> None:
    life = live_through(authored, script)
    if life.customer is None:
        return
    assert not life.customer.watched
    assert all(one.memory is None for one in life.customer.enrollments.values())
    plain = msgspec.json.decode(encode(life.customer))
    assert "watched" not in plain
    assert not any("memory" in one for one in plain.get("enrollments", {}).values())


@pytest.mark.parametrize(
    "what", ["goal.reached", "trigger.updated", "step.replanned", "rule", "goal", "event", "rules"]
)
def test_these_journeys_and_inputs_do_what_listening_is_for(what: str) -> None:
    """Else what holds for all of them would prove nothing."""

    def does(given: Any) -> bool:
        entries = live_through(*given).entries
        return any(
            what in (one["type"], one.get("exitReason"), one.get("result", {}).get("ended")) for one in entries
        )

    some = settings(max_examples=3000, phases=[Phase.generate], deadline=None, suppress_health_check=HealthCheck)
    assert does(find(st.tuples(ALL, SCRIPT), does, settings=some))
