"""A restore brings a store to the end of its changelog, marks and all, and tells how far it is."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from models.customer import Customer, encode
from streams.partition import restore
from streams.partition.restore import Progress
from streams.state.errors import ForeignError
from streams.state.index import marks_of
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import START, Broker, ModelChangelog, place

KEY = b"pinehurst:c-7"


def row(*waits: int) -> bytes:
    places = [place(str(number), START, START + timedelta(seconds=number)) for number in waits]
    return encode(Customer("pinehurst", "c-7", enrollments={one.id: one for one in places}))


async def bring(store: Store, *rows: tuple[bytes, bytes | None], start: int = 0) -> Progress:
    broker, progress = Broker(), Progress()
    broker.changelog = [(offset, key, value) for offset, (key, value) in enumerate(rows, start)]
    broker.changelog_end = start + len(rows)
    await restore.restore(store, ModelChangelog(broker), progress, 4)
    return progress


async def test_the_last_row_of_a_key_counts_and_its_waits_are_those_that_stand() -> None:
    store = Store(MemoryMap())
    progress = await bring(store, (KEY, row(1)), (b"a:b", b"{}"), (KEY, row(2)), (b"a:b", None), (KEY, row(3)))
    assert store.scan(b"", 9) == [(KEY, row(3))]
    assert store.due(START + timedelta(days=1), b"", 9) == sorted(
        mark for mark in marks_of(KEY, [place("3", START, START + timedelta(seconds=3))]) if mark[:1] == b"w"
    )
    assert (progress.rows, store.offset, progress.percent) == (5, 5, 100.0)


async def test_a_restore_goes_on_where_the_store_stands() -> None:
    store = Store(MemoryMap())
    await bring(store, (KEY, row(1)))
    progress = await bring(store, (KEY, row(2)), start=1)
    assert progress.rows == 1
    assert [mark[1:9] for mark in store.due(START + timedelta(days=1), b"", 9)] == [
        mark[1:9] for mark in marks_of(KEY, [place("2", START, START + timedelta(seconds=2))]) if mark[:1] == b"w"
    ]


async def test_a_store_that_stands_beyond_the_end_is_of_another_changelog() -> None:
    store = Store(MemoryMap())
    store.write({}, {}, 7)
    with pytest.raises(ForeignError, match=r"^it stands at offset 7, but its changelog ends at 1$"):
        await bring(store, (KEY, row(1)))


def test_what_is_left_is_told_by_what_is_done() -> None:
    assert Progress(start=0, offset=0, end=9).seconds_left is None
    assert Progress(start=10, offset=20, end=50, seconds=2.0).seconds_left == 6.0
    assert Progress(start=5, offset=5, end=5).percent == 100.0


async def test_a_long_restore_is_told_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "_TELL_SECONDS", 0.0)
    broker = Broker()
    broker.changelog = [(offset, b":row", b"{}") for offset in range(6)]
    broker.changelog_end = 6
    with capture_logs() as logs:
        await restore.restore(Store(MemoryMap()), ModelChangelog(broker), Progress(), 4)
    told = [log["event"] for log in logs]
    assert any(line.startswith("Partition 4 is being restored: 3 rows, 50 %") for line in told), told
    assert told[-1].startswith("Partition 4 is restored: 6 rows in 0.")


DAMAGED_ROW = b'{"enrollments":{"x":{"id":5}}}'


async def test_a_damaged_row_is_kept_and_told_and_the_next_good_one_heals_it() -> None:
    store = Store(MemoryMap())
    await bring(store, (b"a:b", row(1)), (KEY, DAMAGED_ROW))
    assert (store.damaged, store.get(KEY)) == ({KEY}, DAMAGED_ROW)
    assert Store(store._entries).damaged == {KEY}
    assert store.get(b"a:b") == row(1)
    await bring(store, (KEY, row(2)), start=2)
    assert store.damaged == set()
    assert store.next_due() is not None


@pytest.mark.parametrize("key", [b":position", b":partitions", b":joined", b":places:x"])
@pytest.mark.parametrize("bad", [b"", b"{", b'"text"', b"[[1]]", b"\xff", b"[" * 2_000])
async def test_an_internal_row_that_fairway_does_not_write_is_passed_over(key: bytes, bad: bytes) -> None:
    good = {b":position": b'{"t":7}', b":partitions": b"4", b":joined": b'["x"]', b":places:x": b"{}"}[key]
    store = Store(MemoryMap())
    with capture_logs() as logs:
        await bring(store, (key, good), (KEY, row(1)))
        await bring(store, (key, bad), start=2)
    assert store.get(key) == good
    assert store.offset == 3
    assert [log["key"] for log in logs] == [key.decode()]


@pytest.mark.parametrize("offset", [-1, 2**63, 1.5])
async def test_a_position_that_no_topic_can_have_is_passed_over(offset: float) -> None:
    store = Store(MemoryMap())
    await bring(store, (b":position", b'{"t":7}'), (b":position", b'{"t":%a}' % offset))
    assert store.get(b":position") == b'{"t":7}'


async def test_an_internal_row_that_is_deleted_or_unknown_is_taken_as_it_is() -> None:
    store = Store(MemoryMap())
    await bring(store, (b":joined", b'["x"]'), (b":joined", None), (b":later", b"anything"))
    assert store.scan(b"", 9) == [(b":later", b"anything")]
