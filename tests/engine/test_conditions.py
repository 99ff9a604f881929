from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duration import read_zone
from models.messages import Event
from models.rules import ALIASES, Group, Operator, Rule
from streams.engine.comparisons import NEGATED, WITHOUT_VALUE, compile_regex
from streams.engine.conditions import Conditions, Scope, compile_conditions, compile_field
from tests.engine.truth import NO_VALUE, NOW, PAGE, SEEN, TRUTH, ZONE, write

LONDON = read_zone(ZONE)
assert LONDON
EVENT = Event(
    event_id="e-1",
    tenant_id="pinehurst",
    customer_id="c-7",
    occurred_at=datetime(2026, 6, 8, 12, tzinfo=UTC),
    event_type="teetime.booked",
    data={"tier": "Gold"},
    extra={"source": "app", "tier": "extra", "nested": {"x": 1}},
)
POSITIVE = [operator for operator in Operator if operator not in NEGATED]
COMPLEMENT = {positive: negated for negated, positive in NEGATED.items()}


def scope(data: dict[str, Any] | None = None, profile: dict[str, Any] | None = None) -> Scope:
    return Scope(event=EVENT, data=data or {}, profile=profile or {}, enrollment={})


def compile_rule(**rule: Any) -> Conditions:
    return compile_conditions([Rule.model_validate(rule)], "AND", "trigger", LONDON)


def ask(seen: dict[str, Any], **rule: Any) -> tuple[bool, str | None]:
    """Return the answer, which `hold` and `explain` must share, and the note."""
    conditions = compile_rule(field="field", **rule)
    answer, [record] = conditions.explain(scope(seen), NOW)
    assert conditions.hold(scope(seen), NOW) is answer is record["matched"]
    return answer, record.get("note")


@pytest.mark.parametrize(("operator", "value", "option", "marks"), TRUTH)
def test_R10_the_truth_table_holds_and_R9_its_complement(
    operator: str, value: Any, option: str, marks: str
) -> None:
    rule = {} if value is NO_VALUE else {"value": value}
    rule |= {option: True} if option else {}
    expected = {"+": (True, None), ".": (False, None), "~": (False, "type mismatch")}
    answers = [ask(seen, operator=operator, **rule) for seen in SEEN]
    assert answers == [expected[mark] for mark in marks.replace(" ", "")]
    if negated := COMPLEMENT.get(Operator(operator)):
        assert [ask(seen, operator=negated, **rule) for seen in SEEN] == [(not yes, note) for yes, note in answers]


def test_R10_the_truth_table_has_every_positive_operator() -> None:
    assert {row[0] for row in TRUTH} == set(POSITIVE)


def test_R10_the_page_shows_the_truth_table() -> None:
    page = PAGE.read_text()
    assert page == write(page), "run: PYTHONPATH=. .venv/bin/python tests/engine/truth.py"


