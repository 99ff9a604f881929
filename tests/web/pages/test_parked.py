"""Records that history put aside, and that the overview tells of them."""

import httpx
import pytest

from streams.history.projector import Projector
from tests.history.activity import Message, activity
from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_parked_records_are_listed_with_their_reason(pages: httpx.AsyncClient, database_url: str) -> None:
    assert "No record is parked" in text_of(await pages.get("/parked"))
    assert "records are parked" not in text_of(await pages.get("/"))
    place = len(activity())
    projector = Projector.connect(database_url)
    bad = Message(place, b"<b>no json</b>", key=b"pinehurst:c-12")
    await projector.project(0, [bad], place, place + 1)
    await projector.close()
    listed = text_of(await pages.get("/parked"))
    assert "It is no activity record: JSON is malformed" in listed
    assert "c-12" in listed
    assert "1 activity records are parked" in text_of(await pages.get("/"))
    shown = await pages.get(f"/parked/0/{place}")
    assert "&lt;b&gt;no json&lt;/b&gt;" in shown.text
    for path in ("/parked/0/99999", "/parked/99999999999999/1"):
        assert (await pages.get(path)).status_code == 404
