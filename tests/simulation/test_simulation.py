"""The virtual clock: what is due comes first, what is sent on arrives, and the end is where nothing waits."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.journey import Journey, JourneyStatus
from streams.engine.reading import split_lines
from streams.errors import FairwayError
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys, read_customers
from streams.simulation.simulation import Output, Simulation
from tests.engine.build import NOON, hours, journey, send, wait


def line(number: int, customer: str, at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    return {
        "eventId": f"e-{number}",
        "eventType": "teetime.booked",
        "tenantId": "pinehurst",
        "customerId": customer,
        "occurredAt": at.isoformat(),
        **fields,
    }


def control(word: str, at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    return {"control": word, "at": at.isoformat(), "tenantId": "pinehurst", "journey": "Welcome", **fields}


def run(authored: list[Journey], *lines: Any, until: datetime | None = None, customers: str = "") -> list[Output]:
    raw = b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in lines)
    simulation = Simulation(load_journeys(authored), read_customers(split_lines(customers.encode())))
    return list(simulation.run(parse_lines(split_lines(raw), authored), until))


def sent(outputs: list[Output]) -> list[tuple[str, datetime]]:
    return [(o.fields["customerId"], o.at) for o in outputs if o.topic == "fairway.commands"]


def refusals(outputs: list[Output]) -> list[str]:
    entries = [entry for o in outputs if o.topic == "fairway.activity" for entry in o.fields["entries"]]
    return [entry["reason"] for entry in entries if entry["type"] == "enrollment.refused"]


def test_input_is_handled_in_order_of_its_time_and_the_clock_runs_on_until_nothing_waits() -> None:
    outputs = run([journey(wait(), send())], line(2, "b", NOON + hours(1)), line(1, "a"))
    assert sent(outputs) == [("a", NOON + hours(2)), ("b", NOON + hours(3))]
    assert [output.at for output in outputs] == sorted(output.at for output in outputs)


def test_a_cloudevent_is_an_event_in_a_file_too() -> None:
    event = {
        "specversion": "1.0", "id": "e-1", "source": "/tills/4", "type": "teetime.booked", "time": NOON.isoformat(),
        "tenantid": "pinehurst", "customerid": "c-1", "data": {},
    }  # fmt: skip
    assert sent(run([journey(send())], event)) == [("c-1", NOON)]


def test_until_stops_the_clock() -> None:
    outputs = run([journey(wait(), send())], line(1, "a"), line(2, "b", NOON + hours(1)), until=NOON + hours(2))
    assert sent(outputs) == [("a", NOON + hours(2))]
    assert sent(run([journey(send())], line(1, "a", NOON + hours(3)), until=NOON)) == []


def test_journeys_that_never_end_are_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.simulation.simulation._ENDLESS", 100)
    with pytest.raises(FairwayError, match=r"^The journeys go round for ever: say with --until when to stop\.$"):
        run([journey(send(), wait() | {"nextStepId": "mail"})], line(1, "a"))


def test_customers_known_before_bring_their_profile() -> None:
    known = (
        '\ufeff{"tenantId":"pinehurst","customerId":"a","attributes":{"x":"1\u2028"},"timezone":"Asia/Tokyo",'
        '"subscriptions":{"email":false}}\n\n'
    )
    assert sent(run([journey(send())], line(1, "a"), line(2, "b"), customers=known)) == [("b", NOON)]
    (customer,) = read_customers(split_lines(known.encode()))
    assert customer.profile == {"x": "1\u2028", "timezone": "Asia/Tokyo", "subscriptions": {"EMAIL": False}}


def test_a_customers_line_that_is_none_is_refused_with_its_number() -> None:
    with pytest.raises(FairwayError, match=r"^Line 1 of the customers can't be used: .*customerId.*\.$"):
        read_customers(split_lines(b'{"tenantId": "pinehurst"}'))
    with pytest.raises(FairwayError, match=r"^Line 2 of the customers can't be used: .*utf-8.*\.$"):
        read_customers(split_lines(b'\n{"tenantId": "pinehurst", "customerId": "\xff"}'))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tenantId": "a:b"}, "The tenantId must be a text of 1 to 100 characters without a colon or control "
                              "characters."),
        ({"customerId": "c" * 257}, "The customerId must be a text of 1 to 256 characters without U+0000."),
        ({"attributes": {"a": "\0"}}, "The data holds the character U+0000, which is not allowed anywhere."),
        ({"attributes": {"a": 2**63}}, "The data holds an integer that does not fit 64 bits."),
        ({"attributes": []}, "The data must be a JSON object with numbers that fit 64 bits."),
        ({"attributes": json.loads("[" * 40 + "]" * 40)}, "The JSON is nested deeper than 32 levels."),
    ],
)  # fmt: skip
def test_a_customers_line_may_hold_what_an_event_may(fields: dict[str, Any], sentence: str) -> None:
    whole = {"tenantId": "pinehurst", "customerId": "c-7"} | fields
    with pytest.raises(FairwayError) as error:
        read_customers(split_lines(json.dumps(whole).encode()))
    assert str(error.value) == f"Line 1 of the customers can't be used: {sentence}"


@pytest.mark.parametrize(
    ("fields", "profile"),
    [
        ({"subscriptions": {"email ": "false", "SMS": 1}}, {"subscriptions": {"EMAIL": False, "SMS": True}}),
        ({"subscriptions": {"email": False, "EMAIL": True}}, {"subscriptions": {"EMAIL": False}}),
        ({"subscriptions": {"EMAIL": True}, "attributes": {"subscriptions": {"email": 0}}},
         {"subscriptions": {"EMAIL": False}}),
        ({"attributes": {"unsubscribed": "TRUE", "tier": None}}, {"unsubscribed": True}),
        ({"subscriptions": None, "attributes": {"subscriptions": None}}, {}),
        ({"subscriptions": {}, "timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}),
    ],
)  # fmt: skip
def test_R24_opt_outs_of_a_customers_file_are_read_as_those_of_events(
    fields: dict[str, Any], profile: dict[str, Any]
) -> None:
    whole = {"tenantId": "pinehurst", "customerId": "a"} | fields
    (customer,) = read_customers([json.dumps(whole).encode()])
    assert customer.profile == profile


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"subscriptions": []}, "'subscriptions' must hold channels, each true or false."),
        ({"subscriptions": "EMAIL"}, "'subscriptions' must hold channels, each true or false."),
        ({"subscriptions": {"email": "no"}}, "'subscriptions.EMAIL' must be true or false."),
        ({"attributes": {"subscriptions": []}}, "'subscriptions' must hold channels, each true or false."),
        ({"attributes": {"unsubscribed": "yes"}}, "'unsubscribed' must be true or false."),
    ],
)
def test_R24_a_customers_file_that_says_neither_true_nor_false_is_refused(
    fields: dict[str, Any], sentence: str
) -> None:
    whole = {"tenantId": "pinehurst", "customerId": "a"} | fields
    with pytest.raises(FairwayError) as error:
        read_customers([json.dumps(whole).encode()])
    assert str(error.value) == f"Line 1 of the customers can't be used: {sentence}"


def test_nothing_may_stand_where_an_object_may_be_left_out() -> None:
    (customer,) = read_customers(split_lines(b'{"tenantId": "pinehurst", "customerId": "c-7", "attributes": null}'))
    assert customer.profile == {}
    assert len(sent(run([journey(send())], control("enroll", customerId="a", data=None)))) == 1


def test_a_journey_whose_file_names_a_status_has_it() -> None:
    assert run([journey(send(), status="DRAFT")], line(1, "a")) == []
    outputs = run([journey(send(), status="DRAFT")], control("activate"), line(1, "a"))
    assert sent(outputs) == [("a", NOON)]


def test_R29_pause_holds_waits_and_resume_lets_a_thousand_a_second_go_oldest_first() -> None:
    events = [line(n, f"c{n}", NOON + timedelta(milliseconds=n)) for n in range(2_500)]
    outputs = run(
        [journey(wait(), send())],
        *events,
        control("pause", NOON + hours(1)),
        line(9_999, "late", NOON + hours(4)),
        control("resume", NOON + hours(5)),
    )
    moments = [at - NOON - hours(5) for _, at in sent(outputs)]
    assert [moments.count(timedelta(seconds=second)) for second in range(4)] == [1000, 1000, 500, 0]
    assert [customer for customer, _ in sent(outputs)] == [f"c{n}" for n in range(2_500)]
    assert refusals(outputs) == ["paused"]


def test_R29_two_journeys_resumed_share_the_rate() -> None:
    both = [journey(wait(), send(), name=name) for name in ("A", "B")]
    events = [line(n, f"c{n}") for n in range(800)]
    controls = [
        control(word, NOON + at, journey=name)
        for word, at in (("pause", hours(1)), ("resume", hours(5)))
        for name in ("A", "B")
    ]
    outputs = run(both, *events, *controls)
    assert len(sent(outputs)) == 1_600
    assert {at - NOON - hours(5) for _, at in sent(outputs)} == {timedelta(0), timedelta(seconds=1)}


def test_R29_archive_ends_all_and_can_not_be_undone() -> None:
    outputs = run(
        [journey(wait(), send())],
        line(1, "a"),
        control("archive", NOON + hours(1)),
        control("activate", NOON + hours(1)),
        line(2, "b", NOON + hours(1)),
    )
    assert sent(outputs) == []
    exited = [e for o in outputs for e in o.fields["entries"] if e["type"] == "enrollment.exited"]
    assert [(entry["exitReason"], entry["detail"]) for entry in exited] == [("manual", "journey archived")]


def test_R6_enroll_and_exit_by_hand() -> None:
    manual = journey(wait(), send(), triggerType="MANUAL")
    outputs = run(
        [manual],
        control("enroll", customerId="a", data={"n": 1}),
        control("enroll", customerId="b", data=None),
        control("exit", NOON + hours(1), customerId="b"),
    )
    assert [o.fields["data"] for o in outputs if o.topic == "fairway.commands"] == [{"n": 1}]


def test_R5_never_more_than_the_limit_and_a_place_is_free_as_soon_as_one_ends() -> None:
    limited = journey(wait(), send(), maxEnrollments=2, allowReentry=True)
    outputs = run(
        [limited],
        *(line(n, f"c{n}") for n in range(4)),
        control("exit", NOON + hours(1), customerId="c0"),
        line(4, "c4", NOON + hours(1)),
        line(5, "c5", NOON + hours(1)),
        line(6, "c6", NOON + hours(2)),
    )
    assert [customer for customer, _ in sent(outputs)] == ["c1", "c4", "c6"]
    assert refusals(outputs) == ["maxEnrollments"] * 3


def test_R24_a_late_opt_out_under_a_merged_id_reaches_the_survivor() -> None:
    merged = line(1, "new", eventType="customer.merged", data={"fromCustomerId": "old"})
    late = line(2, "old", eventType="customer.unsubscribed", data={"channel": "email"})
    assert sent(run([journey(send())], merged, late, line(3, "new"), line(4, "third"))) == [("third", NOON)]


def test_R27_merging_reaches_the_other_customer() -> None:
    merged = line(3, "new", NOON + hours(1), eventType="customer.merged", data={"fromCustomerId": "old"})
    outputs = run([journey(wait(), send())], line(1, "old"), merged, line(4, "new", NOON + hours(1)))
    assert sent(outputs) == []
    assert refusals(outputs) == ["reentry"]


BAD = [
    (b"{", "not-json", "The value is not JSON."),
    (b'{"eventId": "e"}', "schema", None),
    (b'{"eventId":"e","tenantId":"t","customerId":"c","occurredAt":"2026-11-23T12:00:00Z"}', "schema",
     "The field 'eventType' is required in a file: there is no topic to take it from."),
    (json.dumps(control("launch")).encode(), "schema",
     "The control 'launch' is not one of activate, archive, enroll, exit, pause, resume."),
    (json.dumps(control("pause", journey="Nope")).encode(), "schema", "Tenant 'pinehurst' has no journey 'Nope'."),
    (json.dumps(control("exit")).encode(), "schema", "The control 'exit' needs a customerId."),
    (json.dumps(control("pause") | {"at": "2026-11-23T12:00:00"}).encode(), "schema",
     "The time 'at' of a control must be a date-time with an offset, such as 2026-11-23T10:00:00Z."),
    (b'{"control": "pause"}', "schema", None),
    (b'{"control": "pa\xff"}', "schema", None),
    (json.dumps(control("pause") | {"at": "soon"}).encode(), "schema",
     "The time 'at' of a control must be a date-time with an offset, such as 2026-11-23T10:00:00Z."),
    (json.dumps(control("exit", customerId="c" * 257)).encode(), "schema",
     "The customerId must be a text of 1 to 256 characters without U+0000."),
    (json.dumps(control("enroll", customerId="c", data={"a": "\0"})).encode(), "schema", None),
    (json.dumps(control("enroll", customerId="c", data={"a": 2**63})).encode(), "schema", None),
    (json.dumps(control("enroll", customerId="c", data=[])).encode(), "schema", None),
    (json.dumps(control("pause")).encode() + b"[" * 100_000, "too-deep", None),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "code", "reason"), BAD)
def test_a_bad_line_becomes_a_dead_letter_and_the_lines_around_it_are_handled(
    raw: bytes, code: str, reason: str | None
) -> None:
    outputs = run([journey(send())], line(1, "a"), raw, line(2, "b"))
    (letter,) = [output.fields for output in outputs if output.topic == "fairway.dead-letters"]
    assert letter["code"] == letter["headers"]["dlq.code"] == code
    assert letter["raw"] == raw.decode(errors="replace")
    assert reason in (None, letter["reason"])
    assert len(sent(outputs)) == 2


def test_a_bad_line_at_the_start_takes_the_time_of_the_first_good_one() -> None:
    outputs = run([journey(send())], b"{", line(1, "a"))
    assert [output.at for output in outputs] == [NOON] * 3
    assert run([journey(send())], b"{")[0].at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    ["2026-11-23T13:00+01", "2026-11-23T12:00:00.0000009Z", "2026-11-22T24:00-12:00", "2026-11-23T12:00Z[UTC]"],
)
def test_the_time_of_a_control_is_read_as_that_of_an_event(at: str) -> None:
    given = control("enroll", customerId="a") | {"at": at}
    event = line(2, "b") | {"occurredAt": at}
    assert sent(run([journey(send())], given, event)) == [("a", NOON), ("b", NOON)]


def test_an_event_that_speaks_of_control_is_still_an_event() -> None:
    assert sent(run([journey(send())], line(1, "a", data={"control": "none"}))) == [("a", NOON)]


def test_R28_of_several_versions_in_files_the_newest_is_entered() -> None:
    versions = [journey(send("new", "new"), version=2), journey(send())]
    outputs = run(versions, line(1, "a"))
    assert [o.fields["templateId"] for o in outputs if o.topic == "fairway.commands"] == ["new"]


def test_load_journeys_keeps_what_the_file_says() -> None:
    authored = journey(send(), status="PAUSED")
    assert load_journeys([authored]).status(authored.id) == JourneyStatus.PAUSED
