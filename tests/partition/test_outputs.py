"""Every effect has its topic, partition and key; a dead letter is what came, and why it could not be used."""

import msgspec
import pytest

from models.customer import Customer, encode
from streams.engine.effects import Activity, Cause, Forward, ProfileUpdate
from streams.engine.inputs import Exit
from streams.engine.payload import Rejection
from streams.kafka.limits import record_size
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.partition.outputs import OversizeError
from tests.partition.model import JOURNEY, START, Source, make_router
from tests.small import command

KEY = b"pinehurst:c-7"
ROUTER = make_router(3, 8)
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


def test_what_does_not_fit_is_refused_with_key_size_and_limit() -> None:
    fits = command("x" * 100, "t")
    size = record_size(KEY, msgspec.json.encode(fits.value), ROUTER.route(KEY, fits)[3])
    make_router(3, 8, room=size).route(KEY, fits)
    with pytest.raises(OversizeError) as refused:
        make_router(3, 8, room=size - 1).route(KEY, fits)
    assert str(refused.value) == (
        f"A record of {size} bytes for 'pinehurst:c-7' would go to 'fairway.commands', which takes {size - 1}: "
        "see its max.message.bytes."
    )


def test_a_row_is_held_to_what_the_changelog_takes() -> None:
    customer = Customer("pinehurst", "c-7", {"text": "x" * 500})
    assert make_router(room=2_000).row(KEY, customer) == encode(customer)
    assert make_router(room=500).row(KEY, None) is None
    with pytest.raises(OversizeError, match="would go to 'changelog', which takes 500"):
        make_router(room=500).row(KEY, customer)


def letter(record: Source, room: int = 1_000_000) -> tuple[bytes | None, bytes | None, dict[str, bytes | None]]:
    """Return key, value and headers of the dead letter of a record, and see that it fits."""
    router = make_router(3, 8, room=room)
    place, key, value, headers = router.dead_letter("topic", record, Rejection("not-json", "No."), START)  # type: ignore[arg-type]
    assert place == (DEAD_LETTERS, 3)
    assert record_size(key, value, headers) <= room
    return key, value, dict(headers)


TOLD = {
    "dlq.code": b"not-json", "dlq.reason": b"No.", "dlq.at": b"2026-11-23T10:00:00+00:00",
    "dlq.topic": b"topic", "dlq.partition": b"3", "dlq.offset": b"7", "dlq.timestamp": b"9",
}  # fmt: skip


def test_a_dead_letter_is_the_record_as_it_came_and_why() -> None:
    assert letter(Source(7, b"{", b"key", (("h", b"1"),), 9)) == (b"key", b"{", {"h": b"1"} | TOLD)
    assert letter(Source(7, None, None, (), 9)) == (None, None, TOLD)


def test_a_dead_letter_whose_value_does_not_fit_is_cut_and_says_so() -> None:
    key, value, headers = letter(Source(7, b"x" * 5_000, b"key", (("h", b"1"),), 9), room=2_000)
    assert (key, headers) == (b"key", {"h": b"1"} | TOLD | {"dlq.truncated": b"5000"})
    assert value is not None
    assert 1_000 < len(value) < 2_000


def test_a_dead_letter_whose_headers_do_not_fit_drops_them_and_says_so() -> None:
    long = (("h", b"1"), ("long", b"x" * 5_000))
    key, value, headers = letter(Source(7, b"value", b"k" * 9_000, long, 9), room=4_000)
    assert (key, value) == (b"k" * 1_200, b"value")
    assert headers == TOLD | {"dlq.headers-dropped": b"2"}


def test_a_dead_letter_with_long_headers_fits_beside_other_records() -> None:
    long = (("long", b"x" * 20_000),)
    _, value, headers = letter(Source(7, b"v" * 90_000, b"key", long, 9), room=100_000)
    assert headers["long"] == b"x" * 20_000
    assert len(value or b"") < 30_000


def test_what_came_of_no_record_is_told_as_what_it_is() -> None:
    place, key, value, headers = ROUTER.notice(KEY, b"what", Rejection("too-large", "So."), START)
    assert (place, key, value) == ((DEAD_LETTERS, 3), KEY, b"what")
    assert dict(headers)["dlq.reason"] == b"So."
