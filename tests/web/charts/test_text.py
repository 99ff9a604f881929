"""What fits a box."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.web.charts.text import fit, measure


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Short", "Short"), ("W" * 40, "W" * 12 + "…"), ("i" * 24, "i" * 24), ("家" * 40, "家" * 12 + "…"), ("", "")],
)
def test_as_much_is_shown_as_fits(text: str, shown: str) -> None:
    assert fit(text, 190, 14) == shown


@given(st.text(max_size=300), st.floats(30, 400), st.floats(8, 20))
def test_what_is_shown_fits_and_says_where_something_is_left_out(text: str, width: float, size: float) -> None:
    shown = fit(text, width, size)
    assert shown == text or shown.endswith("…")
    assert measure(shown, size) <= width + 0.001
