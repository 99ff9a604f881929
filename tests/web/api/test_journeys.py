"""Journeys by the API: changed without lost updates, moved as R29 allows, exported and imported."""

import httpx
import pytest
import yaml
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import JourneyRow
from tests.web.story import PLAIN, YAML, welcome

pytestmark = pytest.mark.database


async def test_a_journey_is_made_changed_moved_copied_and_deleted(client: httpx.AsyncClient) -> None:
    made = await client.post("/journeys", json=PLAIN)
    assert (made.status_code, made.json()["status"], made.json()["version"]) == (201, "DRAFT", 1)
    path = f"/journeys/{made.json()['id']}"
    assert (await client.post("/journeys", json=PLAIN)).status_code == 409
    changed = await client.put(
        path, json=PLAIN | {"timezone": "Europe/London"}, headers={"if-match": made.headers["etag"]}
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert (await client.put(path, json=PLAIN, headers={"if-match": made.headers["etag"]})).status_code == 412
    assert (await client.put(path, json=PLAIN)).status_code == 428
    assert (await client.post(f"{path}/activate")).json()["status"] == "ACTIVE"
    refused = await client.put(path, json=PLAIN | {"steps": []}, headers={"if-match": "*"})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    copied = await client.post(f"{path}/clone", json={"name": "Hello again"})
    assert (copied.status_code, copied.json()["status"], copied.json()["version"]) == (201, "DRAFT", 1)
    versions = (await client.get(f"{path}/versions")).json()
    assert [version["version"] for version in versions] == [2, 1]
    assert (await client.get(f"{path}/versions/1")).json()["definition"]["timezone"] == "UTC"
    assert (await client.delete(path, headers={"if-match": "*"})).status_code == 204
    assert (await client.get(path)).status_code == 404
    changes = (await client.get("/audit")).json()["items"]
    assert [change["action"] for change in changes[:5]] == ["delete", "archived", "create", "active", "change"]
    assert changes[0]["actor"] == "admin"


async def test_R29_a_draft_can_t_be_resumed(client: httpx.AsyncClient) -> None:
    made = await client.post("/journeys", json=PLAIN)
    path = f"/journeys/{made.json()['id']}"
    answer = await client.post(f"{path}/resume")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["detail"] == "Journey 'Hello' is DRAFT and can't be resumed."
    assert (await client.get(path)).json()["status"] == "DRAFT"


async def test_what_is_exported_can_be_imported_and_changes_nothing(client: httpx.AsyncClient) -> None:
    journey = await welcome(client)
    exported = await client.get(f"/journeys/{journey['id']}/export")
    assert yaml.safe_load(exported.text)["name"] == "Welcome of new members"
    imported = await client.post("/journeys/import", content=exported.content, headers=YAML)
    assert [each["revision"] for each in imported.json()] == [journey["revision"]]
    verdict = (await client.post("/journeys/validate", json=PLAIN | {"steps": []})).json()
    assert verdict["valid"] is False
    assert verdict["problems"]


async def test_an_etag_saves_reading_again(client: httpx.AsyncClient) -> None:
    path = f"/journeys/{(await welcome(client))['id']}"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": tag})).status_code == 304


async def test_a_funnel_counts_every_step(client: httpx.AsyncClient) -> None:
    journey = await welcome(client)
    shown = (await client.get(f"/journeys/{journey['id']}/statistics")).json()
    joined, greeting = shown["steps"][:2]
    assert joined["entered"] == journey["totalEnrolled"] > 0
    assert joined["share"] == 1.0
    assert sum(greeting["variants"].values()) == greeting["completed"]
    assert (await client.get(f"/journeys/{journey['id']}/statistics?version=9")).status_code == 404


async def test_a_draft_with_another_tenant_s_journey_id_tells_nothing_of_it(
    client: httpx.AsyncClient, tokens: dict[str, str]
) -> None:
    journey = await welcome(client)
    stranger = {"authorization": f"Bearer {tokens['stranger']}"}
    mine = PLAIN | {"tenantId": "augusta", "id": journey["id"]}
    made = await client.post("/journeys", json=mine, headers=stranger)
    assert (made.status_code, made.json()["status"], made.json()["totalEnrolled"]) == (201, "DRAFT", 0)
    assert made.json()["id"] != journey["id"]
    assert (await client.post("/journeys", json=mine, headers=stranger)).status_code == 409
    imported = await client.post("/journeys/import", content=yaml.safe_dump(mine), headers=stranger | YAML)
    assert [each["id"] for each in imported.json()] == [made.json()["id"]]
    assert (await client.get(f"/journeys/{journey['id']}")).json()["revision"] == journey["revision"]


async def test_a_journey_that_the_workers_do_not_have_says_why(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    journey = await welcome(client)
    assert journey["problem"] is None
    async with engine.begin() as connection:
        await connection.execute(update(JourneyRow).values(problem="Kafka refuses its version 1."))
    assert (await welcome(client))["problem"] == "Kafka refuses its version 1."
    assert (await client.get(f"/journeys/{journey['id']}")).json()["problem"] == "Kafka refuses its version 1."
