"""Every kind of bad row, and of a store that is other than its changelog, is found and named."""

from datetime import timedelta

import msgspec
import pytest

from models.customer import Customer, encode
from models.ids import customer_key
from streams.kafka.partitioner import partition_of
from streams.partition.audit import (
    Report,
    audit_rows,
    audit_store,
    find_problem,
    find_row,
    fold,
    read_keys,
    scan_all,
)
from streams.partition.internal_rows import POSITION
from streams.partition.restore import Progress, restore
from streams.state.index import hold, marks_of
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import START, Broker, ModelChangelog, place

PARTITIONS = 4
KEY = customer_key("pinehurst", "c-7")
HERE = partition_of(KEY, PARTITIONS)
PLACE = place("1", START, START + timedelta(days=1))
GOOD = encode(Customer("pinehurst", "c-7", enrollments={PLACE.id: PLACE}))
PLAIN = msgspec.json.decode(GOOD)
WAIT = next(mark for mark in marks_of(KEY, [PLACE]) if mark[:1] == b"w")


def changed(**fields: object) -> bytes:
    return msgspec.json.encode(PLAIN | fields)


def changelog(*rows: tuple[bytes, bytes | None], start: int = 0) -> ModelChangelog:
    broker = Broker()
    broker.changelog = [(offset, key, value) for offset, (key, value) in enumerate(rows, start)]
    broker.changelog_end = start + len(rows)
    return ModelChangelog(broker)


async def folded(*rows: tuple[bytes, bytes | None]) -> Store:
    store = Store(MemoryMap())
    await fold(changelog(*rows), store)
    return store


async def restored(*rows: tuple[bytes, bytes | None]) -> Store:
    store = Store(MemoryMap())
    await restore(store, changelog(*rows), Progress(), HERE)
    return store


@pytest.mark.parametrize(
    ("key", "row", "problem"),
    [
        (KEY, GOOD, ""),
        (POSITION, b'{"teetime.booked":4}', ""),
        (b":unknown", b"anything", ""),
        (b"", GOOD, "It has no key"),
        (POSITION, b'"nonsense"', "It is no internal row of Fairway's"),
        (b"\xff:c", GOOD, "It can't be decoded: "),
        (KEY, b"{", "It can't be decoded: "),
        (KEY, changed(records="many"), "It can't be decoded: Expected `int`, got `str` - at `$.records`."),
        (KEY, b"[" * 100_000, "It can't be decoded: "),
        (KEY, changed(customerId="c-8"), "It names another customer than its key does."),
        (KEY, changed(enrollments={"x": PLAIN["enrollments"][PLACE.id]}), "An enrolment, a candidacy"),
        (KEY, GOOD.replace(b'"enrollments"', b'"\\u0065nrollments"'), "A restore would not see its enrolments"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(key: bytes, row: bytes, problem: str) -> None:
    found = find_problem(key, row, HERE, PARTITIONS)
    assert found.startswith(problem)
    assert bool(found) is bool(problem)


def test_a_row_on_another_partition_than_its_customer_s_is_said() -> None:
    elsewhere = (HERE + 1) % PARTITIONS
    assert find_problem(KEY, GOOD, elsewhere, PARTITIONS).startswith(f"It belongs on partition {HERE}, ")


async def test_rows_are_counted_and_the_bad_ones_named() -> None:
    gone = (b"t:gone", GOOD), (b"t:gone", None)
    rows = audit_rows(
        await folded((KEY, b"{}"), (KEY, GOOD), *gone, (POSITION, b"{}"), (b"", GOOD)), HERE, PARTITIONS
    )
    assert (rows.customers, rows.enrollments, rows.waits, rows.internal, rows.bad) == (1, 1, 1, 1, 1)
    assert [(fault.key, fault.problem) for fault in rows.faults] == [("", "It has no key, so that it is nobody's.")]


async def test_the_last_row_of_a_key_is_found_and_all_are_read() -> None:
    given = changelog((KEY, b"1"), (b"t:c", b"2"), (KEY, b"3"), (b"t:c", None))
    assert (await find_row(given, KEY), await find_row(given, b"t:c"), await find_row(given, b"t:d")) == (
        b"3",
        None,
        None,
    )
    assert list(scan_all(await folded((KEY, b"1"), (b"t:c", b"2"), (KEY, b"3")))) == [(KEY, b"3"), (b"t:c", b"2")]
    assert await read_keys(changelog((KEY, b"1"), start=5), 5) == {KEY}


async def test_a_store_that_was_restored_agrees_also_where_waits_are_held_back() -> None:
    rows = [(KEY, GOOD), (POSITION, b"{}"), (POSITION, b'"bad"'), (b"t:x", b"{"), (b"t:y", b'{"enrollments":1}')]
    store = await restored(*rows)
    store.write({}, {WAIT: False, hold(WAIT): True}, store.offset)
    found = audit_store(store, "here", await folded(*rows), set())
    assert (found.offset, found.differing, found.missing, found.useless, found.faults) == (5, 0, 0, 0, [])
    assert found.marks == 1  # the membership; the wait is held
    assert Report(HERE, audit_rows(await folded((KEY, GOOD)), HERE, PARTITIONS), [found]).is_sound


async def test_a_store_that_lacks_or_adds_something_is_told_but_not_by_what_was_written_after_it() -> None:
    store = await restored((KEY, GOOD), (b"t:deleted", b"{}"), (b"t:newer", b"{}"))
    store.write({}, {WAIT: False, b"w" + bytes(40) + b"t:nobody": True}, store.offset)
    theirs = await folded((KEY, changed(records=4)), (b"t:lacking", b"{}"), (b"t:newer", b'{"a":1}'))
    found = audit_store(store, "here", theirs, {b"t:newer"})
    assert (found.differing, found.missing, found.useless) == (3, 1, 1)
    assert sorted((fault.key, fault.problem) for fault in found.faults) == [
        ("pinehurst:c-7", "A wait of it has no mark, so that nothing finds it."),
        ("pinehurst:c-7", "It is other than the changelog's."),
        ("t:deleted", "It was deleted since."),
        ("t:lacking", "The store lacks it."),
    ]
    assert not Report(HERE, audit_rows(theirs, HERE, PARTITIONS), [found]).is_sound
