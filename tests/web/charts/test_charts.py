"""Charts as geometry, and what can be said of a share."""

import pytest

from streams.web.charts.charts import area, bars, confidence, line, rate
from streams.web.queries.variants import Outcome


def test_the_highest_bar_is_as_high_as_the_chart_and_none_that_counts_is_invisible() -> None:
    heights = [bar.height for bar in bars([0, 1, 1000], ["a", "b", "c"])]
    assert heights == [0.0, 2.0, 72.0]


def test_a_line_runs_from_left_to_right() -> None:
    assert line([0, 2], width=100, height=22) == "M0.0 20.0L100.0 2.0"
    assert line([3], width=100, height=22) == "M0.0 2.0L100.0 2.0"
    assert line([]) == area("") == ""


def test_a_share_has_its_interval() -> None:
    found = rate(8, 10)
    assert found is not None
    assert (found.share, round(found.low, 3), round(found.high, 3)) == (0.8, 0.49, 0.943)
    assert rate(0, 0) is None


@pytest.mark.parametrize(
    ("first", "second", "sure"),
    [
        ((60, 100), (40, 100), 0.9953),  # z = 2.828
        ((52, 100), (48, 100), 0.4284),  # z = 0.566
        ((200, 1000), (250, 1000), 0.9926),  # z = 2.677
        ((49, 100), (49, 100), 0.0),
        ((100, 100), (50, 50), 0.0),  # all of both: nothing differs
        ((3, 4), (1, 4), None),
        ((99, 100), (97, 100), None),  # too few that did not
        ((0, 0), (5, 10), None),
    ],
)
def test_how_sure_it_is_that_two_shares_differ(
    first: tuple[int, int], second: tuple[int, int], sure: float | None
) -> None:
    found = confidence(first, second)
    assert (None if found is None else round(found, 4)) == sure


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        (
            {"A": (60, 100), "B": (40, 100)},
            ["“A” does better than “B”, 99 % sure: chance rarely makes such a difference."],
        ),
        (
            {"A": (40, 100), "B": (55, 100)},
            ["“B” does better than “A”, 95 % sure: chance rarely makes such a difference."],
        ),
        (
            {"A": (52, 100), "B": (48, 100)},
            ["“A” and “B” do not differ for sure: chance alone may well explain it."],
        ),
        ({"A": (1, 2), "B": (0, 2)}, ["Too few to compare yet."]),
        ({"A": (9, 9), "B": (7, 7)}, ["“A” and “B” are alike so far."]),
        (
            # 96.6 % sure alone, but there are three pairs, one of which may well seem so by chance.
            {"A": (55, 100), "B": (40, 100), "C": (0, 0)},
            [
                "“A” and “B” do not differ for sure: chance alone may well explain it.",
                "“A” and “C”: too few to compare yet.",
                "“B” and “C”: too few to compare yet.",
            ],
        ),
    ],
)
def test_variants_are_compared_in_words(shares: dict[str, tuple[int, int]], verdict: list[str]) -> None:
    assert Outcome("completed", shares).verdict() == verdict
