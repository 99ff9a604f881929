"""The rows that are no customer's have keys that no customer can have."""

import pytest

from models.ids import customer_key
from models.limits import is_tenant_id
from streams.engine.leaving import places_key
from streams.partition.internal_rows import JOINED, PARTITIONS, POSITION, is_internal
from tests.partition.model import JOURNEY


@pytest.mark.parametrize("key", [POSITION, PARTITIONS, JOINED, places_key(JOURNEY)])
def test_an_internal_row_s_key_is_no_customer_s(key: bytes) -> None:
    assert is_internal(key)
    assert not is_tenant_id(key.decode().partition(":")[0])


def test_a_customer_s_key_is_not_internal() -> None:
    assert not is_internal(customer_key("pinehurst", ":position"))
