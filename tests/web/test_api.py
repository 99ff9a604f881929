"""The API: journeys changed without lost updates, history page by page, and nothing of other tenants."""

import re
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.errors import FairwayError
from streams.settings import Settings
from streams.web.access.identity import make_identify
from streams.web.access.masking import MASK, mask
from tests.web.conftest import make_site_api

pytestmark = pytest.mark.database

STEPS = [{"type": "TRIGGER"}, {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}}]
PLAIN = {"tenantId": "pinehurst", "name": "Hello", "triggerType": "teetime.booked", "steps": STEPS}


async def welcome(client: httpx.AsyncClient) -> dict[str, Any]:
    items = (await client.get("/journeys")).json()["items"]
    return next(item for item in items if item["name"] == "Welcome of new members")


async def enrollments(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    journey = await welcome(client)
    while True:
        page = (await client.get(f"/journeys/{journey['id']}/enrollments", params=query)).json()
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


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
    imported = await client.post("/journeys/import", content=exported.content)
    assert [each["revision"] for each in imported.json()] == [journey["revision"]]
    verdict = (await client.post("/journeys/validate", json=PLAIN | {"steps": []})).json()
    assert verdict["valid"] is False
    assert verdict["problems"]


async def test_an_etag_saves_reading_again(client: httpx.AsyncClient) -> None:
    path = f"/journeys/{(await welcome(client))['id']}"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": tag})).status_code == 304


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


async def test_a_funnel_counts_every_step(client: httpx.AsyncClient) -> None:
    journey = await welcome(client)
    shown = (await client.get(f"/journeys/{journey['id']}/statistics")).json()
    joined, greeting = shown["steps"][:2]
    assert joined["entered"] == journey["totalEnrolled"] > 0
    assert joined["share"] == 1.0
    assert sum(greeting["variants"].values()) == greeting["completed"]
    assert (await client.get(f"/journeys/{journey['id']}/statistics?version=9")).status_code == 404


async def test_nobody_gets_in_without_a_token_and_readers_change_nothing(
    client: httpx.AsyncClient, tokens: dict[str, str]
) -> None:
    for given in ("", "Bearer nonsense", "Basic ???", "Digest x"):
        answer = await client.get("/journeys", headers={"authorization": given})
        assert (answer.status_code, answer.json()["detail"]) == (401, "A valid token is needed.")
    reader = {"authorization": f"Bearer {tokens['reader']}"}
    assert (await client.get("/journeys", headers=reader)).status_code == 200
    assert (await client.post("/journeys", json=PLAIN, headers=reader)).status_code == 403
    assert (await client.get("/audit", headers=reader)).status_code == 403
    basic = httpx.BasicAuth("anyone", tokens["reader"])
    assert (await client.get("/journeys", auth=basic)).status_code == 200


async def test_personal_fields_are_masked_for_readers(client: httpx.AsyncClient, tokens: dict[str, str]) -> None:
    reader = {"authorization": f"Bearer {tokens['reader']}"}
    assert "Ann" in (await client.get("/customers/pinehurst/c-12/timeline")).text
    for path in ("", "/timeline", "/enrollments", "/why-not"):
        shown = await client.get(f"/customers/pinehurst/c-12{path}", headers=reader)
        assert shown.status_code == 200
        assert "Ann" not in shown.text
    (one,) = await enrollments(client, customer="c-12")
    assert "Ann" not in (await client.get(f"/enrollments/{one['id']}", headers=reader)).text


async def test_a_personal_field_named_as_one_of_ours_hides_only_its_own(
    client: httpx.AsyncClient, web_settings: Settings, engine: AsyncEngine, tokens: dict[str, str]
) -> None:
    (one,) = await enrollments(client, customer="c-12")
    named = web_settings.model_copy(update={"personal_fields": "status,type,id,version,field,membershipTier"})
    transport, reader = httpx.ASGITransport(make_site_api(engine, named)), f"Bearer {tokens['reader']}"
    async with httpx.AsyncClient(transport=transport, base_url=client.base_url) as other:
        for path in ("timeline", "enrollments", "why-not", ""):
            path = f"/customers/pinehurst/c-12/{path}".rstrip("/")
            answer = await other.get(path, headers={"authorization": reader})
            assert answer.status_code == 200
            assert "Gold" not in answer.text
        shown = await other.get(f"/enrollments/{one['id']}", headers={"authorization": reader})
        assert shown.json()["status"] == one["status"]


def test_a_field_is_masked_wherever_it_stands() -> None:
    value = {
        "email": "a@b", "other": [{"field": "customer.email", "before": "a", "after": "b", "operation": "set"}],
        "deep": {"email": None, "tier": "Gold"}, "rules": [{"field": "email.work", "seen": "c", "matched": True}],
    }  # fmt: skip
    assert mask(value, {"email"}) == {
        "email": MASK, "other": [{"field": "customer.email", "before": MASK, "after": MASK, "operation": "set"}],
        "deep": {"email": None, "tier": "Gold"}, "rules": [{"field": "email.work", "seen": MASK, "matched": True}],
    }  # fmt: skip


async def test_another_tenant_s_objects_are_not_there_on_any_route(
    api: FastAPI, client: httpx.AsyncClient, tokens: dict[str, str]
) -> None:
    stranger = {"authorization": f"Bearer {tokens['stranger']}", "if-match": "*", "idempotency-key": "k"}
    journey = await welcome(client)
    (one,) = await enrollments(client, customer="c-12")
    bodies: dict[str, Any] = {
        "clone": {"name": "Mine"}, "enrollments": {"customerId": "c-12"}, "exits": {"customerId": "c-12"},
        "runs": {"action": "exit", "customerIds": ["c-12"]},
    }  # fmt: skip
    places = {
        "journey_id": journey["id"], "enrollment_id": one["id"], "tenant": "pinehurst", "customer": "c-12",
        "version": "1", "action": "pause", "run": "1",
    }  # fmt: skip
    asked = 0
    for path, operations in api.openapi()["paths"].items():
        if "{" not in path:
            continue
        filled = re.sub(r"\{(\w+)\}", lambda found: places[found[1]], path).removeprefix("/api/v1")
        for method in operations:
            body = bodies.get(path.rpartition("/")[2], PLAIN) if method in ("post", "put") else None
            answer = await client.request(method, filled, json=body, headers=stranger)
            assert answer.status_code == 404, (method, path, answer.text)
            asked += 1
    assert asked >= 20
    for path in ("/journeys", "/audit"):
        assert (await client.get(path, headers=stranger)).json()["items"] == []
        assert (await client.get(f"{path}?tenant=pinehurst", headers=stranger)).status_code == 404
    assert (await client.post("/journeys", json=PLAIN, headers=stranger)).status_code == 404
    imported = await client.post("/journeys/import", content=yaml.safe_dump(PLAIN), headers=stranger)
    assert imported.status_code == 404
    event = {"eventId": "e", "tenantId": "pinehurst", "customerId": "c", "eventType": "teetime.booked"}
    event |= {"occurredAt": "2026-11-23T10:00:00Z"}
    assert (await client.post("/events", json=event, headers=stranger)).status_code == 404


async def test_while_kafka_is_away_the_api_says_so(client: httpx.AsyncClient) -> None:
    journey = await welcome(client)
    answer = await client.post(f"/journeys/{journey['id']}/enrollments", json={"customerId": "c"})
    assert (answer.status_code, answer.json()["detail"]) == (503, "Kafka can't be reached for now.")


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "WyJhIiwiYiIsImMiXQ"])
async def test_a_cursor_that_is_none_of_ours_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/journeys", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["detail"]) == (
        400, "The cursor is not one of ours; start without it.",
    )  # fmt: skip


def test_without_access_control_only_loopback_is_listened_on(web_settings: Settings) -> None:
    bare = web_settings.model_copy(update={"access": "none", "web_host": "0.0.0.0"})
    with pytest.raises(FairwayError) as caught:
        make_identify(bare, None)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "FAIRWAY_WEB_HOST is '0.0.0.0', which others can reach: set FAIRWAY_ACCESS to token, oidc, or open if the"
        " network in front decides who may come."
    )
