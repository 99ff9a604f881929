"""Journey files with each problem beside its line."""

import httpx
import pytest

from streams.web.pages.upload import read_draft
from tests.web.pages.browsing import find_journey, send, text_of

GOOD = """\
tenantId: pinehurst
name: Welcome
triggerType: scl.member.created
steps:
  - {id: joined, type: TRIGGER}
  - id: mail
    type: SEND
    config: {channel: EMAIL, templateId: hello}
"""


def test_a_good_file_has_journeys_and_no_problems() -> None:
    draft = read_draft(GOOD)
    assert [journey.name for journey in draft.journeys] == ["Welcome"]
    assert draft.problems == {}


def test_a_problem_stands_beside_its_step() -> None:
    draft = read_draft(GOOD.replace("type: SEND", "type: SENT"))
    assert list(draft.problems) == [6]


def test_a_problem_of_the_second_journey_stands_beside_it() -> None:
    draft = read_draft(f"{GOOD}---\n{GOOD.replace('name: Welcome', 'timezone: Mars')}")
    assert set(draft.problems) == {10}


def test_a_file_that_can_not_be_read_names_its_line() -> None:
    assert list(read_draft("tenantId: [\n").problems) == [2]


def test_a_name_given_twice_is_told_beside_the_second_journey() -> None:
    assert list(read_draft(f"{GOOD}---\n{GOOD}").problems) == [10]


def test_an_empty_file_has_a_problem_of_its_own() -> None:
    assert list(read_draft("").problems) == [0]


@pytest.mark.database
async def test_a_file_with_another_tenant_s_journey_id_tells_nothing_of_it(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    file = f"id: {path.rpartition('/')[2]}\n{GOOD.replace('pinehurst', 'augusta')}"
    shown = text_of(await send(pages, "/journeys/new", text=file))
    assert "Welcome (augusta): A new journey. Nobody is touched until it is active." in shown
    stored = await send(pages, "/journeys/new", text=file, confirmed="yes")
    assert stored.headers["location"] != path
    again = text_of(await send(pages, "/journeys/new", text=file))
    assert "Nothing differs from what is stored." in again
