"""A customer's row as pages and API show it, damaged ones too."""

from datetime import UTC, datetime

import msgspec
import pytest

from models.customer import Customer, Enrollment, encode
from streams.web.access.masking import MASK, Mask
from streams.web.sources.rows import StateRow, read_row

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_row_is_shown_with_what_its_reader_may_see() -> None:
    waiting = Enrollment("e-1", "j-1", 1, AT, "wait", data={"email": "a@b"}, waiting_until=AT)
    raw = encode(Customer("golf", "c:1", {"email": "a@b"}, {"e-1": waiting}, recent=b"x" * 8))
    row = read_row(b"golf:c:1", raw, Mask(["email"]))
    assert (row.tenant_id, row.customer_id, row.key, row.size) == ("golf", "c:1", "golf:c:1", len(raw))
    assert (row.enrollments, row.due) == (1, AT)
    assert row.state is not None
    assert row.state["profile"] == row.state["enrollments"]["e-1"]["data"] == {"email": MASK}
    assert "recent" not in row.state
    whole = read_row(b"golf:c:1", raw, Mask()).state
    assert b"a@b" in msgspec.json.encode(whole)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"tenantId": 1}', b"\xff", b"[" * 5000])
def test_a_damaged_row_is_one_without_state(raw: bytes) -> None:
    assert read_row(b"golf:c-1", raw, Mask()) == StateRow("golf", "c-1", len(raw))
