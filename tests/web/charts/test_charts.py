"""Charts as geometry."""

from streams.web.charts.charts import area, bars, line


def test_the_highest_bar_is_as_high_as_the_chart_and_none_that_counts_is_invisible() -> None:
    heights = [bar.height for bar in bars([0, 1, 1000], ["a", "b", "c"])]
    assert heights == [0.0, 2.0, 72.0]


def test_a_line_runs_from_left_to_right() -> None:
    assert line([0, 2], width=100, height=22) == "M0.0 20.0L100.0 2.0"
    assert line([3], width=100, height=22) == "M0.0 2.0L100.0 2.0"
    assert line([]) == area("") == ""
