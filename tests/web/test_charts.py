"""Charts as geometry, and what can be said of a share."""

import pytest

from streams.web.charts import area, bars, differ, line, rate


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
    ("first", "second", "answer"),
    [((60, 100), (40, 100), True), ((52, 100), (48, 100), False), ((3, 4), (1, 4), None), ((0, 0), (0, 0), None)],
)
def test_two_shares_differ_with_confidence_or_not(
    first: tuple[int, int], second: tuple[int, int], answer: bool | None
) -> None:
    assert differ(first, second) is answer
