"""Journeys in Postgres: versions, statuses and refusals."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey
from models.rows import AuditRow, JourneyRow, JourneyStepRow, OutboxRow
from streams.engine.transitions import Move
from streams.journeys.authoring import Applied, Author, ConflictError, apply, move, republish
from streams.journeys.stored import UnknownError

pytestmark = pytest.mark.database

AUTHOR = Author("ann", datetime(2026, 11, 23, 10, tzinfo=UTC))
STEPS = [
    {"type": "TRIGGER"},
    {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}},
    {"type": "END"},
]


def journey(**changes: Any) -> Journey:
    plain = {"tenantId": "pinehurst", "name": "Welcome", "triggerType": "scl.member.created", "steps": STEPS}
    return Journey.model_validate(plain | changes)


async def put(engine: AsyncEngine, given: Journey, **options: Any) -> Applied:
    async with engine.begin() as connection:
        return await apply(connection, given, AUTHOR, **options)


async def bring(engine: AsyncEngine, by: Move, tenant: str = "pinehurst") -> Applied:
    async with engine.begin() as connection:
        return await move(connection, tenant, "Welcome", by, AUTHOR)


async def test_R28_a_change_makes_a_version_and_no_change_makes_none(engine: AsyncEngine) -> None:
    first = await put(engine, journey())
    same = await put(engine, journey())
    second = await put(engine, journey(timezone="Europe/London"))
    assert (first.change, first.version, first.status) == ("created", 1, "DRAFT")
    assert (same.change, same.version, same.revision) == ("unchanged", 1, first.revision)
    assert (second.change, second.version) == ("changed", 2)


async def test_a_journey_s_row_and_steps_are_those_of_its_newest_version(engine: AsyncEngine) -> None:
    await put(engine, journey(status="ACTIVE", maxEnrollments=7, enrollmentKey="trigger.id"))
    await put(
        engine, journey(steps=STEPS[:2], triggerConfig={"conditions": [{"field": "a", "operator": "isNull"}]})
    )
    async with engine.connect() as connection:
        row = (await connection.execute(select(JourneyRow))).one()
        steps = (await connection.execute(select(JourneyStepRow).order_by(JourneyStepRow.step_number))).all()
    assert (row.version, row.status, row.max_enrollments, row.created_by) == (2, "ACTIVE", None, "ann")
    assert row.trigger_config == {"conditions": [{"field": "a", "operator": "isNull", "ignoreCase": False}]}
    assert row.activated_at == AUTHOR.now
    assert [(step.id, step.type, step.config) for step in steps] == [
        ("step-1", "TRIGGER", {"conditions": []}),
        ("step-2", "SEND", {"channel": "EMAIL", "templateId": "hello"}),
    ]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (["activate", "pause", "resume", "archive"], "ARCHIVED"),
        (["activate", "activate"], "ACTIVE"),
        (["pause"], "Journey 'Welcome' is DRAFT and can't be paused."),
        (["resume"], "Journey 'Welcome' is DRAFT and can't be resumed."),
        (["archive", "activate"], "Journey 'Welcome' is ARCHIVED and can't be activated."),
    ],
)
async def test_R29_only_some_ways_lead_from_status_to_status(
    engine: AsyncEngine, moves: list[Move], expected: str
) -> None:
    await put(engine, journey())
    for by in moves[:-1]:
        await bring(engine, by)
    if expected.isupper():
        assert (await bring(engine, moves[-1])).status == expected
    else:
        with pytest.raises(ConflictError) as caught:
            await bring(engine, moves[-1])
        assert str(caught.value) == expected


async def test_nobody_can_take_another_tenant_s_id_or_campaign_or_find_out_about_it(engine: AsyncEngine) -> None:
    taken = journey().id
    first = await put(engine, journey(tenantId="augusta", id=taken, campaignId="spring", status="ACTIVE"))
    mine = await put(engine, journey(campaignId="spring"))
    assert (first.id, first.tenant_id) == (taken, "augusta")
    assert (mine.change, mine.status, mine.tenant_id, mine.version) == ("created", "DRAFT", "pinehurst", 1)
    assert mine.id != taken
    again = await put(engine, journey(campaignId="spring"))
    assert (again.id, again.change, again.revision) == (mine.id, "unchanged", mine.revision)
    changed = await put(engine, journey(timezone="Europe/London"))
    assert (changed.id, changed.change) == (mine.id, "changed")
    squatted = await put(engine, journey(tenantId="lakeside", id=taken))
    third = await put(engine, journey(tenantId="lakeside", name="Other", id=squatted.id))
    assert len({taken, mine.id, squatted.id, third.id}) == 3  # the last two are one journey, renamed
    async with engine.connect() as connection:
        kept = (await connection.execute(select(JourneyRow).where(JourneyRow.id == taken))).one()
    assert (kept.status, kept.version, kept.revision) == ("ACTIVE", 1, first.revision)


async def test_what_can_t_be_stored_is_refused_with_a_sentence(engine: AsyncEngine) -> None:
    await put(engine, journey(campaignId="spring"))
    other = "11111111-1111-1111-1111-111111111111"
    for given, sentence in (
        (journey(id=other), "Tenant 'pinehurst' has another journey named 'Welcome'; choose another name."),
        (
            journey(name="Other", campaignId="spring"),
            "Tenant 'pinehurst' has another journey of the campaign 'spring'; unlink it there first.",
        ),
    ):
        with pytest.raises(ConflictError) as caught:
            await put(engine, given)
        assert str(caught.value) == sentence
    with pytest.raises(UnknownError) as unknown:
        await bring(engine, "activate", tenant="augusta")
    assert str(unknown.value) == "Tenant 'augusta' has no journey 'Welcome'."
    async with engine.begin() as connection:
        with pytest.raises(
            UnknownError, match=r"^Tenant 'pinehurst' has no journey 'Wlecome'; did you mean 'Welcome'\?$"
        ):
            await move(connection, "pinehurst", "Wlecome", "activate", AUTHOR)
    await bring(engine, "archive")
    with pytest.raises(ConflictError) as archived:
        await put(engine, journey(timezone="Europe/London"))
    sentence = "Journey 'Welcome' is ARCHIVED and can't be changed; give the new one another name."
    assert str(archived.value) == sentence


async def test_a_change_that_expects_another_revision_is_refused(engine: AsyncEngine) -> None:
    seen = await put(engine, journey())
    await put(engine, journey(timezone="Europe/London"), revision=seen.revision)
    with pytest.raises(ConflictError) as caught:
        await put(engine, journey(timezone="Europe/Berlin"), revision=seen.revision)
    sentence = "Journey 'Welcome' was changed in the meantime; read it again and repeat the change."
    assert str(caught.value) == sentence


async def test_every_change_is_in_the_audit(engine: AsyncEngine) -> None:
    await put(engine, journey())
    await put(engine, journey(timezone="Europe/London"))
    await bring(engine, "activate")
    async with engine.connect() as connection:
        rows = (await connection.execute(select(AuditRow).order_by(AuditRow.id))).all()
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("ann", action, f"journey {journey().id}") for action in ("create", "change", "active")
    ]
    assert (rows[1].before["timezone"], rows[1].after["timezone"]) == ("UTC", "Europe/London")
    assert (rows[2].before, rows[2].after) == ({"status": "DRAFT"}, {"status": "ACTIVE"})


async def test_a_journey_is_published_once_more_with_all_its_versions(engine: AsyncEngine) -> None:
    made = await put(engine, journey())
    await put(engine, journey(timezone="Europe/London"))
    async with engine.begin() as connection:
        await connection.execute(delete(OutboxRow))
        assert await republish(connection, "pinehurst", "Welcome", AUTHOR) == 2
        keys = (await connection.execute(select(OutboxRow.key).order_by(OutboxRow.id))).scalars().all()
    assert keys == [f"pinehurst:{made.id}:1", f"pinehurst:{made.id}:2", f"pinehurst:{made.id}"]
