"""The audit, newest first, for administrators of their own tenants."""

import httpx
import pytest

pytestmark = pytest.mark.database


async def test_changes_are_listed_newest_first_page_by_page(client: httpx.AsyncClient) -> None:
    whole = (await client.get("/audit", params={"limit": 500})).json()["items"]
    assert [change["id"] for change in whole] == sorted((change["id"] for change in whole), reverse=True)
    found, cursor = [], None
    while True:
        given = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/audit", params=given)).json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert found == whole
    assert {change["actor"] for change in whole} == {"ann"}
    assert len(whole) > 3


async def test_only_administrators_of_a_tenant_see_its_changes(
    client: httpx.AsyncClient, tokens: dict[str, str]
) -> None:
    for bearer, code, count in (("writer", 403, 0), ("stranger", 200, 0), ("root", 200, 1)):
        answer = await client.get("/audit?limit=1", headers={"authorization": f"Bearer {tokens[bearer]}"})
        assert answer.status_code == code
        assert len(answer.json().get("items", [])) == count
