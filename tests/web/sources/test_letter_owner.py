"""Whose a dead letter is: what its value says counts, as for the worker, and its key where that is silent."""

import pytest

from streams.web.sources.letter_owner import Owner, owner_of
from streams.web.sources.records import Record
from tests.web.sources.test_samples import START

GOLF = Owner("golf", "c-1")
OF_GOLF = b'{"tenantId": "golf", "customerId": "c-1"}'
CASES = {
    "no key": (None, OF_GOLF, GOLF),
    "a key of another": (b"tennis:c-2", OF_GOLF, GOLF),
    "a key of a producer's own": (b"order-17", OF_GOLF, GOLF),
    "ids beside fields of a wrong type": (b"", b'{"tenantId":"golf","customerId":"c-1","occurredAt":[7]}', GOLF),
    "no tenant": (None, b'{"customerId":"c-1"}', Owner("", "c-1")),
    "no customer": (None, b'{"tenantId":"golf"}', Owner("golf", "")),
    "no tenant, but a key": (b"golf:c-1", b'{"customerId":"c-1"}', GOLF),
    "ids that are no texts": (None, b'{"tenantId":7,"customerId":["c-1"]}', Owner("", "")),
    "ids that are no texts, but a key": (b"golf:c:1", b'{"tenantId":7,"customerId":null}', Owner("golf", "c:1")),
    "no value": (b"golf:c-1", None, GOLF),
    "no JSON object": (b"golf:c-1", b"[1]", GOLF),
    "neither": (b"c-1", b"17", Owner("", "")),
    "a CloudEvent": (None, b'{"specversion":"1.0","tenantid":"golf","customerid":"c-1"}', GOLF),
    "JSON that is cut": (None, OF_GOLF[:-1] + b', "data": {"na', GOLF),
    "JSON that is not UTF-8": (None, OF_GOLF[:-1] + b', "name": "\xff"}', GOLF),
    "JSON that is cut within the id": (None, b'{"tenantId": "golf", "customerId": "c-', Owner("golf", "")),
    "cut JSON with ids of two": (None, b'{"tenantId":"golf","x":{"tenantId":"tennis"},', Owner("", "")),
    "ids with escapes": (None, rb'{"tenantId":"golf","customerId":"\u0063-1"', GOLF),
    "ids with broken escapes": (None, rb'{"tenantId":"golf","customerId":"\q"', Owner("golf", "")),
    "brackets without an end": (None, b'{"tenantId":"golf","customerId":"c-1","data":' + b"[" * 100_000, GOLF),
}  # fmt: skip


@pytest.mark.parametrize(("key", "value", "owner"), CASES.values(), ids=CASES)
def test_a_letter_is_of_the_customer_whom_it_names(key: bytes | None, value: bytes | None, owner: Owner) -> None:
    assert owner_of(Record(0, 1, START, key, value)) == owner


def test_a_cloudevent_in_binary_mode_names_its_customer_in_headers() -> None:
    named = ("ce_specversion", b"1.0"), ("ce_tenantid", b"golf"), ("ce_customerid", b"c-1"), ("dlq.code", b"schema")
    assert owner_of(Record(0, 1, START, None, b'{"tenantId":"tennis"}', named)) == GOLF
    assert owner_of(Record(0, 1, START, b"golf:c-1", b"", (named[0], ("ce_tenantid", None)))) == GOLF