@pytest.mark.parametrize(("alias", "operator"), ALIASES.items())
def test_R10_an_alias_is_recorded_as_its_operator(alias: str, operator: str) -> None:
    _, [record] = compile_rule(field="field", operator=alias, value=1).explain(scope(), NOW)
    assert record["operator"] == operator


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.just("2026-06-07"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
# values that make an operator say yes now and then
wanted = json_values | st.just("3 days") | st.tuples(st.integers(-9, 0), st.integers(0, 9)).map(list)
fields = json_values.map(lambda value: {"field": value}) | st.just({})


@given(fields, wanted, st.sampled_from(sorted(NEGATED)), st.booleans(), st.booleans())
def test_R9_a_negated_operator_is_the_exact_complement_for_any_value(
    seen: dict[str, Any], value: Any, negated: Operator, ignore_case: bool, by_field: bool
) -> None:
    given_value = {"valueField": "other"} if by_field else {"value": value}
    data = seen | {"other": value} if by_field else seen
    positive = ask(data, operator=NEGATED[negated], ignoreCase=ignore_case, **given_value)
    negative = ask(data, operator=negated, ignoreCase=ignore_case, **given_value)
    assert negative == (not positive[0], positive[1])


@given(st.sampled_from([{}, {"field": None}]), wanted, st.sampled_from(POSITIVE), st.booleans())
def test_R9_a_positive_operator_is_false_of_a_missing_field(
    seen: dict[str, Any], value: Any, operator: Operator, ignore_case: bool
) -> None:
    expected = operator in (Operator.IS_NULL, Operator.IS_EMPTY)
    assert ask(seen, operator=operator, value=value, ignoreCase=ignore_case) == (expected, None)


@given(fields, st.sampled_from([operator for operator in POSITIVE if operator not in WITHOUT_VALUE]))
def test_R9_a_missing_value_makes_a_positive_operator_false(seen: dict[str, Any], operator: Operator) -> None:
    assert ask(seen, operator=operator, valueField="other") == (False, None)


@given(json_values.filter(lambda value: value is not None))
def test_R11_a_value_equals_itself(value: Any) -> None:
    assert ask({"field": value}, operator="equals", value=value) == (True, None)
    assert ask({"field": value}, operator="in", value=[value]) == (True, None)
    assert ask({"field": [value]}, operator="contains", value=value) == (True, None)


@pytest.mark.parametrize(
    ("low", "high"), [("Z", "a"), ("9", "A"), ("é", "ﬀ"), ("\uffff", "\U0001f600"), ("a", "aa")]
)
def test_R11_text_is_ordered_by_code_point(low: str, high: str) -> None:
    assert ask({"field": low}, operator="<", value=high) == (True, None)
    assert ask({"field": high}, operator="between", value=[low, low]) == (False, None)


def test_R11_large_numbers_compare_exactly() -> None:
    assert ask({"field": 2**53 + 1}, operator=">", value=float(2**53)) == (True, None)
    assert ask({"field": 2**53 + 1}, operator="equals", value=float(2**53)) == (False, None)


@pytest.mark.parametrize(("one", "other"), [("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("İ", "i̇")])
def test_R12_ignore_case_folds_case_of_any_script(one: str, other: str) -> None:
    for operator in ("equals", "contains", "startsWith", "endsWith", ">=", "<="):
        assert ask({"field": one}, operator=operator, value=other, ignoreCase=True) == (True, None)
    assert ask({"field": [{"a": one}]}, operator="equals", value=[{"a": other}], ignoreCase=True) == (True, None)
    assert ask({"field": [one]}, operator="containsAll", value=[other], ignoreCase=True) == (True, None)
    assert ask({"field": {"a": one}}, operator="equals", value={"a": "x"}, ignoreCase=True) == (False, None)
    assert ask({"field": [5, one]}, operator="equals", value=[5, other], ignoreCase=True) == (True, None)
    assert ask({"field": [5, one]}, operator="equals", value=[6, other], ignoreCase=True) == (False, None)


@pytest.mark.parametrize(
    ("zone", "now", "duration", "seen", "answer"),
    [
        ("UTC", "2026-06-08T12:00", "2 hours", "2026-06-08T09:59:59.999999", False),
        ("UTC", "2026-06-08T12:00", "2 hours", "2026-06-08T10:00", True),
        ("UTC", "2026-06-08T12:00", "2 hours", "2026-06-08T12:00", True),
        ("UTC", "2026-06-08T12:00", "2 hours", "2026-06-08T12:00:00.000001", False),
        ("Europe/London", "2026-03-29T11:00", "1 day", "2026-03-28T12:00:00Z", True),  # noon to noon is 23 hours
        ("Europe/London", "2026-03-29T11:00", "1 day", "2026-03-28T11:59:59Z", False),
        ("Europe/London", "2026-03-29T11:00", "24 hours", "2026-03-28T11:00:00Z", True),
        ("America/New_York", "2026-11-01T17:00", "1 day", "2026-10-31T16:00:00Z", True),  # 25 hours
        ("Australia/Lord_Howe", "2026-10-04T01:00", "1 day", "2026-10-03T01:30:00Z", True),  # 23:30 hours
        ("Australia/Lord_Howe", "2026-10-04T01:00", "1 day", "2026-10-03T01:29:59Z", False),
        ("America/St_Johns", "2026-03-08T14:30", "1 day", "2026-03-07T15:30:00Z", True),
        ("Asia/Tokyo", "2026-03-31T03:00", "1 month", "2026-02-28T03:00:00Z", True),
        ("Asia/Tokyo", "2026-03-31T03:00", "1 month", "2026-02-28T02:59:59Z", False),
    ],
)
def test_R17_within_last_counts_back_in_the_journeys_calendar(
    zone: str, now: str, duration: str, seen: str, answer: bool
) -> None:
    rule = Rule(field="at", operator=Operator.WITHIN_LAST, value=duration)
    known = read_zone(zone)
    assert known
    conditions = compile_conditions([rule], "AND", "step", known)
    assert conditions.hold(scope({"at": seen}), datetime.fromisoformat(now).replace(tzinfo=UTC)) is answer


def test_R12_ignore_case_means_nothing_to_a_duration() -> None:
    seen = {"field": "2026-06-08T11:00:00Z"}
    assert ask(seen, operator="withinLast", value="PT2H", ignoreCase=True) == (True, None)


@pytest.mark.parametrize(
    ("seconds", "answer"), [(-1, False), (0, True), (1, True), (7200, True), (7201, False), (90000, False)]
)
def test_R10_within_next_includes_both_ends(seconds: int, answer: bool) -> None:
    seen = {"field": (NOW + timedelta(seconds=seconds)).isoformat()}
    assert ask(seen, operator="withinNext", value="2 hours") == (answer, None)
    assert ask(seen, operator="notWithinNext", value="2 hours") == (not answer, None)
    assert ask(seen, operator="withinNext", value="2 hours", ignoreCase=True) == (answer, None)


@pytest.mark.parametrize(
    ("seen", "answer"), [(0, False), (1, True), (5, True), (6, False), ("a", None), (1.0, True), (5.0, True)]
)
def test_R10_between_includes_both_ends(seen: object, answer: bool | None) -> None:
    note = "type mismatch" if answer is None else None
    assert ask({"field": seen}, operator="between", value=[1, 5]) == (answer is True, note)


@pytest.mark.parametrize(("seen", "answer"), [("2026-10-25T13:00:00Z", True), ("2026-10-25T13:00:01Z", False)])
def test_R17_within_next_counts_on_in_the_journeys_calendar(seen: str, answer: bool) -> None:
    soon = compile_rule(field="at", operator="withinNext", value="1 day")
    assert (
        soon.hold(scope({"at": seen}), datetime(2026, 10, 24, 12, tzinfo=UTC)) is answer
    )  # noon to noon: 25 hours


@pytest.mark.parametrize(("operator", "value"), [("withinLast", "soon"), ("withinNext", 5), ("before", "soon")])
def test_R10_an_unreadable_value_compares_with_nothing(operator: str, value: object) -> None:
    assert ask({"field": "2026-06-08"}, operator=operator, value=value) == (False, "type mismatch")


@pytest.mark.parametrize(
    ("operator", "seen", "other"),
    [("in", "a", "abc"), ("containsAny", "abc", "abc"), ("between", 5, [1, 9, 9]), ("between", "b", "ac")],
)
def test_R13_a_field_that_holds_no_list_of_that_form_compares_with_nothing(
    operator: str, seen: Any, other: Any
) -> None:
    assert ask({"field": seen, "other": other}, operator=operator, valueField="other") == (False, "type mismatch")


def test_R9_a_rule_for_null_holds_of_nothing() -> None:
    assert ask({"field": "x"}, operator="equals", value=None) == (False, None)
    assert ask({"field": None}, operator="equals", value=None) == (False, None)


def test_R10_a_regular_expression_sees_the_first_4096_bytes_only() -> None:
    text = "x" * 4090 + "needle" + "yyy"
    assert ask({"field": text}, operator="matches", value="needle") == (True, None)
    assert ask({"field": "x" + text}, operator="matches", value="needle") == (False, None)
    assert ask({"field": "x" + text}, operator="notMatches", value="needle") == (True, None)
    assert ask({"field": "é" * 2046 + "needle"}, operator="matches", value="needle$") == (False, None)
    assert ask({"field": "é" * 2045 + "needle"}, operator="matches", value="needle$") == (True, None)
    assert ask({"field": "a" * 5000}, operator="matches", value="^a+$") == (False, None)  # its end is not seen
    assert ask({"field": "lone \ud800"}, operator="matches", value="^lone .$") == (True, None)
    assert ask({"field": "x" * 4096}, operator="matches", value="x" * 4096) == (True, None)


def test_R10_a_regular_expression_never_runs_away() -> None:
    assert ask({"field": "a" * 4096}, operator="matches", value="^(a+)+b$") == (False, None)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(", "missing ): ("),
        ("(?=x)", "invalid perl operator: (?="),
        (r"\pL{900}", "pattern too large - compile failed"),
        ("\ud800", "it is not valid Unicode"),
    ],
)
def test_R10_an_unreadable_regular_expression_matches_nothing(pattern: str, fault: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        compile_regex(pattern, ignore_case=False)
    assert str(error.value) == f"'{pattern}' is not a regular expression in RE2 syntax: {fault}."
    assert ask({"field": "x"}, operator="matches", value=pattern) == (False, "type mismatch")
    assert ask({"field": "x", "other": pattern}, operator="notMatches", valueField="other") == (
        True,
        "type mismatch",
    )


BOOKING = {
    "tier": "Gold",
    "guests": [{"name": "Ann"}, {"name": "Bob"}],
    "a.b": 1,
    "a": {"b": 2, "c": 3},
    "none": None,
}
PROFILE = {"tier": "Silver", "none": "profile", "home": {"city": "Cork"}, "05": "five", "event": "here"}
ENROLLMENT = {"enrolledAt": datetime(2026, 6, 8, 11, 0, 0, 250000, tzinfo=UTC), "variants": {"ab": "B"}}
MISSING = None


@pytest.mark.parametrize(
    ("path", "in_trigger", "in_step"),
    [
        ("tier", "Gold", "Silver"),
        ("none", "profile", "profile"),
        ("home.city", "Cork", "Cork"),
        ("guests.1.name", "Bob", "Bob"),
        ("guests.2.name", MISSING, MISSING),
        ("guests.-1.name", MISSING, MISSING),
        ("guests.01.name", "Bob", "Bob"),
        ("guests.9999999999.name", MISSING, MISSING),
        ("guests.name", MISSING, MISSING),
        ("tier.0", MISSING, MISSING),
        ("05", "five", "five"),
        ("event", "here", "here"),
        ("a.b", 1, 1),
        ("a.c", 3, 3),
        ("a", {"b": 2, "c": 3}, {"b": 2, "c": 3}),
        ("trigger.tier", "Gold", "Gold"),
        ("trigger.a.b", 1, 1),
        ("trigger.none", MISSING, MISSING),
        ("customer.tier", "Silver", "Silver"),
        ("customer.home.city", "Cork", "Cork"),
        ("event.eventId", "e-1", "e-1"),
        ("event.eventType", "teetime.booked", "teetime.booked"),
        ("event.tenantId", "pinehurst", "pinehurst"),
        ("event.clubId", MISSING, MISSING),
        ("event.customerId", "c-7", "c-7"),
        ("event.occurredAt", "2026-06-08T12:00:00Z", "2026-06-08T12:00:00Z"),
        ("event.source", "app", "app"),
        ("event.nested.x", 1, 1),
        ("event.tier", "extra", "extra"),
        ("event.data.tier", "Gold", "Gold"),
        ("event.guests.0.name", "Ann", "Ann"),
        ("event.data", BOOKING, BOOKING),
        ("enrollment.enrolledAt", "2026-06-08T11:00:00.250000Z", "2026-06-08T11:00:00.250000Z"),
        ("enrollment.variants.ab", "B", "B"),
        ("enrollment.nothing", MISSING, MISSING),
        ("", MISSING, MISSING),
        ("event.", MISSING, MISSING),
        ("..", MISSING, MISSING),
    ],
)
def test_R8_a_field_is_looked_up_where_its_path_says(path: str, in_trigger: object, in_step: object) -> None:
    arrived = Scope(event=EVENT, data=BOOKING, profile=PROFILE, enrollment=ENROLLMENT)
    assert compile_field(path, "trigger")(arrived) == in_trigger
    envelope = EVENT.extra | {
        "eventId": "e-1",
        "eventType": "teetime.booked",
        "tenantId": "pinehurst",
        "clubId": None,
        "customerId": "c-7",
        "occurredAt": EVENT.occurred_at,
    }
    later = Scope(event=envelope, data=BOOKING, profile=PROFILE, enrollment=ENROLLMENT)
    assert compile_field(path, "step")(later) == in_step


@given(st.text(alphabet="a.0~\0"), json_values)
def test_R8_no_path_raises(path: str, value: Any) -> None:
    everywhere = Scope(event={"a": value}, data={"a": value}, profile={"a": value}, enrollment={"a": value})
    for prefix in ("", "event.", "trigger.", "customer.", "enrollment."):
        compile_field(prefix + path, "step")(everywhere)


TIER = {"field": "tier", "operator": "equals", "value": "Gold"}
CITY = {"field": "city", "operator": "notEquals", "valueField": "customer.home"}
PLAYERS = {"field": "players", "operator": ">", "value": "4", "ignoreCase": True}


def test_R13_every_rule_is_recorded_with_what_was_seen() -> None:
    group = Group.model_validate({"combinator": "OR", "not": True, "rules": [TIER, {"rules": [CITY]}]})
    conditions = compile_conditions([group, Rule.model_validate(PLAYERS)], "AND", "trigger", LONDON)
    asked = scope({"tier": "Gold", "city": "Cork", "players": 5}, {"home": "Cork"})
    assert conditions.hold(asked, NOW) is False
    tier = {"field": "tier", "operator": "equals", "value": "Gold", "seen": "Gold", "matched": True}
    city = {"field": "city", "operator": "notEquals", "valueField": "customer.home", "value": "Cork"}
    city |= {"seen": "Cork", "matched": False}
    players = {"field": "players", "operator": "greaterThan", "value": "4", "ignoreCase": True, "seen": 5}
    players |= {"matched": False, "note": "type mismatch"}
    inner = {"combinator": "AND", "rules": [city], "matched": False}
    outer = {"combinator": "OR", "not": True, "rules": [tier, inner], "matched": False}
    assert conditions.explain(asked, NOW) == (False, [outer, players])


@pytest.mark.parametrize(
    ("combinator", "tier", "players", "answer"),
    [
        ("AND", True, True, True), ("AND", True, False, False),
        ("AND", False, True, False), ("AND", False, False, False),
        ("OR", True, True, True), ("OR", True, False, True),
        ("OR", False, True, True), ("OR", False, False, False),
    ],
)  # fmt: skip
def test_R13_rules_join_by_and_or_or(combinator: str, tier: bool, players: bool, answer: bool) -> None:
    rules = [{"field": "tier", "operator": "isTrue"}, {"field": "players", "operator": "isTrue"}]
    asked = scope({"tier": tier, "players": players})
    for negated in (False, True):
        group = Group.model_validate({"combinator": combinator, "rules": rules, "not": negated})
        conditions = compile_conditions([group], "AND", "trigger", LONDON)
        assert conditions.hold(asked, NOW) is conditions.explain(asked, NOW)[0] is (answer is not negated)
    flat = compile_conditions([Rule.model_validate(rule) for rule in rules], combinator, "trigger", LONDON)
    assert flat.hold(asked, NOW) is flat.explain(asked, NOW)[0] is answer


@pytest.mark.parametrize("combinator", ["AND", "OR"])
def test_R14_no_conditions_are_no_restriction(combinator: str) -> None:
    conditions = compile_conditions([], combinator, "trigger", LONDON)
    assert conditions.hold(scope(), NOW) is True
    assert conditions.explain(scope(), NOW) == (True, [])


rules = st.builds(
    lambda operator, value, field: Rule(field=field, operator=operator, value=value),
    st.sampled_from(Operator),
    wanted,
    st.sampled_from(["field", "other"]),
)
trees = st.recursive(
    rules,
    lambda inner: st.builds(
        lambda inside, combinator, negated: Group.model_validate(
            {"rules": inside, "combinator": combinator, "not": negated}
        ),
        st.lists(inner, max_size=3),
        st.sampled_from(["AND", "OR"]),
        st.booleans(),
    ),
    max_leaves=6,
)


@given(st.lists(trees, max_size=3), st.sampled_from(["AND", "OR"]), fields, json_values)
def test_R13_the_short_way_and_the_recorded_way_agree(
    conditions: list[Any], combinator: str, seen: dict[str, Any], other: Any
) -> None:
    compiled = compile_conditions(conditions, combinator, "trigger", LONDON)
    asked = scope(seen | {"other": other})
    answer, records = compiled.explain(asked, NOW)
    assert compiled.hold(asked, NOW) is answer
    assert len(records) == len(conditions)
