"""The enrolments behind a number."""

import httpx
import pytest

from tests.web.pages.browsing import find_journey, text_of

pytestmark = pytest.mark.database


async def test_a_number_s_enrolments_are_listed_and_named(pages: httpx.AsyncClient) -> None:
    path = f"{await find_journey(pages)}/enrollments"
    assert "Completed enrolments" in text_of(await pages.get(f"{path}?status=COMPLETED"))
    done = await pages.get(f"{path}?step=greeting&ended=COMPLETED")
    assert "was done" in text_of(done)
    assert "Nobody is here" in text_of(await pages.get(f"{path}?step=nothing"))
    assert (await pages.get(f"{path}?before=nonsense")).status_code == 400
