"""An enrolment: where it stands, what happened, and all of it as a file."""

import httpx
import pytest

from tests.web.pages.browsing import find_enrollment, text_of

pytestmark = pytest.mark.database


async def test_an_enrolment_says_where_it_stands_and_what_happened(pages: httpx.AsyncClient) -> None:
    path = await find_enrollment(pages)
    shown = text_of(await pages.get(path))
    assert "What happened" in shown
    assert "Completed: it reached the end of the journey." in shown
    assert "Nothing failed" in text_of(await pages.get(f"{path}?failed=1"))
    assert (await pages.get("/enrollments/00000000-0000-0000-0000-000000000000")).status_code == 404


async def test_an_enrolment_is_downloaded_whole(pages: httpx.AsyncClient) -> None:
    path = await find_enrollment(pages)
    file = await pages.get(f"{path}.json")
    assert path.endswith(file.json()["enrollment"]["id"])
    assert file.json()["steps"]
    assert file.json()["activity"]
    assert file.headers["content-disposition"].startswith("attachment")
