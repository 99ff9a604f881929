"""What partitions know of themselves goes to other partitions whole, and a state is opened only where it lies."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.admission import Places
from streams.engine.inputs import RequestPlace
from streams.engine.leaving import places_key
from streams.errors import FairwayError
from streams.kafka.inputs import input_name, read_input
from streams.kafka.partitioner import partition_of
from streams.partition.internal_rows import (
    JOINED,
    MOVED_FROM,
    PARTITIONS,
    POSITION,
    TOPICS,
    MovedFrom,
    MovedTo,
    read_places,
    read_positions,
)
from streams.partition.redistribution import check_move, check_target, find_uncounted, redistribute

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HALF_A_DAY = timedelta(hours=12)
encode = msgspec.json.encode

numbers = st.integers(1, 9)
positions = st.dictionaries(
    st.tuples(st.sampled_from(["booked", "fairway.inbox"]), st.integers(0, 20)), st.integers(0, 2**40)
)


def state(
    positions_: dict[tuple[str, int], int], partitions: int, places: dict[str, Places]
) -> list[dict[bytes, bytes]]:
    """Return the internal rows of each partition of a state that has handled as much."""
    rows: list[dict[bytes, bytes]] = []
    for partition in range(partitions):
        own = {
            input_name(topic, number, partition): offset
            for (topic, number), offset in positions_.items()
            if number % partitions == partition
        }
        here = {
            places_key(journey): encode(row)
            for journey, row in places.items()
            if partition_of(places_key(journey), partitions) == partition
        }
        rows.append({POSITION: encode(own), PARTITIONS: encode(partitions), JOINED: encode(sorted(places)), **here})
    return rows


@given(positions, numbers, numbers)
def test_every_position_goes_to_the_partition_that_reads_on_there(
    known: dict[tuple[str, int], int], old: int, new: int
) -> None:
    found = redistribute(state(known, old, {}), new)
    assert len(found) == new
    told = {}
    for partition, rows in enumerate(found):
        assert rows[PARTITIONS] == encode(new)
        for name, offset in read_positions(rows[POSITION]).items():
            topic, number = read_input(name, partition)
            assert number % new == partition
            told[topic, number] = offset
    assert told == known


@given(st.dictionaries(st.uuids().map(str), st.integers(0, 99), max_size=5), numbers, numbers)
def test_R5_places_stay_taken_and_no_partition_counts_its_enrolments_again(
    taken: dict[str, int], old: int, new: int
) -> None:
    waiting = (RequestPlace("j", "pinehurst", "c-1", "n-1"),)
    places = {journey: Places(count, tuple(range(old)), waiting) for journey, count in taken.items()}
    assert find_uncounted(state({}, old, places), taken) == []
    found = redistribute(state({}, old, places), new)
    for journey, count in taken.items():
        key = places_key(journey)
        (partition,) = [number for number, rows in enumerate(found) if key in rows]
        row = read_places(found[partition][key])
        assert partition == partition_of(key, new)
        assert (row.taken, row.waiting) == (count, waiting)
        assert set(range(max(old, new))) <= set(row.joined)
    assert {rows[JOINED] for rows in found} == {encode(sorted(taken))}


def test_R5_a_journey_whose_enrolments_are_still_being_counted_is_named() -> None:
    rows = state({}, 2, {"half": Places(3, (0,)), "whole": Places(1, (0, 1)), "gone": Places(1, (1,))})
    rows[0][JOINED] = encode(["half", "on the way", "whole"])
    assert find_uncounted(rows, {"half", "whole", "on the way", "never seen"}) == ["half", "on the way"]


def test_ids_of_topics_go_along() -> None:
    rows = [{TOPICS: encode({"booked": "id", "booked:2": "id"})}, {TOPICS: encode({"booked": "id"})}]
    told = [msgspec.json.decode(one[TOPICS]) for one in redistribute(rows, 3)]
    assert told == [{"booked": "id"}, {"booked": "id"}, {"booked": "id"}]


@pytest.mark.parametrize(
    ("moved_to", "moved_from", "sentence"),
    [
        (None, None, None),
        (None, MovedFrom("golf", NOW, is_complete=True), None),
        (
            MovedTo("golf-8", 8),
            None,
            "This state was moved to app id 'golf-8', with 8 partitions: set FAIRWAY_APP_ID",
        ),
        (
            None,
            MovedFrom("golf", NOW),
            "The state of app id 'golf' is being moved here, and not all of it has come",
        ),
    ],
)
def test_a_state_is_opened_where_it_lies_whole(
    moved_to: MovedTo | None, moved_from: MovedFrom | None, sentence: str | None
) -> None:
    rows = [None if one is None else encode(one) for one in (moved_to, moved_from)]
    if sentence is None:
        check_move(*rows)
        return
    with pytest.raises(FairwayError) as refused:
        check_move(*rows)
    assert str(refused.value).startswith(sentence)


def test_a_move_that_was_broken_off_goes_on_from_when_it_was_begun() -> None:
    begun = MovedFrom("golf", NOW - timedelta(hours=1))
    assert check_target("golf", "new", [{}, {MOVED_FROM: encode(begun)}], NOW, HALF_A_DAY) == begun
    assert check_target("golf", "new", [{}, {}], NOW, HALF_A_DAY) == MovedFrom("golf", NOW)
    whole = MovedFrom("golf", NOW - timedelta(days=9), is_complete=True)
    assert check_target("golf", "new", [{MOVED_FROM: encode(whole)}], NOW, HALF_A_DAY) == whole


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({PARTITIONS: b"4"}, "App id 'new' has a state of its own"),
        ({PARTITIONS: b"4", MOVED_FROM: encode(MovedFrom("golf", NOW))}, "App id 'new' has a state of its own"),
        ({MOVED_FROM: encode(MovedFrom("other", NOW))}, "App id 'new' has a state of its own"),
        (
            {MOVED_FROM: encode(MovedFrom("golf", NOW - timedelta(hours=13)))},
            "A move to 'new' was begun at 2026-11-22",
        ),
    ],
)
def test_another_state_and_a_move_that_was_left_for_too_long_are_refused(
    rows: dict[bytes, bytes], sentence: str
) -> None:
    with pytest.raises(FairwayError) as refused:
        check_target("golf", "new", [rows], NOW, HALF_A_DAY)
    assert str(refused.value).startswith(sentence)
