"""Totals agree with what they are totals of."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models.rows import ActivityRow, EnrollmentRow
from streams.web.queries import journeys, totals
from streams.web.queries.query import Reader

pytestmark = pytest.mark.database

FAR = datetime(2030, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def count(reader: Reader, *where: object) -> int:
    return int(await reader.scalar(select(func.count()).select_from(EnrollmentRow).where(*where)))  # type: ignore[arg-type]


async def test_who_is_active_and_who_waits_are_counted_as_they_are(reader: Reader) -> None:
    assert await totals.count_active(reader) == await count(reader, EnrollmentRow.status == "ACTIVE")
    waiting = await count(reader, EnrollmentRow.waiting_until.is_not(None))
    assert await totals.count_waiting(reader) == waiting
    assert await totals.count_overdue(reader, FAR) == waiting
    assert await totals.count_overdue(reader, LONG_AGO) == 0


async def test_waits_are_counted_and_listed_in_their_spans(reader: Reader) -> None:
    rows = await totals.list_waits(reader, None, FAR)
    first = rows[0]["waiting_until"] if rows else FAR
    counts = await totals.count_due(reader, first, timedelta(days=1), 3)
    in_span = [row for row in rows if row["waiting_until"] < first + timedelta(days=3)]
    assert sum(counts) == len(in_span)
    assert [row["waiting_until"] for row in rows] == sorted(row["waiting_until"] for row in rows)


async def test_refusals_are_counted_by_reason(reader: Reader) -> None:
    by_reason = await totals.count_refusals(reader)
    refused = int(await reader.scalar(select(func.count()).select_from(ActivityRow).where(ActivityRow.refused)))
    assert sum(by_reason.values()) >= refused > 0
    assert list(by_reason.values()) == sorted(by_reason.values(), reverse=True)
    (row,) = (await journeys.list_journeys(reader, journeys.Filter(part="Welcome of"), limit=1)).rows
    assert await totals.count_refusals(reader, row["id"]) == {}


async def test_hours_and_sends_are_of_the_time_that_is_asked_for(reader: Reader) -> None:
    (row,) = (await journeys.list_journeys(reader, journeys.Filter(part="Welcome of"), limit=1)).rows
    hours = await totals.count_hours(reader, [row["id"]], LONG_AGO)
    assert sum(hours[row["id"]]["enrolled"].values()) == row["total_enrolled"]
    assert await totals.count_hours(reader, [row["id"]], FAR) == {}
    sent = await totals.count_sent(reader, LONG_AGO)
    assert {tenant for tenant, _ in sent} == {"pinehurst"}
    assert {channel for _, channel in sent} >= {"EMAIL"}
    assert await totals.count_sent(reader, FAR) == {}
