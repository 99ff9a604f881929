"""A customer's row as pages and API show it, damaged ones too."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customer import Customer, Enrollment, encode
from models.ids import journey_id, name_uuid
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.web.access.masking import MASK, Mask
from streams.web.access.visitor import Tenants, Visitor
from streams.web.sources import rows
from streams.web.sources.rows import StateRow, read_row, scan_rows

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_row_is_shown_with_what_its_reader_may_see() -> None:
    journey = journey_id("golf", "Welcome")
    one = name_uuid(journey, "e-1")
    waiting = Enrollment(one, journey, 1, AT, "wait", data={"email": "a@b"}, waiting_until=AT)
    raw = encode(Customer("golf", "c:1", {"email": "a@b"}, {one: waiting}, recent=b"x" * 8))
    row = read_row(b"golf:c:1", raw, Mask(["email"]))
    assert (row.tenant_id, row.customer_id, row.key, row.size) == ("golf", "c:1", "golf:c:1", len(raw))
    assert (row.enrollments, row.due) == (1, AT)
    assert row.state is not None
    assert row.state["profile"] == row.state["enrollments"][one]["data"] == {"email": MASK}
    assert "recent" not in row.state
    whole = read_row(b"golf:c:1", raw, Mask()).state
    assert b"a@b" in msgspec.json.encode(whole)


UNSOUND = encode(Customer("golf", "c-1", enrollments={"e-1": Enrollment("e-1", "j-1", 1, AT, "wait")}))


@pytest.mark.parametrize("raw", [UNSOUND, b"", b"{", b'{"tenantId": 1}', b"\xff", b"[" * 5000])
def test_a_damaged_row_is_one_without_state(raw: bytes) -> None:
    assert read_row(b"golf:c-1", raw, Mask()) == StateRow("golf", "c-1", len(raw))


KEYS = st.builds("{}:{}".format, st.sampled_from(["a", "a-b", "b", "é", ""]), st.text("a:\x00é9", max_size=3))
TENANTS = st.none() | st.frozensets(st.sampled_from(["a", "a-b", "b", "é"]))


@given(st.sets(KEYS, max_size=30), TENANTS, KEYS | st.just(""), st.text("ab:-é", max_size=3))
def test_rows_are_those_of_the_visitor_s_tenants_in_order_from_a_key_on(
    keys: set[str], tenants: Tenants, after: str, prefix: str
) -> None:
    store = Store(MemoryMap())
    store.write({key.encode(): b"x" for key in keys}, {}, 1)
    found = scan_rows(store, Visitor("ann", tenants), prefix.encode(), after.encode())
    wanted = sorted(
        key.encode()
        for key in keys
        if not key.startswith(":") and key.startswith(prefix) and key.encode() > after.encode()
        if tenants is None or key.partition(":")[0] in tenants
    )
    assert [key for key, _ in found] == wanted


def test_only_what_is_the_visitor_s_own_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_AT_ONCE", 10)
    store = Store(MemoryMap())
    others = {f"big:{number:04}".encode(): b"x" for number in range(2000)}
    store.write(others | {b"z:1": b"x"}, {}, 1)
    looked = 0
    scan = store.scan

    def counting(after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        nonlocal looked
        found = scan(after, limit)
        looked += len(found)
        return found

    monkeypatch.setattr(store, "scan", counting)
    assert [key for key, _ in scan_rows(store, Visitor("ann", frozenset({"a", "z"})))] == [b"z:1"]
    assert looked <= 20
