"""What is said of a record that is put aside: whose it is, and why."""

import msgspec
import pytest

from streams.history.parking import explain, find_owner
from tests.history.activity import Message
from tests.history.build import record, value


@pytest.mark.parametrize(
    ("key", "record", "owner"),
    [
        (b"t:c:1", b"no json", ("t", "c:1")),
        (b"t:c\0\xff", b"", ("t", "c\ufffd\ufffd")),
        (None, value(customer="c-1"), ("t", "c-1")),
        (None, value(customer="c\0"), ("t", "c\ufffd")),
        (b"no-colon", b"no json", (None, None)),
        (None, None, (None, None)),
        (None, b'{"tenantId": 3}', (None, None)),
        (None, b"[" * 100_000, (None, None)),
    ],
)
def test_an_owner_is_named_by_the_key_or_else_by_the_record(
    key: bytes | None, record: bytes | None, owner: tuple[str | None, str | None]
) -> None:
    found = find_owner(Message(0, record, key=key))
    assert (found.tenant_id, found.customer_id) == owner


def test_the_sentence_says_what_is_wrong_and_ends_once() -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        record({"type": "step.failed", "stepId": 3})
    assert explain(wrong.value).startswith("It is no activity record: Expected `str`, got `int`")
    assert explain(RecursionError("too deep.")) == "It is no activity record: too deep."
    assert explain(KeyError("x")) == "It can't be worked out (KeyError)."
    assert explain(ValueError("bad\x1b value\nand more")) == "It is no activity record: bad\\x1b value."
