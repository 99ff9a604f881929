"""Cursors: what a page hands out is taken back, and nothing else is."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.web.queries.cursors import (
    BadCursorError,
    Id,
    Keyset,
    Moment,
    Number,
    Text,
    read_cursor,
    write_cursor,
)

ANY = tuple[Moment, Number, Text, Id]
ID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(st.tuples(MOMENTS, st.integers(0, 2**63 - 1), TEXTS, st.uuids()))
def test_a_key_comes_back_as_it_was_written(key: tuple[datetime, int, str, UUID]) -> None:
    assert read_cursor(write_cursor(key), ANY) == key


def encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("kind", "cursor"),
    [
        (tuple[Text], "x"), (tuple[Text], "é"), (tuple[Text], ""), (tuple[Text], encode("{}")),
        (tuple[Text], encode("[1]")), (tuple[Text], encode('["a", "b"]')), (tuple[Text], encode("[" * 9999)),
        (tuple[Text], encode(r'["a\u0000"]')),
        (tuple[Number], encode("[9223372036854775808]")), (tuple[Number], encode("[-1]")),
        (tuple[Number], encode("[" + "9" * 5000 + "]")), (tuple[Id], encode('["x"]')),
        (tuple[Moment], encode('["2026-01-01T00:00:00"]')), (tuple[Moment], encode('["0001-01-01T00:00:00Z"]')),
        (tuple[Moment], encode('["9999-12-31T23:59:59Z"]')),
    ],
)  # fmt: skip
def test_a_cursor_that_no_page_gave_is_refused(kind: object, cursor: str) -> None:
    with pytest.raises(BadCursorError) as refused:
        read_cursor(cursor, kind)
    assert str(refused.value) == "The cursor is not one of ours; start without it."


def test_a_page_ends_where_the_next_one_begins() -> None:
    order = Keyset(("id", Number), down=True)
    rows = [{"id": number} for number in (9, 8, 7)]
    page = order.page(rows, 2)
    assert (page.rows, page.next) == (rows[:2], write_cursor([8]))
    assert order.page(rows, 3) == order.page(rows, 4) == msgspec.structs.replace(page, rows=rows, next=None)
