"""When waits are due."""

from datetime import timedelta
from itertools import pairwise

import httpx
import pytest

from streams.web.pages.waits import SPANS
from tests.web.pages.browsing import text_of

UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def read_tick(text: str) -> timedelta:
    count, unit = text.split()
    return int(count) * UNITS[unit]


@pytest.mark.parametrize("name", SPANS)
def test_the_axis_of_waits_is_linear(name: str) -> None:
    width, bars, ticks = SPANS[name]
    assert ticks[0] == "now"
    marks = [timedelta(0), *map(read_tick, ticks[1:])]
    assert {after - before for before, after in pairwise(marks)} == {marks[1]}
    assert marks[-1] == bars * width


@pytest.mark.database
async def test_waits_are_charted_and_listed(pages: httpx.AsyncClient) -> None:
    for path in ("/waits", "/waits?within=hour", "/waits?within=week", "/waits?within=nonsense"):
        assert (await pages.get(path)).status_code == 200
    assert "No wait is overdue: all is on time." in text_of(await pages.get("/waits?show=overdue"))
    assert "due in 5 h 30 min to 6 h" in (await pages.get("/waits")).text
