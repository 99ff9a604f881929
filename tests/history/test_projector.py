"""History in Postgres: exactly once under kills and replays, equal to what the rows themselves add up to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.database import create_engine
from streams.history.parking import Refused
from streams.history.projector import Projector
from streams.history.statements import SESSION
from streams.journeys.authoring import Author, apply
from tests.history.activity import START, Message, activity, journeys, record

pytestmark = pytest.mark.database

JOURNEY = "11111111-1111-1111-1111-111111111111"
RUN = "22222222-2222-2222-2222-222222222222"
PLACE: dict[str, Any] = {"journeyId": JOURNEY, "journeyVersion": 1, "enrollmentId": RUN}
STARTED = {"type": "enrollment.started", **PLACE, "enrollmentKey": "", "entryNumber": 1, "enrolledAt": START}
STEP = {**PLACE, "stepId": "a", "stepNumber": 1, "visit": 1, "enteredAt": START}
TABLES = (
    "customers", "journey_enrollments", "journey_enrollment_steps", "journey_step_counts", "journey_refusal_counts",
    "activity", "journey_hours", "projection_positions",
)  # fmt: skip
COUNTED = """
    SELECT e.journey_id, e.version, s.step_id, count(*) FILTER (WHERE visits > 0),
           count(*) FILTER (WHERE s.status = 'IN_PROGRESS'), count(*) FILTER (WHERE s.status = 'COMPLETED'),
           count(*) FILTER (WHERE s.status = 'SKIPPED' AND result->>'reason' NOT IN ('branch', 'ended')),
           count(*) FILTER (WHERE s.status = 'FAILED')
    FROM journey_enrollment_steps s JOIN journey_enrollments e ON e.id = s.enrollment_id
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
COUNTS = """
    SELECT journey_id, version, step_id, entered, inside, completed, skipped, failed
    FROM journey_step_counts WHERE variant = '' AND step_id <> '' ORDER BY 1, 2, 3"""
TOTALS = "SELECT id, total_enrolled, total_completed, total_exited, total_failed FROM journeys ORDER BY id"
SUMMED = """
    SELECT j.id, count(e.id), count(*) FILTER (WHERE e.status = 'COMPLETED'),
           count(*) FILTER (WHERE e.status = 'EXITED'), count(*) FILTER (WHERE e.status = 'FAILED')
    FROM journeys j LEFT JOIN journey_enrollments e ON e.journey_id = j.id GROUP BY 1 ORDER BY 1"""


@pytest.fixture
async def projector(engine: AsyncEngine, database_url: str) -> AsyncIterator[Projector]:
    async with engine.begin() as connection:
        for journey in journeys():
            await apply(connection, journey, Author("ann", START))
    projector = Projector(create_engine(database_url, session=SESSION))
    yield projector
    await projector.close()


async def project(projector: Projector, messages: Sequence[Message]) -> int:
    return await projector.project(0, messages, messages[0].offset, messages[-1].offset + 1)


async def rows(engine: AsyncEngine, query: str) -> list[Any]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def everything(engine: AsyncEngine) -> dict[str, list[str]]:
    """All rows of the history, as text, in some order that is always the same."""
    found = {table: await rows(engine, f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES}
    return found | {"totals": await rows(engine, TOTALS)}


async def forget(projector: Projector) -> None:
    await projector.rebuild()


async def test_counts_and_totals_are_what_the_rows_add_up_to(engine: AsyncEngine, projector: Projector) -> None:
    messages = activity(erased=0)
    await project(projector, messages)
    assert await rows(engine, COUNTS) == await rows(engine, COUNTED)
    assert await rows(engine, TOTALS) == await rows(engine, SUMMED)
    assert (await rows(engine, "SELECT count(*) FROM activity"))[0][0] == len(messages)
    hours = await rows(engine, "SELECT sum(number) FROM journey_hours WHERE what = 'enrolled'")
    assert hours == await rows(engine, "SELECT sum(total_enrolled) FROM journeys")
    sent = sum(message.value.count(b'"sent":true') for message in messages)
    assert await rows(engine, "SELECT sum(number) FROM journey_hours WHERE what LIKE 'sent:%'") == [(sent,)]
    ways = "SELECT variant, entered FROM journey_step_counts WHERE variant <> '' AND {}"
    variants = await rows(engine, ways.format("step_id = 'greeting'"))
    drawn = "SELECT result->>'variant', count(*) FROM journey_enrollment_steps WHERE result ? 'variant' GROUP BY 1"
    assert sorted(variants) == sorted(await rows(engine, drawn))
    answers = sum(message.value.count(b'"evaluatedRules"') for message in messages)
    refused = sum(message.value.count(b'"reason":"conditions"') for message in messages)
    ended = sum(message.value.count(b'"ended":"') for message in messages)
    told = await rows(engine, ways.format("variant IN ('yes', 'no')"))
    assert sum(count for _, count in told) == answers - refused + ended
    assert ended


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cuts=st.lists(st.integers(1, 60), min_size=1), back=st.lists(st.integers(0, 80), min_size=1))
async def test_any_batches_and_any_replay_give_the_same_rows(
    engine: AsyncEngine, projector: Projector, cuts: list[int], back: list[int]
) -> None:
    messages = activity()
    await forget(projector)
    await project(projector, messages)
    expected = await everything(engine)
    await forget(projector)
    place, turn = 0, 0
    while place < len(messages):
        end = place + cuts[turn % len(cuts)]
        await project(projector, messages[max(0, place - back[turn % len(back)]) : end])
        place, turn = end, turn + 1
    assert await everything(engine) == expected


