"""Every effect has its topic, partition and key; a dead letter is what came, and why it could not be used."""

import msgspec
import pytest

from streams.engine.effects import Activity, Cause, Forward, ProfileUpdate
from streams.engine.inputs import Exit, FailWait
from streams.engine.payload import Rejection
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.partition import outputs
from streams.partition.outputs import OversizeError, Router
from tests.partition.model import JOURNEY, START, Source
from tests.small import command

KEY = b"pinehurst:c-7"
ROUTER = Router(3, 8)
ACTIVITY_OF_NOTHING = Activity("a-1", START, "pinehurst", None, "c-7", Cause("wait"), ())
UPDATE = ProfileUpdate("pinehurst", None, "c-7", JOURNEY, 1, "e", "s", 1, 1, [], START)


@pytest.mark.parametrize(
    ("effect", "topic"), [(ACTIVITY_OF_NOTHING, ACTIVITY), (UPDATE, PROFILE_UPDATES), (command("1", "t"), COMMANDS)]
)
def test_what_was_decided_here_goes_out_on_the_same_partition(effect, topic: str) -> None:
    place, key, value, _ = ROUTER.route(KEY, effect)
    assert (place, key) == ((topic, 3), KEY)
    assert value == msgspec.json.encode(getattr(effect, "value", effect))


def test_what_is_sent_on_goes_to_the_partition_of_its_own_key() -> None:
    place, key, value, headers = ROUTER.route(KEY, Forward(b"pinehurst:c-8", Exit(START)))
    assert (place, key, headers) == ((INBOX, partition_of(b"pinehurst:c-8", 8)), b"pinehurst:c-8", [])
    assert value == msgspec.json.encode(Exit(START))


@pytest.mark.parametrize("trace", [None, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
def test_a_command_s_headers_are_what_senders_sort_by(trace: str | None) -> None:
    effect = msgspec.structs.replace(command("c-1", "pinehurst"), traceparent=trace)
    headers = ROUTER.route(KEY, effect)[3]
    expected = [("command-id", b"c-1"), ("tenant-id", b"pinehurst"), ("channel", b"EMAIL")]
    assert headers == expected + ([("traceparent", trace.encode())] if trace else [])


def test_what_does_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MAX_RECORD", 50)
    with pytest.raises(OversizeError, match=r"^What comes of it has \d+ bytes, but 50 fit\.$"):
        ROUTER.route(KEY, command("x" * 50, "t"))


def test_a_dead_letter_is_the_record_as_it_came_cut_to_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MAX_RECORD", 4)
    record = Source(7, b"{ too long", b"key", (("h", b"1"),), 9)
    place, key, value, headers = ROUTER.dead_letter("topic", record, Rejection("not-json", "No."), START)  # type: ignore[arg-type]
    assert (place, key, value) == ((DEAD_LETTERS, 3), b"key", b"{ to")
    assert dict(headers) == {
        "h": b"1", "dlq.code": b"not-json", "dlq.reason": b"No.", "dlq.at": b"2026-11-23T10:00:00+00:00",
        "dlq.topic": b"topic", "dlq.partition": b"3", "dlq.offset": b"7", "dlq.timestamp": b"9",
        "dlq.truncated": b"10",
    }  # fmt: skip


def test_what_came_of_no_record_is_told_as_what_was_done() -> None:
    given = FailWait("e-1", "It is too large.")
    place, key, value, headers = ROUTER.notice(KEY, given, Rejection("too-large", "So."), START)
    assert (place, key, value) == ((DEAD_LETTERS, 3), KEY, msgspec.json.encode(given))
    assert dict(headers)["dlq.reason"] == b"So."
