"""What an id may be, at its very limits."""

import pytest

from models.limits import find_bad_id, is_customer_id, is_tenant_id

SURROGATE = "\ud800"


@pytest.mark.parametrize("text", ["t", "t" * 100, "pine hurst", "übung", "a%3Ab", "🏌" * 100, "\u00a0", "\u200b"])
def test_a_tenant_id_has_up_to_a_hundred_characters(text: str) -> None:
    assert is_tenant_id(text)


@pytest.mark.parametrize(
    "value", ["", "t" * 101, "a:b", ":", "a\n", "\ta", "a\x00", "a\x7fb", "a\x85b", SURROGATE, None, 7, ["t"], b"t"]
)
def test_a_tenant_id_holds_no_colon_and_no_control_character(value: object) -> None:
    assert not is_tenant_id(value)
    assert find_bad_id(value, "c-7") == (
        "The tenantId must be a text of 1 to 100 characters without a colon or control characters."
    )


@pytest.mark.parametrize("text", ["c", "c" * 256, "shop:7", "a\nb", "🏌" * 256])
def test_a_customer_id_has_up_to_256_characters_so_at_most_1024_bytes(text: str) -> None:
    assert is_customer_id(text)
    assert len(text.encode()) <= 1024
    assert find_bad_id("pinehurst", text) is None


@pytest.mark.parametrize("value", ["", "c" * 257, "a\x00", SURROGATE, None, 7, {}, b"c"])
def test_a_customer_id_holds_no_nul_and_nothing_that_is_no_utf_8(value: object) -> None:
    assert not is_customer_id(value)
    assert find_bad_id("pinehurst", value) == (
        "The customerId must be a text of 1 to 256 characters without U+0000."
    )
