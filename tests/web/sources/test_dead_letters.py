"""A dead letter says what Fairway says of it, whatever its producer wrote."""

import pytest

from streams.web.access.masking import MASK, Mask
from streams.web.sources.dead_letters import Letter, hide_personal
from streams.web.sources.records import Record
from tests.web.sources.test_samples import START

TOLD = (("dlq.code", b"schema"), ("dlq.reason", b"Because."), ("dlq.topic", b"teetime.booked"))
FORGED = (
    ("dlq.topic", b"fairway.inbox"),
    ("dlq.code", None),
    ("dlq.reason", b"mine"),
    ("mail", b"a@b"),
    ("x", None),
)


def letter(*headers: tuple[str, bytes | None]) -> Letter:
    return Letter(Record(0, 1, START, b"golf:c-1", b"{}", headers))


def test_what_fairway_says_counts_and_not_what_a_producer_wrote_under_the_same_name() -> None:
    found = letter(*FORGED, *TOLD)
    assert [found.header(name) for name in ("code", "reason", "topic")] == ["schema", "Because.", "teetime.booked"]
    assert found.original_headers == [("mail", b"a@b"), ("x", None)]


@pytest.mark.parametrize("headers", [(), FORGED, (("dlq.reason", None), ("", b""), ("dlq.", None))])
def test_headers_without_a_value_are_empty(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    found = letter(*headers)
    assert found.header("code") == ""
    hidden = hide_personal(found, Mask(["email"]))
    assert hidden.header("at") == ""
    assert {value for _, value in hidden.original_headers} <= {MASK.encode()}
