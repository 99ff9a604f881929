"""What all routes share: who gets in, what they may do, and nothing of other tenants."""

import re
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI

from tests.web.story import PLAIN, YAML, enrollments, welcome

pytestmark = pytest.mark.database


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
        if "{" not in path or path.startswith("/api/v1/dead-letters/"):  # which lie on Kafka, away here
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
    imported = await client.post("/journeys/import", content=yaml.safe_dump(PLAIN), headers=stranger | YAML)
    assert imported.status_code == 404
    event = {"eventId": "e", "tenantId": "pinehurst", "customerId": "c", "eventType": "teetime.booked"}
    event |= {"occurredAt": "2026-11-23T10:00:00Z"}
    assert (await client.post("/events", json=event, headers=stranger)).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "WyJhIiwiYiIsImMiXQ"])
async def test_a_cursor_that_is_none_of_ours_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/journeys", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["detail"]) == (
        400, "The cursor is not one of ours; start without it.",
    )  # fmt: skip
