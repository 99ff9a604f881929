"""History by the API: enrolments and timelines, page by page."""

import httpx
import pytest

from tests.web.story import enrollments, welcome

pytestmark = pytest.mark.database


async def test_pages_of_enrolments_join_without_gap_or_double(client: httpx.AsyncClient) -> None:
    everyone = await enrollments(client, limit=500)
    assert await enrollments(client, limit=3) == everyone
    assert len({each["id"] for each in everyone}) == len(everyone) > 10
    assert [each["enrolledAt"] for each in everyone] == sorted((e["enrolledAt"] for e in everyone), reverse=True)
    done = await enrollments(client, status="COMPLETED")
    assert done == [each for each in everyone if each["status"] == "COMPLETED"]
    one = await enrollments(client, customer="c-12")
    assert [each["customerId"] for each in one] == ["c-12"]
    journey = await welcome(client)
    lines = (await client.get(f"/journeys/{journey['id']}/enrollments.ndjson")).text.splitlines()
    assert len(lines) == len(everyone)


async def test_a_customer_s_story_is_told(client: httpx.AsyncClient) -> None:
    timeline = (await client.get("/customers/pinehurst/c-12/timeline?limit=2")).json()
    more = (await client.get("/customers/pinehurst/c-12/timeline", params={"cursor": timeline["next"]})).json()
    moments = [each["at"] for each in timeline["items"] + more["items"]]
    assert moments == sorted(moments, reverse=True)
    assert len(timeline["items"]) == 2
    refused = (await client.get("/customers/pinehurst/c-1/why-not")).json()
    assert refused["items"] == []  # erased
    reasons = {
        entry["reason"]
        for number in range(3, 20)
        for each in (await client.get(f"/customers/pinehurst/c-{number}/why-not")).json()["items"]
        for entry in each["entries"]
    }
    assert "conditions" in reasons
    (one,) = await enrollments(client, customer="c-12")
    shown = (await client.get(f"/enrollments/{one['id']}")).json()
    assert [step["stepNumber"] for step in shown["steps"]] == list(range(1, 10))