async def test_connections_that_are_killed_lose_and_double_nothing(
    engine: AsyncEngine, projector: Projector
) -> None:
    messages = activity()
    await project(projector, messages)
    expected = await everything(engine)
    await forget(projector)

    async def kill(times: int) -> None:
        """Cut connections in the middle of their work, each time a little later than the last."""
        others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        query = text(f"{others} AND datname = current_database() AND state <> 'idle'")
        killed = 0
        while killed < times:
            await asyncio.sleep(0.003 * (killed % 10))
            async with engine.connect() as connection:
                killed += (await connection.execute(query)).scalar_one()

    killing = asyncio.create_task(kill(6))
    while not killing.done():  # from the second time on nothing is new
        for place in range(0, len(messages), 50):
            await project(projector, messages[place : place + 50])
    await killing
    await project(projector, messages)
    assert await everything(engine) == expected


async def test_two_projectors_of_one_partition_write_each_record_once(
    engine: AsyncEngine, projector: Projector, database_url: str
) -> None:
    messages, zombie = activity(), Projector.connect(database_url)

    async def run(writer: Projector) -> None:
        for place in range(0, len(messages), 40):
            await project(writer, messages[place : place + 40])

    await asyncio.gather(run(projector), run(zombie))
    await zombie.close()
    assert await rows(engine, COUNTS) != []
    assert (await everything(engine))["totals"] == await rows(engine, TOTALS)
    assert (await rows(engine, "SELECT sum(total_enrolled) FROM journeys"))[0][0] == sum(
        message.value.count(b'"enrollment.started"') for message in messages
    )


async def test_an_erased_customer_leaves_no_row_but_stays_counted(
    engine: AsyncEngine, projector: Projector
) -> None:
    await project(projector, activity(erased=3))
    for table in ("customers", "journey_enrollments", "activity"):
        found = await rows(engine, f"SELECT count(*) FROM {table} WHERE customer_id IN ('c-0', 'c-1', 'c-2')")
        assert found == [(0,)], table
    started = sum(message.value.count(b'"enrollment.started"') for message in activity(erased=3))
    assert await rows(engine, "SELECT sum(total_enrolled) FROM journeys") == [(started,)]
    assert await rows(engine, "SELECT min(inside) FROM journey_step_counts") == [(0,)]


async def test_a_profile_is_as_last_seen(engine: AsyncEngine, projector: Projector) -> None:
    def change(field: str, value: Any) -> dict[str, Any]:
        return {"type": "profile.updated", "changes": [{"field": field, "before": None, "after": value}]}

    done = {"type": "step.completed", **STEP, "result": {"updates": []}}
    messages = [
        record(change("a.b", 1), change("tier", "Gold"), offset=0),
        record(STARTED, done, change("golf.handicap", 7), offset=1),
        record(change("tier", None), offset=2),
    ]
    await project(projector, messages[:2])
    await project(projector, messages[2:])
    attributes = await rows(engine, "SELECT attributes FROM customers")
    assert attributes == [({"a.b": 1, "golf": {"handicap": 7}},)]


async def test_what_can_t_be_stored_is_parked_and_stops_nothing(engine: AsyncEngine, projector: Projector) -> None:
    bad_time = {"type": "step.entered", **STEP, "waitingUntil": "soon"}
    messages = [
        Message(0, b"no json"),
        record(STARTED, offset=1),
        record(bad_time, offset=2, customer="c-2"),
        record({"type": "enrollment.refused", "journeyId": JOURNEY, "reason": "key\x00"}, offset=3, customer="c-3"),
        Message(4, b"{}"),
    ]
    assert await project(projector, messages) == 5
    assert await rows(engine, 'SELECT "offset" FROM activity ORDER BY 1') == [(1,), (3,)]
    assert await rows(engine, 'SELECT "offset", record FROM history_parked ORDER BY 1') == [
        (message.offset, message.value) for message in (messages[0], messages[2], messages[4])
    ]
    assert await rows(engine, "SELECT reason, refused FROM journey_refusal_counts") == [("key\ufffd", 1)]


async def test_an_enrolment_whose_beginning_is_not_known_has_a_row(
    engine: AsyncEngine, projector: Projector
) -> None:
    entered = {"type": "step.entered", **STEP, "waitingUntil": "2026-12-01T00:00:00Z"}
    await project(projector, [record(entered)])
    await project(projector, [record({"type": "enrollment.exited", **PLACE, "exitReason": "manual"}, offset=1)])
    assert await rows(
        engine, "SELECT status, current_step_id, entry_number, exit_reason FROM journey_enrollments"
    ) == [("EXITED", "a", 0, "manual")]


