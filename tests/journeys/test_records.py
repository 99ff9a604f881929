"""The records of the definitions topic: written and read back, and why one can't be used."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from models.form import FORM
from models.journey import JourneyStatus
from models.limits import JOURNEY_BYTES
from streams.journeys.records import (
    JourneyState,
    Key,
    NewerError,
    UnusableError,
    check_form,
    read_key,
    read_status,
    read_version,
    status_record,
    version_record,
)
from tests.engine.build import EXAMPLES, journey, send
from tests.journeys.build import read_examples

ONE = journey(send())
STATE = JourneyState("pinehurst", ONE.id, "Welcome", JourneyStatus.ACTIVE, 1, datetime(2026, 11, 23, tzinfo=UTC), 7)


def test_what_is_written_is_read_back() -> None:
    for one in [ONE, *read_examples(EXAMPLES)]:
        key, value = version_record(one)
        assert read_version(read_key(key.encode()), value) == one.model_copy(update={"status": None})
    key, value = status_record(STATE)
    assert read_status(read_key(key.encode()), value) == STATE


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"t:j", Key("t", "j", None)),
        (b"t:j:12", Key("t", "j", 12)),
        ("ü\n:j".encode(), Key("ü\n", "j", None)),
    ],
)
def test_a_key_says_whose_record_it_is(key: bytes, expected: Key) -> None:
    assert read_key(key) == expected


@pytest.mark.parametrize(
    "key",
    [None, b"", b"t", b":j", b"t:", b"t:j:", b"t:j:0", b"t:j:01", b"t:j:-1", b"t:j:x", b"t:j:1:1", b"\xff:j",
     b"t:j:\xd9\xa1", b"t:j:" + b"9" * 5000],
)  # fmt: skip
def test_a_key_of_another_form_is_refused(key: bytes | None) -> None:
    with pytest.raises(UnusableError, match=r"^Its key is not tenantId:journeyId or tenantId:journeyId:version.$"):
        read_key(key)


def mend(value: bytes, **changes: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(value) | changes)


@pytest.mark.parametrize(
    "changes",
    [{"updatedAt": "soon"}, {"updatedAt": "2026-11-23T10:00:00"}, {"updatedAt": ""}, {"updatedAt": None},
     {"status": "SLEEPING"}, {"version": 0}, {"version": "1"}, {"revision": 1.5}, {"tenantId": "augusta"},
     {"journeyId": "another"}, {"name": None}],
)  # fmt: skip
def test_a_status_that_means_nothing_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnusableError):
        read_status(Key("pinehurst", ONE.id, None), mend(status_record(STATE)[1], **changes))


@pytest.mark.parametrize(
    "changes",
    [{"tenantId": "augusta"}, {"version": 2}, {"id": "another"}, {"steps": []}, {"steps": None}, {"whatever": 1},
     {"status": 5}, {"steps": [{"type": "TRIGGER", "config": {"new": 1}}]}],
)  # fmt: skip
def test_a_version_that_is_no_journey_or_another_is_refused(changes: dict[str, Any]) -> None:
    key, value = version_record(ONE)
    with pytest.raises(UnusableError):
        read_version(read_key(key.encode()), mend(value, **changes))


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"[]", b"5", b"\xff", b"[" * 3000, b'{"needs": ' + b"9" * 5000 + b"}", b'{"a": ' + b"[" * 3000,
     b'{"needs": "soon"}', b'"' + b"x" * JOURNEY_BYTES + b" " * 300 + b'"'],
)  # fmt: skip
def test_what_is_no_json_object_or_too_large_is_refused_before_it_is_looked_at(value: bytes) -> None:
    with pytest.raises(UnusableError):
        check_form(Key("t", "j", 1), value)


def test_R66_a_newer_form_is_told_apart_from_what_nobody_could_read() -> None:
    key = Key("pinehurst", ONE.id, 4)
    value = mend(version_record(ONE)[1], needs=FORM + 1, needsFairway="1.3", somethingNew={})
    with pytest.raises(NewerError, match=r"^Journey 'Welcome' version 4 needs Fairway 1\.3 or later\.$"):
        check_form(key, value)
    check_form(key, mend(value, needs=FORM))
