"""Dead letters are counted by tenant, code and state, for those who may see them."""

from datetime import UTC, datetime

from aiokafka import TopicPartition

from streams.kafka.topics import DEAD_LETTERS
from streams.web.access.visitor import Visitor
from streams.web.queries.letter_states import Place
from streams.web.sources.letter_index import Known, LetterIndex, by_code, by_state, of_visitor

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
PARTITION = TopicPartition(DEAD_LETTERS, 0)


def known(offset: int, code: str = "schema", tenant: str = "golf") -> Known:
    return Known(Place(0, offset, START), tenant, code)


def index(*letters: Known) -> LetterIndex:
    found = LetterIndex(None, [PARTITION])  # type: ignore[arg-type]
    found._known[PARTITION] = list(letters)
    found._ends[PARTITION] = 10
    return found


def test_those_of_which_nothing_is_kept_are_open() -> None:
    counts = index(known(1), known(3), known(4, "not-json")).count({known(3).place: "replayed"})
    assert by_state(counts) == {"open": 2, "replayed": 1, "resolved": 0, "discarded": 0}
    assert by_code(counts, "open") == {"schema": 1, "not-json": 1}
    assert by_code(counts, "discarded") == {}
    assert by_code(counts, None) == {"schema": 2, "not-json": 1}


def test_those_that_came_since_a_moment_are_counted_by_when_they_were_written() -> None:
    letters = index(known(1), Known(Place(0, 2, START.replace(hour=11)), "golf", "schema"))
    assert [letters.count({}, since).total() for since in (None, START, START.replace(hour=11))] == [2, 2, 1]


def test_a_state_is_of_one_record_and_not_of_a_later_one_at_its_offset() -> None:
    later = Known(Place(0, 1, START.replace(hour=11)), "golf", "schema")
    assert by_state(index(later).count({known(1).place: "resolved"}))["open"] == 1


def test_a_visitor_s_counts_are_of_their_tenants() -> None:
    counts = index(known(1), known(2, tenant="tennis"), known(3, tenant="")).count({})
    assert of_visitor(counts, Visitor("ann", frozenset({"golf"}))).total() == 1
    assert of_visitor(counts, Visitor("root")).total() == 3


def test_those_that_name_a_customer_are_found_and_what_is_not_looked_at_is_said() -> None:
    named = Known(Place(0, 2, START), "golf", "schema", "c-1", "Why.")
    letters = index(known(1), named)
    assert list(letters.find(customer="c-1")) == [named]
    assert letters.count({}, customer="c-1").total() == 1
    assert letters.is_whole


def test_what_the_topic_keeps_no_more_is_forgotten_and_a_new_topic_is_read_anew() -> None:
    found = index(known(1), known(5))
    found._forget(PARTITION, 2, 10)
    assert found.count({}).total() == 1
    found._forget(PARTITION, 0, 4)
    assert (found.count({}).total(), found._ends[PARTITION]) == (0, 0)
