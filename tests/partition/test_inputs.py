"""What a record holds is told by its topic: an event, or a message of the inbox under the key that it is for."""

import msgspec

from models.ids import CustomerKey
from models.messages import Source as Origin
from streams.engine.inputs import Arrived, CountActive, Due, Enroll, Exit, Sweep
from streams.engine.journeys import Journeys
from streams.engine.payload import Rejection
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import INBOX
from streams.partition.inputs import AddressedToPlaces, read_event, read_message
from tests.partition.model import JOURNEY, START, Source, event

KEY = CustomerKey.of("pinehurst", "c-7")
HERE = partition_of(KEY.raw, 4)
ELSEWHERE = (HERE + 1) % 4


def test_an_event_comes_with_whose_it_is_and_where_it_was_put() -> None:
    found = read_event("customer.updated", 3, Journeys(), Source(5, event(1, "c-7"), b"any"))
    assert isinstance(found, tuple)
    key, given = found
    assert key == KEY
    assert isinstance(given, Arrived)
    assert given.source == Origin("customer.updated", 3, 5)


def test_an_event_that_nobody_wants_is_nothing_and_one_that_is_none_a_rejection() -> None:
    assert read_event("teetime.booked", 0, Journeys(), Source(5, event(1, "c-7"))) is None
    assert isinstance(read_event("teetime.booked", 0, Journeys(), Source(5, b"{")), Rejection)


def test_a_control_says_where_it_lies_unless_it_was_sent_on_from_there() -> None:
    for message in (Enroll(JOURNEY, START), Exit(START)):
        record = Source(5, msgspec.json.encode(message), KEY.raw)
        sourced = msgspec.structs.replace(message, source=Origin(INBOX, HERE, 5))
        assert read_message(HERE, 4, record) == (KEY, sourced)
        assert read_message(ELSEWHERE, 4, record) == (KEY, message)
        again = Source(9, msgspec.json.encode(sourced), KEY.raw)
        assert read_message(HERE, 4, again) == (KEY, sourced)


def test_a_message_for_places_has_their_key() -> None:
    key = f":places:{JOURNEY}".encode()
    record = Source(5, msgspec.json.encode(CountActive(JOURNEY, 0, 3)), key)
    assert read_message(HERE, 4, record) == AddressedToPlaces(key, CountActive(JOURNEY, 0, 3))


def test_what_comes_of_time_alone_is_not_taken_from_the_inbox() -> None:
    for given in (Due(), Sweep(JOURNEY)):
        assert isinstance(read_message(HERE, 4, Source(5, msgspec.json.encode(given), KEY.raw)), Rejection)
