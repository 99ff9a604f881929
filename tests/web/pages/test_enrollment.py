"""An enrolment: where it stands, what happened, and all of it as a file."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from streams.web.pages.enrollment import _describe_place, _find_note
from tests.web.pages.browsing import find_enrollment, text_of


@pytest.mark.database
async def test_an_enrolment_says_where_it_stands_and_what_happened(pages: httpx.AsyncClient) -> None:
    path = await find_enrollment(pages)
    shown = text_of(await pages.get(path))
    assert "What happened" in shown
    assert "Completed: it reached the end of the journey." in shown
    assert "Nothing failed" in text_of(await pages.get(f"{path}?failed=1"))
    assert (await pages.get("/enrollments/00000000-0000-0000-0000-000000000000")).status_code == 404


def test_R67_a_SEND_that_is_held_says_why() -> None:
    result = {"waitingUntil": "2999-01-01T00:00:00Z", "heldBy": "rate", "note": "More than 100 EMAIL commands."}
    steps: Any = [{"step_id": "start", "result": None}, {"step_id": "mail", "result": result}]
    row: Any = {"current_step_id": "mail", "status": "ACTIVE", "waiting_until": datetime(2999, 1, 1, tzinfo=UTC)}
    place = _describe_place(row, None, None, _find_note(steps, "mail"))
    assert place == ("Is held in step “mail” until it may leave: more than 100 EMAIL commands. Nothing is wrong.")
    assert _find_note(steps, "start") == _find_note(steps, None) == ""


@pytest.mark.database
async def test_an_enrolment_is_downloaded_whole(pages: httpx.AsyncClient) -> None:
    path = await find_enrollment(pages)
    file = await pages.get(f"{path}.json")
    assert path.endswith(file.json()["enrollment"]["id"])
    assert file.json()["steps"]
    assert file.json()["activity"]
    assert file.headers["content-disposition"].startswith("attachment")
