"""What an activity record says, whole: whence its input came, when it counts, and whom it is about."""

from typing import Any

import msgspec
import pytest

from models.customer import Customer, EntryHistory
from models.ids import activity_id, enrollment_id
from models.journey import JourneyStatus
from models.messages import Source
from streams.engine.admission import decide
from streams.engine.effects import Forward
from streams.engine.inputs import (
    Arrived,
    CountActive,
    CustomerInput,
    Enroll,
    Exit,
    MergeAway,
    MergeIn,
    PlaceAnswer,
    ReleasePlace,
    RequestPlace,
    Sweep,
)
from streams.engine.leaving import places_key
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait

WHENCE = Source("fairway.inbox", 3, 41)
NORTH = journey(wait(), send(), clubId="north", allowReentry=True)
LIMITED = journey(wait(), send(), maxEnrollments=1)


def cause(kind: str, source: Source | None = None, **more: Any) -> dict[str, Any]:
    nowhere = {"topic": None, "partition": None, "offset": None}
    place = msgspec.structs.asdict(source) if source else nowhere
    return {"kind": kind, "eventId": None, "eventType": None} | {key: place[key] for key in nowhere} | more


def told_of(life: Life) -> list[tuple[Any, Any, Any]]:
    return [(record["cause"], record["at"], record["clubId"]) for record in life.records]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Enroll(NORTH.id, NOON, source=WHENCE), (cause("control", WHENCE, control="enroll"), NOON, "north")),
        (
            Exit(NOON + hours(1), NORTH.id, WHENCE),
            (cause("control", WHENCE, control="exit"), NOON + hours(1), None),
        ),
        (
            Arrived(event(2, NOON + hours(1), club="north"), WHENCE),
            (
                cause("event", WHENCE, eventId="e-2", eventType="teetime.booked"),
                NOON + hours(1),
                "north",
            ),
        ),
        (
            MergeAway("c-8", "e-5", NOON + hours(1)),
            (cause("event", eventId="e-5", eventType="customer.merged"), NOON + hours(1), None),
        ),
        (
            MergeIn("c-6", "e-5", NOON + hours(1), {"tier": "Gold"}),
            (cause("event", eventId="e-5", eventType="customer.merged"), NOON + hours(1), None),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_R26_a_record_says_what_came_in_and_whence(given: CustomerInput, told: tuple[Any, Any, Any]) -> None:
    life = Life(live(NORTH))
    if not isinstance(given, Enroll):
        life.give(event(1, club="north"))
    life.give(given, NOON + hours(1))
    assert told_of(life)[-1] == told


def test_R26_the_records_of_a_customer_are_numbered_and_whole() -> None:
    life = Life(live(NORTH)).give(event(club="north", data={"players": 4}))
    life.give(Exit(NOON + hours(1), NORTH.id), NOON + hours(1))
    about = {"tenantId": "pinehurst", "customerId": "c-7"}
    for number, (record, at) in enumerate(zip(life.records, ("12:00:00", "13:00:00"), strict=True), start=1):
        named = {"activityId": activity_id("pinehurst", "c-7", number, f"2026-11-23T{at}Z")}
        assert {name: record[name] for name in (*about, *named)} == about | named
        assert set(record) == {*about, *named, "at", "clubId", "cause", "entries"}
    assert life.entries[0] == {
        "type": "enrollment.started",
        "journeyId": NORTH.id,
        "journeyVersion": 1,
        "enrollmentId": enrollment_id(NORTH.id, "c-7", "", 1),
        "enrollmentKey": "",
        "entryNumber": 1,
        "enrolledAt": NOON,
        "triggerData": {"players": 4},
    }
    whose = ("journeyId", "journeyVersion", "enrollmentId")
    assert life.told("enrollment.exited", *whose) == life.told("enrollment.started", *whose)


def test_R3_a_refused_reentry_names_its_key() -> None:
    one = journey(wait(), enrollmentKey="trigger.teeTimeId")
    life = Life(live(one)).give(event(1, data={"teeTimeId": "t-1"})).give(event(2, data={"teeTimeId": "t-1"}))
    assert life.told("enrollment.refused", "reason", "enrollmentKey") == [("reentry", "t-1")]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("event.tenantId", "pinehurst"),
        ("event.customerId", "c-7"),
        ("event.clubId", "north"),
        ("customer.tier", "Gold"),
        ("trigger.teeTimeId", "t-1"),
    ],
)
def test_R6_by_hand_the_key_reads_what_is_known(field: str, key: str) -> None:
    one = journey(wait(), clubId="north", enrollmentKey=field)
    life = Life(live(one), Customer("pinehurst", "c-7", {"tier": "Gold"}))
    life.give(Enroll(one.id, NOON, {"teeTimeId": "t-1"}), NOON + hours(1))
    assert life.told("enrollment.started", "enrollmentKey", "enrolledAt") == [(key, NOON)]
    assert life.customer is not None
    (enrollment,) = life.customer.enrollments.values()
    assert enrollment.event == {"tenantId": "pinehurst", "customerId": "c-7", "clubId": "north"}
    assert enrollment.club_id == "north"


