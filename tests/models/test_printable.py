import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Welcome", "Welcome"),
        ("Überraschung\u00a0🏌 \u200d", "Überraschung\u00a0🏌 \u200d"),
        ("two\nlines\r\n", r"two\nlines\r\n"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\x85b\u2028c", r"a\x85b\u2028c"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_would_steer_a_terminal_is_escaped_and_nothing_else(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_becomes_one_line_that_can_be_written(text: str) -> None:
    assert len(printable(text).encode().splitlines()) <= 1
