"""What others have reported of their own tools, tried on this one: each case names where it was reported."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml

from streams.engine.check import check
from streams.engine.reading import read_journeys
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys, read_customers
from streams.simulation.simulation import Output, Simulation
from tests.engine.build import END, TRIGGER, ask, send, wait


def run(
    journey: dict[str, Any], *lines: dict[str, Any], customers: tuple[dict[str, Any], ...] = (), days: int = 1000
) -> list[Output]:
    """Return what comes of events: the journey goes through the text of a file and the check first."""
    whole = {"tenantId": "t", "name": "J", "triggerType": "booked"} | journey
    (raw,) = read_journeys(yaml.safe_dump(whole, allow_unicode=True))
    found, problems = check(raw)
    assert found is not None, problems
    known = read_customers([json.dumps({"tenantId": "t"} | customer).encode() for customer in customers])
    simulation = Simulation(load_journeys([found]), known)
    given = parse_lines([json.dumps(line).encode() for line in lines], [found])
    return list(simulation.run(given, given[-1].at + timedelta(days=days)))


def at(time: str, id_: str = "e", customer: str = "c", type_: str = "booked", **data: Any) -> dict[str, Any]:
    return {
        "eventId": f"{id_}-{time}", "eventType": type_, "tenantId": "t", "customerId": customer, "occurredAt": time,
        "data": data,
    }  # fmt: skip


def steps(*given: Any, **settings: Any) -> dict[str, Any]:
    return settings | {"steps": [TRIGGER, *given, END]}


def sent(outputs: list[Output]) -> list[tuple[str, str]]:
    return [
        (output.fields["templateId"], f"{output.fields['issuedAt']:%Y-%m-%dT%H:%M}")
        for output in outputs
        if output.topic == "fairway.commands"
    ]


def entries(outputs: list[Output], kind: str) -> list[dict[str, Any]]:
    found = [entry for o in outputs if o.topic == "fairway.activity" for entry in o.fields["entries"]]
    return [entry for entry in found if entry["type"] == kind]


def rule(field: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({} if value is None else {"value": value}), **more}


def test_a_date_alone_is_a_day_of_the_journeys_zone_also_between_local_midnight_and_utc_s() -> None:
    """mautic/mautic#17319: "N days before a date" was a day off near local midnight."""
    journey = steps(
        ask("ask", rule("trigger.expires", "withinNext", "4 days"), nextStepNoId="end"),
        send(),
        timezone="Europe/Berlin",
    )
    assert len(sent(run(journey, at("2025-01-23T23:30:00Z", expires="2025-01-28")))) == 1  # 00:30 on the 24th
    assert len(sent(run(journey, at("2025-01-23T22:30:00Z", expires="2025-01-28")))) == 0  # 23:30 on the 23rd


@pytest.mark.parametrize(
    "day", ["2018-12-04", "2018-12-04T08:00:00", "2018-12-04T08:00:00.123Z", "2018-12-04 08:00Z"]
)
def test_a_date_with_a_time_of_day_is_within_the_last_days_as_one_without(day: str) -> None:
    """mautic/mautic#6979: a date condition never held of a value with a time of day."""
    journey = steps(ask("ask", rule("trigger.seen", "withinLast", "4 days"), nextStepNoId="end"), send())
    assert len(sent(run(journey, at("2018-12-07T20:00:00Z", seen=day)))) == 1


def test_nothing_is_sent_before_the_date_that_a_step_waits_for() -> None:
    """mautic/mautic#1759 and n8n-io/n8n#8548: waits in other zones than UTC ended at once, or never."""
    for zone, when in (("Pacific/Auckland", "2016-05-19T20:00"), ("America/Los_Angeles", "2016-05-20T15:00")):
        journey = steps(wait("w", None, until="2016-05-20T08:00"), send(), timezone=zone)
        assert sent(run(journey, at("2016-05-19T10:00:00Z"))) == [("hello", when)]