def test_R6_by_hand_a_key_of_the_enrolment_itself_is_no_key() -> None:
    one = journey(wait(), enrollmentKey="enrollment.id")
    life = Life(live(one)).give(Enroll(one.id, NOON)).give(event())
    assert life.told("enrollment.refused", "reason") == ["key", "key"]


def test_R27_what_was_held_back_is_recorded_as_if_it_came_in_order() -> None:
    on_merge = journey(send(), triggerType="customer.merged")
    life = Life(live(on_merge, NORTH))
    merged = event(1, type_="customer.merged", club="south", data={"fromCustomerId": "c-6"})
    life.give(Arrived(merged, WHENCE), NOON + hours(1))
    life.give(Arrived(event(2, NOON + hours(1), club="north"), WHENCE), NOON + hours(1))
    assert life.records == []
    assert life.forwards == [Forward(b"pinehurst:c-6", MergeAway("c-7", "e-1", NOON))]
    life.give(MergeIn("c-6", "e-1", NOON, {"tier": "Gold"}), NOON + hours(2))
    whole = cause("event", WHENCE, eventId="e-1", eventType="customer.merged")
    assert life.entries[0]["type"] == "profile.updated"
    assert told_of(life) == [
        (whole, NOON, "south"),
        (whole | {"eventId": "e-2", "eventType": "teetime.booked"}, NOON + hours(1), "north"),
    ]


def test_R27_histories_are_joined_by_the_higher_count_and_the_later_entry() -> None:
    known = Customer("pinehurst", "c-7", history={"j": {"a": EntryHistory(3, NOON), "b": EntryHistory(1, NOON)}})
    left = {
        "j": {"a": EntryHistory(1, NOON + hours(1)), "c": EntryHistory(2, NOON)},
        "k": {"": EntryHistory(1, NOON)},
    }
    life = Life(live(), known).give(MergeIn("c-6", "e-1", NOON, {}, left))
    assert life.customer is not None
    assert life.customer.history == {
        "j": {"a": EntryHistory(3, NOON + hours(1)), "b": EntryHistory(1, NOON), "c": EntryHistory(2, NOON)},
        "k": {"": EntryHistory(1, NOON)},
    }


@pytest.mark.parametrize(
    ("own", "left", "joined"),
    [
        ({"EMAIL": True}, {"EMAIL": False, "SMS": False}, {"EMAIL": True, "SMS": False}),
        (None, {"SMS": False}, {"SMS": False}),
        ({"EMAIL": True}, None, {"EMAIL": True}),
        ({"EMAIL": True}, "all", {"EMAIL": True}),
    ],
)
def test_R27_the_survivors_subscriptions_come_before_those_that_are_left(own: Any, left: Any, joined: Any) -> None:
    known = Customer("pinehurst", "c-7", {"subscriptions": own} if own else {})
    life = Life(live(), known).give(MergeIn("c-6", "e-1", NOON, {"subscriptions": left} if left else {}))
    assert life.customer is not None
    assert life.customer.profile == {"subscriptions": joined}