async def test_a_goal_and_what_is_followed_reach_the_rows_in_whatever_batches_they_come(
    engine: AsyncEngine, projector: Projector
) -> None:
    last = {"stepId": "a", "channel": "EMAIL", "messageId": "m-1", "at": START}
    moved = {"before": "2026-12-01T00:00:00Z", "after": "2026-12-02T00:00:00Z"}
    goal = {"type": "goal.reached", **PLACE, "enrollmentKey": "", "goal": "paid", "at": START, "lastSend": last}
    messages = [
        record(STARTED | {"triggerData": {"a": 1, "teeTime": "Sat"}}, offset=0),
        record({"type": "step.entered", **STEP, "waitingUntil": moved["before"]}, offset=1),
        record({"type": "trigger.updated", **PLACE, "changes": [
            {"field": "teeTime", "before": "Sat", "after": None}, {"field": "hole", "before": None, "after": 3},
        ]}, {"type": "step.replanned", **STEP, "waitingUntil": moved}, offset=2),
        record({"type": "enrollment.exited", **PLACE, "exitReason": "manual"}, offset=3),
        record(goal | {"variants": {"ab": "B"}}, offset=4, customer="c-2"),
        record(goal | {"enrollmentId": JOURNEY, "variants": {}, "lastSend": None}, offset=5),
    ]  # fmt: skip
    query = "SELECT trigger_data, converted_at = :at, status, customer_id FROM journey_enrollments"
    for size in (1, len(messages)):
        await forget(projector)
        for place in range(0, len(messages), size):
            await project(projector, messages[place : place + size])
            if place == 2:
                due = await rows(engine, "SELECT waiting_until::text FROM journey_enrollments")
                assert due == [("2026-12-02 00:00:00+00",)]
        async with engine.connect() as connection:
            found = [tuple(row) for row in await connection.execute(text(query), {"at": START})]
        assert found == [({"a": 1, "teeTime": None, "hole": 3}, True, "EXITED", "c-1")]
        counts = "SELECT step_id, variant, enrollments, converted FROM journey_step_counts ORDER BY 1, 2"
        assert await rows(engine, counts) == [("", "", 1, 2), ("a", "", 1, 1), ("ab", "B", 0, 1)]
        assert await rows(engine, "SELECT total_converted FROM journeys WHERE total_enrolled = 1") == [(2,)]
        assert await rows(engine, "SELECT number FROM journey_hours WHERE what = 'converted'") == [(2,)]


async def test_old_history_goes_and_what_is_under_way_stays(engine: AsyncEngine, projector: Projector) -> None:
    await project(projector, activity(erased=0))
    totals = await rows(engine, TOTALS)
    await projector.prune(START.replace(year=2027))
    assert await rows(engine, "SELECT count(*) FROM activity") == [(0,)]
    assert await rows(engine, "SELECT DISTINCT status FROM journey_enrollments") in ([], [("ACTIVE",)])
    assert await rows(engine, TOTALS) == totals


async def test_records_beyond_the_position_are_not_taken(projector: Projector) -> None:
    messages = activity()
    assert await project(projector, messages[:10]) == 10
    assert await project(projector, messages[20:30]) == 10
    assert await projector.position(0) == 10


# --- unparking --------------------------------------------------------------------------------------------------


async def park_one(projector: Projector, message: Message) -> None:
    """Put a record aside, good as it is."""
    await projector._write(0, [], message.offset, message.offset + 1, [Refused(message, ValueError("not yet"))])


@pytest.mark.parametrize("place", range(3, 110, 12))
async def test_a_record_that_is_unparked_after_all_others_leaves_what_it_would_have_left_in_its_turn(
    engine: AsyncEngine, projector: Projector, place: int
) -> None:
    messages = activity(customers=12, erased=0)
    await project(projector, messages)
    expected = await everything(engine)
    await projector.rebuild()
    await project(projector, messages[:place])
    await park_one(projector, messages[place])
    await project(projector, messages[place + 1 :])
    assert await everything(engine) != expected
    assert await projector.unpark(0, place) is None
    found = await everything(engine)
    changed = {name: sorted(set(kept) ^ set(expected[name])) for name, kept in found.items()}
    assert {name: kept for name, kept in changed.items() if kept} == {}
    assert await rows(engine, "SELECT * FROM history_parked") == []


async def test_what_is_refused_again_stays_parked(engine: AsyncEngine, projector: Projector) -> None:
    bad = record({**STARTED, "entryNumber": 2**31}, offset=0)
    await project(projector, [bad, Message(1, b"no json")])
    assert await projector.unpark(0, 0) == "Postgres refused it: value … is out of range for type integer."
    assert (await projector.unpark(0, 1) or "").startswith("It is no activity record: JSON is malformed")
    assert await rows(engine, 'SELECT "offset" FROM history_parked ORDER BY 1') == [(0,), (1,)]
    assert await projector.unpark(0, 7) is None
