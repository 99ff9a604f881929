"""Journeys tried on events."""

import httpx
import pytest

from tests.web.pages.browsing import find_journey, send, text_of

pytestmark = pytest.mark.database


EVENT = (
    '{"eventId": "e", "eventType": "scl.member.created", "tenantId": "pinehurst", "customerId": "c",'
    ' "occurredAt": "2026-11-23T10:00:00Z", "data": {}}'
)


async def test_a_journey_is_tried_and_the_outcome_explained(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    file = (await pages.get(f"{path}.yaml")).text
    shown = text_of(await send(pages, "/simulate", text=file, events=EVENT, until=""))
    assert "What would happen" in shown
    assert "Entered 1" in shown
    assert "Welcome of new members" in text_of(await pages.get(f"/simulate?journey={path.rpartition('/')[2]}"))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"text": "x: [", "events": EVENT}, "The file is not YAML"),
        ({"text": "{}", "events": EVENT, "until": "x"}, "missing"),
        ({"until": "2026-11-23T10:00:00"}, "The time to stop at must be a date-time with an offset"),
        ({"events": "{}\n" * 2002}, "2,000 lines of events are allowed here"),
    ],
)
async def test_what_can_t_be_tried_is_said(pages: httpx.AsyncClient, fields: dict[str, str], text: str) -> None:
    path = await find_journey(pages)
    given = {"text": (await pages.get(f"{path}.yaml")).text, "events": EVENT, "until": ""} | fields
    assert text in text_of(await send(pages, "/simulate", **given))
