"""The engine is total: no journey that passes the check, no profile and no input makes it raise (R30)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.customer import Customer, EntryHistory, decode, encode
from models.journey import Journey
from models.messages import Event
from models.steps import Update
from streams.engine import decoding
from streams.engine.check import check
from streams.engine.compiling import compile_journey
from streams.engine.effects import Forward
from streams.engine.fields import Scope, compile_field
from streams.engine.inputs import (
    Arrived,
    CustomerInput,
    Due,
    Enroll,
    Exit,
    InboxMessage,
    MergeAway,
    MergeIn,
    OptOut,
    PlaceAnswer,
    Sweep,
)
from streams.engine.schema import DESCRIPTIONS
from streams.engine.updates import UpdateRefusedError, apply_updates
from tests.engine.build import NOON, Life, live

PLAIN = "a b a.b 0 1 00 -1 timezone unsubscribed subscriptions EMAIL customer Europe/London true FALSE .* ("
DATED = ["2026-05-01T10:00Z", "9999-12-31T24:00Z", "0001-01-01", "1 day", "1,500 seconds", "999999999 years"]
ODD = ["", " ", "email ", "\u0660", "\u00b2", "é\n\x1b", "x" * 300, "9" * 5000]
WORDS = st.sampled_from([*PLAIN.split(), *DATED, *ODD])
NUMBERS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, 1, -0.0])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(WORDS, JSON, max_size=5)
DEEP = st.integers(1, 30).map(lambda depth: msgspec.json.decode(b'{"a":' * depth + b"[1]" + b"}" * depth))
PROFILE = OBJECT | DEEP
PATH = st.lists(WORDS, min_size=1, max_size=4).map(".".join) | st.sampled_from(
    ["customer.a.b", "trigger.a", "event.data.a", "event.occurredAt", "enrollment.visits.s1", "a." * 40 + "a"]
)
MOMENT = st.datetimes(datetime(1970, 1, 2), datetime(2999, 12, 30), timezones=st.just(UTC))


@given(PATH, PROFILE, PROFILE)
def test_R8_any_path_can_be_looked_up_in_anything(path: str, data: dict[str, Any], profile: dict[str, Any]) -> None:
    scope = Scope({"occurredAt": NOON}, data, profile, {"visits": {}})
    for place in ("trigger", "step"):
        compile_field(path, place)(scope)  # type: ignore[arg-type]


PATHS = "a a.b customer.a.0 trigger.b event.data.a event.occurredAt customer.timezone a.00 unsubscribed"
FIELD = st.sampled_from(
    [*PATHS.split(), "customer.subscriptions.email", "a.\u0660", "a." + "9" * 5000, ".".join("a" * 31)]
)
UPDATE = st.fixed_dictionaries(
    {
        "field": PATH.filter(bool),
        "operation": st.sampled_from(["set", "unset", "add", "remove", "increment", "decrement"]),
    },
    optional={"value": JSON},
)


@given(PROFILE, st.lists(UPDATE, min_size=1, max_size=3))
def test_R23_any_update_of_anything_holds_or_is_refused(
    profile: dict[str, Any], updates: list[dict[str, Any]]
) -> None:
    frozen = msgspec.json.encode(profile)
    try:
        after = apply_updates(profile, [Update.model_validate(update) for update in updates])[0]
    except UpdateRefusedError:
        pass
    else:
        assert msgspec.json.decode(msgspec.json.encode(after)) == after
    assert msgspec.json.encode(profile) == frozen


TEXT = st.sampled_from(["a", "é\n\x1b", "Ünïted", "true", "2026-05-01T10:00Z"])
SCALAR = st.booleans() | NUMBERS | TEXT
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "isNull": st.none(),
    "isNotEmpty": st.none(),
    "isFalse": st.none(),
    "isTrue": st.none(),
    "equals": SCALAR | st.lists(SCALAR, min_size=1, max_size=2),
    "notEquals": SCALAR,
    "greaterThan": NUMBERS | TEXT,
    "lessThanOrEqual": NUMBERS | TEXT,
    "between": st.lists(NUMBERS, min_size=2, max_size=2).map(sorted),
    "notIn": st.lists(SCALAR, min_size=1, max_size=3),
    "in": st.lists(SCALAR, min_size=1, max_size=3),
    "contains": SCALAR,
    "containsAll": st.lists(SCALAR, min_size=1, max_size=2),
    "startsWith": TEXT,
    "notEndsWith": TEXT,
    "matches": st.sampled_from([".*", "^é", "(a|b)+$", "a{1000}"]),
    "before": st.sampled_from(["2026-05-01", "0001-01-01", "9999-12-31T24:00Z"]),
    "after": st.just("2026-05-01T10:00"),
    "withinLast": st.sampled_from(["1 day", "999999999 years"]),
    "notWithinNext": st.just("1 month"),
}
RULE = st.sampled_from(sorted(VALUES)).flatmap(
    lambda operator: st.fixed_dictionaries(
        {"field": FIELD, "operator": st.just(operator), "value": VALUES[operator]},
        optional={"ignoreCase": st.booleans()},
    )
)
OTHER = st.fixed_dictionaries(
    {"field": FIELD, "operator": st.sampled_from(["equals", "before", "matches"]), "valueField": FIELD}
)
RULES = st.lists(RULE | OTHER, min_size=1, max_size=2)
POLICY = st.sampled_from(["continue", "skip", "exit", "fail"])
WEIGHT = st.floats(0, exclude_min=True, allow_infinity=False) | st.integers(1, 10)
UNTIL = st.one_of(
    st.sampled_from(["2026-05-01T10:00Z", "9999-12-31T24:00Z", "0001-01-01", "2026-11-23T12:00:00,5"]),
    st.fixed_dictionaries(
        {"field": FIELD}, optional={"offset": st.sampled_from(["-1 day", "999999999 years", "-1 week"])}
    ),
    st.fixed_dictionaries(
        {"time": st.sampled_from(["09:00", "23:59:59"])}, optional={"weekdays": st.just(["MON"])}
    ),
)
LATE = st.fixed_dictionaries({"after": st.just("1 hour"), "then": st.sampled_from(["continue", "skip", "exit"])})
WAIT = st.fixed_dictionaries(
    {"duration": st.sampled_from(["0 seconds", "1 day", "1 month", "999999999 years", "1.5 hours"])},
    optional={
        "until": UNTIL,
        "timezone": st.sampled_from(["customer", "Asia/Tokyo", "Pacific/Apia"]),
        "ifPast": POLICY,
        "ifMissing": st.sampled_from(["fail", "continue", "exit"]),
        "ifLate": LATE,
    },
)
CHANNEL = st.sampled_from(["EMAIL", "email ", "sms", "Ω"])
CHANGE = st.one_of(
    st.fixed_dictionaries(
        {"field": FIELD.filter(lambda path: not path.startswith(("trigger", "event"))), "value": SCALAR}
    ),
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["a", "a.b", "b.0"]),
            "operation": st.sampled_from(["add", "remove"]),
            "value": SCALAR,
        }
    ),
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["a", "a.b", "b.0"]),
            "operation": st.sampled_from(["increment", "decrement"]),
            "value": NUMBERS,
        }
    ),
    st.fixed_dictionaries({"field": st.sampled_from(["a", "a.b", "b.0"]), "operation": st.just("unset")}),
)
CONFIGS = {
    "SEND": st.fixed_dictionaries(
        {"channel": CHANNEL, "templateId": TEXT}, optional={"expiresAfter": st.just("9 days")}
    ),
    "WAIT": WAIT,
    "CONDITION": st.fixed_dictionaries({"rules": RULES}),
    "SPLIT": st.fixed_dictionaries(
        {
            "variants": st.lists(
                st.fixed_dictionaries({"name": TEXT, "weight": WEIGHT}),
                min_size=1,
                max_size=2,
                unique_by=lambda variant: variant["name"],
            )
        }
    ),
    "UPDATE": st.fixed_dictionaries({"updates": st.lists(CHANGE, min_size=1, max_size=2)}),
}
STEP = st.one_of(
    [st.fixed_dictionaries({"type": st.just(kind), "config": config}) for kind, config in CONFIGS.items()]
)


@st.composite
def authored(draw: Callable[..., Any]) -> dict[str, Any]:
    """Return plain data that is nearly a journey, or one."""
    steps = [
        {"type": "TRIGGER", "config": {"conditions": draw(RULES)}},
        *draw(st.lists(STEP, min_size=1, max_size=5)),
    ]
    settings = st.fixed_dictionaries(
        {},
        optional={
            "allowReentry": st.just(True),
            "enrollmentKey": st.sampled_from(["trigger.a", "a.b", "customer.a"]),
            "maxEnrollments": st.just(1),
            "clubId": TEXT,
            "timezone": st.sampled_from(["Europe/London", "Pacific/Apia"]),
        },
    )
    name = draw(TEXT)
    whole = {"tenantId": "pinehurst", "name": name, "triggerType": "teetime.booked", "steps": steps} | draw(
        settings
    )
    if draw(st.integers(0, 9)) == 0:
        whole[draw(st.sampled_from([*whole, "id", "version", "status", "reentryAfter"]))] = draw(JSON)
    return whole


_NAMES = sorted({name for model in DESCRIPTIONS.values() for name in model})
NAMED = st.recursive(
    SCALAR | st.sampled_from([-1, 1e308, 2**70, "TRIGGER", "WAIT", "SPLIT"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(JSON | authored() | st.dictionaries(st.sampled_from(_NAMES), NAMED, max_size=6))
@example({"version": 1e308})
@example({"follow": [{"eventType": "a", "set": [{"type": 1}]}]})
@example({"steps": [{"type": "WAIT", "config": {"events": [{"eventType": "a", "keep": [{}]}]}}]})
def test_the_check_of_anything_ends_with_a_journey_or_with_sentences(raw: Any) -> None:
    journey, problems = check(raw)
    assert (journey is None) is bool(problems)
    assert all(problem.text for problem in problems)
    if journey is not None:
        compile_journey(journey)


def _journeys() -> st.SearchStrategy[list[Journey]]:
    checked = authored().map(lambda raw: check(raw)[0]).filter(lambda journey: journey is not None)
    return st.lists(checked, min_size=1, max_size=2)  # type: ignore[arg-type]


EVENT = st.builds(
    Event,
    st.sampled_from(["e-1", "e-2", "e-3"]),
    st.just("pinehurst"),
    st.just("c-7"),
    MOMENT,
    st.sampled_from(
        ["teetime.booked", "customer.updated", "customer.unsubscribed", "customer.merged", "customer.deleted"]
    ),
    st.none() | WORDS,
    PROFILE,
    OBJECT,
)
HISTORY = st.dictionaries(
    WORDS, st.dictionaries(WORDS, st.builds(EntryHistory, st.integers(1, 9), MOMENT), max_size=2), max_size=2
)
INPUT: st.SearchStrategy[CustomerInput] = st.one_of(
    st.builds(Arrived, EVENT),
    st.just(Due()),
    st.builds(Enroll, WORDS, MOMENT, PROFILE),
    st.builds(Exit, MOMENT, st.none() | WORDS),
    st.builds(Sweep, WORDS),
    st.builds(PlaceAnswer, WORDS, WORDS, st.booleans()),
    st.builds(MergeAway, WORDS, WORDS, MOMENT),
    st.builds(OptOut, WORDS, WORDS, MOMENT, st.lists(WORDS, max_size=2).map(tuple), st.booleans()),
    st.builds(MergeIn, WORDS, WORDS, MOMENT, PROFILE, HISTORY),
)
_read_message = msgspec.json.Decoder(InboxMessage).decode


@given(_journeys(), st.none() | PROFILE, st.lists(st.tuples(INPUT, st.integers(0, 10**8)), max_size=6))
def test_no_profile_and_no_input_makes_the_engine_raise(
    journeys: list[Journey], profile: dict[str, Any] | None, script: list[tuple[CustomerInput, int]]
) -> None:
    life = Life(live(*journeys), None if profile is None else Customer("pinehurst", "c-7", profile))
    now = NOON
    for given_, seconds in script:
        now += timedelta(seconds=seconds)
        if isinstance(given_, Enroll):
            given_ = msgspec.structs.replace(given_, journey_id=journeys[0].id)
        life.give(given_, now)
        for forward in life.forwards:
            _read_message(msgspec.json.encode(forward.message))
        if life.customer is not None:
            assert encode(decode(encode(life.customer))) == encode(life.customer)
        msgspec.json.encode([effect for effect in life.latest if not isinstance(effect, Forward)])


@pytest.mark.parametrize("path", ["tags." + "9" * 5000, "tags.\u0660", "tags.²", "a." * 500 + "a", "." * 500])
def test_a_path_of_any_length_is_looked_up_and_an_update_of_it_holds_or_is_refused(path: str) -> None:
    profile: dict[str, Any] = {"tags": ["a"]}
    assert compile_field(path, "step")(Scope({}, {}, profile)) is None
    with pytest.raises(UpdateRefusedError):
        apply_updates(profile, [Update.model_validate({"field": path, "value": 1})])


@given(st.dictionaries(st.sampled_from(["eventId", "tenantId", "customerId", "occurredAt", "data", "x"]), JSON))
def test_no_json_of_an_event_makes_decoding_raise(fields: dict[str, Any]) -> None:
    assert isinstance(decoding.decode(msgspec.json.encode(fields), (), "t"), Event | decoding.Rejection)
