"""The story of the example journeys, as the API tells it."""

from typing import Any

import httpx

YAML = {"content-type": "application/yaml"}
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