@pytest.mark.parametrize(
    ("zone", "local", "begin", "days"),
    [
        ("America/New_York", "02:00", "2025-03-08T12:00:00Z", ["2025-03-09T07:00", "2025-03-10T06:00"]),
        ("Europe/London", "01:30", "2026-03-28T12:00:00Z", ["2026-03-29T01:30", "2026-03-30T00:30"]),
        ("America/New_York", "01:30", "2026-10-31T12:00:00Z", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("Africa/Cairo", "00:00", "2026-04-23T12:00:00Z", ["2026-04-23T22:00", "2026-04-24T21:00"]),
    ],
)
def test_a_daily_time_that_the_clocks_pass_over_is_not_skipped_and_none_comes_twice(
    zone: str, local: str, begin: str, days: list[str]
) -> None:
    """home-assistant/core#140771, rundeck/rundeck#6879, temporalio/temporal#8205: such a day had none, or two."""
    loop = [TRIGGER, wait("w", None, until={"time": local}), send(nextStepId="w")]
    journey = {"steps": loop, "timezone": zone}
    assert [when for _, when in sent(run(journey, at(begin), days=2))] == days


def test_a_day_is_a_day_of_the_calendar_and_24_hours_are_not() -> None:
    """PostHog/posthog#42016 and temporalio/temporal#10058: what was due at 8 came at 7 after the clocks changed."""
    for duration, when in (("1 day", "2025-11-02T14:00"), ("24 hours", "2025-11-02T13:00")):
        journey = steps(wait("w", duration), send(), timezone="America/Chicago")
        assert sent(run(journey, at("2025-11-01T13:00:00Z"))) == [("hello", when)]


@pytest.mark.parametrize(
    ("zone", "when", "is_told"),
    [
        ("Etc/Unknown", "2026-06-02T07:00", True),
        ("UTC+5.5", "2026-06-02T07:00", True),
        ("europe/london", "2026-06-02T07:00", True),
        ("", "2026-06-02T07:00", True),
        ("EST", "2026-06-01T14:00", False),
        ("US/Eastern", "2026-06-01T13:00", False),
        ("Asia/Calcutta", "2026-06-02T03:30", False),
        ("Etc/GMT+5", "2026-06-01T14:00", False),
    ],
)
def test_a_customer_whose_time_zone_nobody_knows_holds_nobody_up(zone: str, when: str, is_told: bool) -> None:
    """zammad/zammad#4320, matomo-org/matomo#10639, opensearch-project/reporting#1013: it ended the sender."""
    journey = steps(wait("w", None, until={"time": "09:00"}, timezone="customer"), send(), timezone="Europe/Berlin")
    outputs = run(
        journey, at("2026-06-01T12:00:00Z"), customers=({"customerId": "c", "attributes": {"timezone": zone}},)
    )
    assert sent(outputs) == [("hello", when)]
    (result,) = [entry["result"] for entry in entries(outputs, "step.completed") if entry["stepId"] == "w"]
    assert ("note" in result) is is_told


@pytest.mark.parametrize("operator", ["notEquals", "notIn", "notContains"])
def test_who_lacks_a_field_has_another_value(operator: str) -> None:
    """apache/unomi#301, datalust/seq-tickets#1216, mautic/mautic#11482 and dittofeed/dittofeed#1822."""
    value = ["AddJob"] if operator == "notIn" else "AddJob"
    journey = steps(ask("ask", rule("method", operator, value), nextStepNoId="end"), send())
    for data, count in (({}, 1), ({"method": None}, 1), ({"method": "Other"}, 1), ({"method": "AddJob"}, 0)):
        assert len(sent(run(journey, at("2026-06-01T12:00:00Z", **data)))) == count


def test_who_enters_again_while_still_inside_is_not_in_it_twice() -> None:
    """mautic/mautic#9797: a contact that subscribed again had the events of both rounds scheduled."""
    journey = steps(wait("w", "1 hour"), send(), allowReentry=True)
    outputs = run(journey, at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z"), at("2026-06-01T14:00:00Z"))
    assert sent(outputs) == [("hello", "2026-06-01T13:00"), ("hello", "2026-06-01T15:00")]
    assert [entry["reason"] for entry in entries(outputs, "enrollment.refused")] == ["reentry"]


def test_who_may_come_again_takes_every_step_again_and_who_may_not_takes_none() -> None:
    """mautic/mautic#7729 and #7881: a second round left its actions out, or a once-only one was sent twice."""
    events = at("2026-06-01T12:00:00Z"), at("2026-06-02T12:00:00Z")
    for again, count in ((True, 2), (False, 1)):
        outputs = run(steps(send(), allowReentry=again), *events)
        assert len(sent(outputs)) == count
        ids = [output.fields["commandId"] for output in outputs if output.topic == "fairway.commands"]
        assert len(set(ids)) == count


@pytest.mark.parametrize("channel", ["EMAIL", " email", None])
def test_who_unsubscribes_during_a_delay_gets_nothing_after_it(channel: str | None) -> None:
    """weMail/wemail#228 and buttondown/roadmap#2236: the rest of a series came after the unsubscription."""
    journey = steps(send("first", "first"), wait("w", "2 days"), send("second", "second"))
    gone = at("2026-06-02T12:00:00Z", type_="customer.unsubscribed", channel=channel)
    assert sent(run(journey, at("2026-06-01T12:00:00Z"), gone)) == [("first", "2026-06-01T12:00")]


def test_a_variant_stays_the_same_on_every_entry() -> None:
    """PostHog/posthog#69630: who came again landed in another variant."""
    split = {"id": "ab", "type": "SPLIT", "config": {"variants": ["A", "B", "C"]}}
    events = [at(f"2026-06-{day:02}T12:00:00Z", customer=customer) for day in range(1, 9) for customer in "abcdef"]
    found = entries(run(steps(split, allowReentry=True), *events), "step.completed")
    drawn = [entry["result"]["variant"] for entry in found if entry["stepId"] == "ab"]
    assert drawn == drawn[:6] * 8
    assert len(set(drawn)) > 1


def test_a_large_number_keeps_all_its_digits() -> None:
    """cloudevents/sdk-javascript#489 and mobz/elasticsearch-head#194: ids above 2 to the 53rd were rounded."""
    journey = steps(ask("ask", rule("trigger.id", "equals", 1524831183200260097), nextStepNoId="end"), send())
    for number, count in ((1524831183200260097, 1), (1524831183200260096, 0), (1524831183200260000, 0)):
        outputs = run(journey, at("2026-06-01T12:00:00Z", id=number))
        assert len(sent(outputs)) == count
        (started,) = entries(outputs, "enrollment.started")
        assert started["triggerData"] == {"id": number}


def test_weekdays_are_those_of_the_zone_also_where_utc_has_another_day() -> None:
    """dam-agents/dam#827 and theopenco/llmgateway#3775: weekdays and hours were those of UTC."""
    monday = wait("w", None, until={"time": "00:30", "weekdays": ["MON"]})
    journey = steps(monday, send(), timezone="Asia/Shanghai")
    assert sent(run(journey, at("2026-08-30T15:00:00Z"))) == [("hello", "2026-08-30T16:30")]  # Sunday in UTC
    assert sent(run(journey, at("2026-08-30T16:31:00Z"))) == [("hello", "2026-09-06T16:30")]


@pytest.mark.parametrize("seen", ["caf\u00e9", "cafe\u0301", "CAF\u00c9", "CAFE\u0301"])
@pytest.mark.parametrize("asked", ["caf\u00e9", "cafe\u0301"])
def test_two_ways_to_write_a_letter_are_one_where_case_is_ignored(seen: str, asked: str) -> None:
    """permissionlesstech/bitchat#214: names with accents did not match when they were typed on another device."""
    for operator, value in (("equals", asked), ("in", [asked]), ("startsWith", asked), ("contains", asked)):
        journey = steps(
            ask("ask", rule("trigger.name", operator, value, ignoreCase=True), nextStepNoId="end"), send()
        )
        assert len(sent(run(journey, at("2026-06-01T12:00:00Z", name=seen)))) == 1, operator


def test_the_time_out_of_a_branch_counts_from_when_its_step_was_reached() -> None:
    """mautic/mautic#1311: the other way was taken before the mail before it was sent."""
    journey = steps(wait("w", "2 hours"), send("a", "a"), wait("x", "1 hour"), send("b", "b"))
    assert sent(run(journey, at("2016-01-04T13:58:00Z"))) == [("a", "2016-01-04T15:58"), ("b", "2016-01-04T16:58")]


def test_a_survivor_who_subscribed_stays_so_and_who_said_nothing_inherits_the_opt_out() -> None:
    """SuiteCRM/SuiteCRM#7132: merging two leads unsubscribed one who had subscribed."""
    merged = at("2026-06-01T12:00:00Z", customer="new", type_="customer.merged", fromCustomerId="old")
    known = {"customerId": "old", "subscriptions": {"EMAIL": False}}
    for own, count in (({"EMAIL": True}, 1), ({}, 0)):
        survivor = {"customerId": "new", "subscriptions": own}
        later = at("2026-06-01T12:00:01Z", customer="new")
        assert len(sent(run(steps(send()), merged, later, customers=(known, survivor)))) == count
