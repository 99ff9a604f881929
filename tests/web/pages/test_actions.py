"""What is done from pages: asked first, then done once."""

import httpx
import pytest

from tests.web.pages.browsing import find_journey, send, text_of

pytestmark = pytest.mark.database


async def test_R29_a_journey_is_paused_and_resumed(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    assert "people are on their way" in text_of(await pages.get(f"{path}/pause"))
    answer = await send(pages, f"{path}/pause")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "is paused; workers follow within a second or two." in text_of(await pages.get(path))
    assert (await pages.get(f"{path}/pause")).status_code == 409
    assert "waits are overdue and fire now" in text_of(await pages.get(f"{path}/resume"))
    assert (await pages.get(f"{path}/nonsense")).status_code == 404


async def test_R29_an_archived_journey_can_t_be_resumed(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    await send(pages, f"{path}/archive")
    answer = await send(pages, f"{path}/resume")
    assert (answer.status_code, "ARCHIVED and can't be resumed" in text_of(answer)) == (409, True)