def candidate() -> tuple[Life, str]:
    life = Life(live(LIMITED)).give(event(club="north"))
    asked = life.forwards[0].message
    assert isinstance(asked, RequestPlace)
    assert life.forwards == [Forward(places_key(LIMITED.id), asked)]
    assert (asked.journey_id, asked.tenant_id, asked.customer_id) == (LIMITED.id, "pinehurst", "c-7")
    return life, asked.enrollment_id


FREED = Forward(places_key(LIMITED.id), ReleasePlace(LIMITED.id, "pinehurst", "c-7"))


@pytest.mark.parametrize("admitted", [True, False])
def test_R5_an_answer_is_recorded_at_the_time_of_the_event_that_asked(admitted: bool) -> None:
    life, id_ = candidate()
    life.give(PlaceAnswer(id_, LIMITED.id, admitted), NOON + hours(1))
    asked_by = cause("admission", eventId="e-1", eventType="teetime.booked")
    assert told_of(life) == [(asked_by, NOON, "north")]


@pytest.mark.parametrize("status", [JourneyStatus.ACTIVE, JourneyStatus.PAUSED])
def test_R5_a_refused_candidate_keeps_its_key_and_a_place_not_taken_is_freed(status: JourneyStatus) -> None:
    life, id_ = candidate()
    life.journeys = life.journeys.with_status(LIMITED.id, status, 1)
    life.give(PlaceAnswer(id_, LIMITED.id, admitted=status == JourneyStatus.PAUSED))
    assert life.told("enrollment.refused", "journeyId", "journeyVersion", "enrollmentKey") == [(LIMITED.id, 1, "")]
    assert life.forwards[1:] == [FREED] * (status == JourneyStatus.PAUSED)


def test_R5_an_end_and_an_answer_for_nobody_free_the_place_of_that_journey() -> None:
    life, id_ = candidate()
    life.give(PlaceAnswer("nobody", LIMITED.id, admitted=True))
    life.give(PlaceAnswer(id_, LIMITED.id, admitted=True)).due(NOON + hours(2))
    assert life.forwards[1:] == [FREED, FREED]


def test_R5_an_answer_names_its_candidate() -> None:
    row, _ = decide(None, CountActive("j", 0, 0), 1, 1)
    _, answers = decide(row, RequestPlace("j", "pinehurst", "c-7", "e-1"), 1, 1)
    assert answers == (Forward(b"pinehurst:c-7", PlaceAnswer("e-1", "j", admitted=True)),)


def test_R29_archiving_ends_the_archived_and_says_when() -> None:
    one, other = journey(wait(), name="A"), journey(wait(), name="B")
    life = Life(live(one, other)).give(event())
    life.journeys = life.journeys.with_status(one.id, JourneyStatus.ARCHIVED, 1)
    life.give(Sweep(one.id), NOON + hours(1))
    assert life.told("enrollment.exited", "journeyId", "at") == [(one.id, NOON + hours(1))]
    assert told_of(life)[-1] == (cause("control", control="archive"), NOON + hours(1), None)


def test_R29_archiving_the_last_enrolment_leaves_none() -> None:
    life = Life(live(NORTH)).give(event(club="north"))
    life.journeys = life.journeys.with_status(NORTH.id, JourneyStatus.ARCHIVED, 1)
    life.give(Sweep(NORTH.id), NOON + hours(1))
    assert life.customer is not None
    assert life.customer.enrollments == {}


def test_R30_a_wait_that_fires_says_which_and_when_it_was_due() -> None:
    life = Life(live(NORTH)).give(event(club="north")).due(NOON + hours(3))
    (id_,) = life.told("enrollment.started", "enrollmentId")
    fired = cause("wait", enrollmentId=id_, stepId="wait", due=NOON + hours(2))
    assert told_of(life)[-1] == (fired, NOON + hours(3), "north")
