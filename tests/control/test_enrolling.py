"""Lines of a file that enrols many."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from streams.control.enrolling import read_enrollments
from streams.control.publishing import BadLine, OutgoingRecord
from streams.engine.inputs import Enroll

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def read(*lines: bytes) -> list[Any]:
    return list(read_enrollments(lines, "pinehurst", "j", AT))


def test_a_line_is_an_id_or_an_object_with_data_of_its_own() -> None:
    found = read(b"c-7\r", b"", b'{"customerId": "c-8", "data": {"n": 1}}', b'{"customerId": "c:9"}')
    assert all(isinstance(one, OutgoingRecord) and one.topic == "fairway.inbox" for one in found)
    assert [one.key for one in found] == [b"pinehurst:c-7", b"pinehurst:c-8", b"pinehurst:c:9"]
    messages = [msgspec.json.decode(one.value, type=Enroll) for one in found]
    assert [(message.journey_id, message.at, message.data) for message in messages] == [
        ("j", AT, {}), ("j", AT, {"n": 1}), ("j", AT, {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff", "It is neither an id nor an object"),
        (b'{"customer": "c"}', "It is neither an id nor an object"),
        (b'{"customerId": ""}', "The customerId must be a text of 1 to 256 characters"),
        (b"c" * 257, "The customerId must be a text of 1 to 256 characters"),
        (b'{"customerId": "c", "data": []}', "The data must be a JSON object"),
        (b'{"customerId": "c", "data": ' + b"[" * 3000, "The JSON is nested deeper than 32 levels."),
    ],
)
def test_a_line_that_enrols_nobody_is_told_with_its_number(line: bytes, reason: str) -> None:
    _, bad = read(b"c-1", line)
    assert isinstance(bad, BadLine)
    assert bad.number == 2
    assert bad.reason.startswith(reason)
