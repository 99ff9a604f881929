"""The virtual clock: what is due comes first, what is sent on arrives, and the end is where nothing waits."""

from datetime import timedelta

import pytest

from streams.engine.reading import split_lines
from streams.errors import FairwayError
from streams.simulation.scenario import read_customers
from tests.engine.build import NOON, hours, journey, send, wait
from tests.simulation.build import control, line, refusals, run, sent


def test_input_is_handled_in_order_of_its_time_and_the_clock_runs_on_until_nothing_waits() -> None:
    outputs = run([journey(wait(), send())], line(2, "b", NOON + hours(1)), line(1, "a"))
    assert sent(outputs) == [("a", NOON + hours(2)), ("b", NOON + hours(3))]
    assert [output.at for output in outputs] == sorted(output.at for output in outputs)


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


def test_R28_of_several_versions_in_files_the_newest_is_entered() -> None:
    versions = [journey(send("new", "new"), version=2), journey(send())]
    outputs = run(versions, line(1, "a"))
    assert [o.fields["templateId"] for o in outputs if o.topic == "fairway.commands"] == ["new"]


def test_R67_sends_beyond_a_rate_are_held_on_the_virtual_clock() -> None:
    lines = [line(n, f"c{n}") for n in range(4)]
    assert sent(run([journey(send())], *lines)) == [(f"c{n}", NOON) for n in range(4)]
    minutes = [timedelta(0), timedelta(0), timedelta(minutes=30), timedelta(minutes=60)]
    rated = sent(run([journey(send())], *lines, max_sends="EMAIL=2/hour"))
    assert rated == [(f"c{n}", NOON + minutes[n]) for n in range(4)]
    assert sent(run([journey(send())], *lines, max_sends="club-7:EMAIL=2/hour")) == [
        (f"c{n}", NOON) for n in range(4)
    ]
