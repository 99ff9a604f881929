"""The store answers as a plain dictionary would, in memory and on disk, also after it was closed and opened."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models.customer import Enrollment
from models.ids import journey_id
from streams.state import index
from streams.state.rocksdb import OLDEST, open_rocks
from streams.state.store import MemoryMap, OrderedMap, Store

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
JOURNEYS = [journey_id("pinehurst", name) for name in ("Welcome", "Reminder", "Dunning")]
ENROLLMENTS = [journey_id("enrollment", str(number)) for number in range(6)]
KEYS = [b"pinehurst:c-1", b"pinehurst:c-10", b"pinehurst:c-2", b"augusta:c-1"]


def place(number: int, journey: str, due: datetime | None) -> Enrollment:
    return Enrollment(ENROLLMENTS[number], journey, 1, NOW, "wait", waiting_until=due)


moments = st.integers(-3, 3).map(lambda seconds: NOW + timedelta(seconds=seconds))
enrollments = st.builds(place, st.integers(0, 5), st.sampled_from(JOURNEYS), st.none() | moments)


class StoreMachine(RuleBasedStateMachine):
    """Random commits to a store, beside a dictionary of what every customer has."""

    def open(self) -> OrderedMap:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = Store(self.open())
        self.model: dict[bytes, list[Enrollment]] = {}
        self.held: set[bytes] = set()
        self.offset = 0

    def marks(self, letter: str) -> list[bytes]:
        found = {mark for key, places in self.model.items() for mark in index.marks_of(key, places)}
        return sorted(mark for mark in found if mark.startswith(letter.encode()))

    @rule(changes=st.dictionaries(st.sampled_from(KEYS), st.none() | st.lists(enrollments, max_size=3)))
    def commit(self, changes: dict[bytes, list[Enrollment] | None]) -> None:
        rows: dict[bytes, bytes | None] = {}
        moved: dict[bytes, bool] = {}
        for key, places in changes.items():
            moved |= dict.fromkeys(index.marks_of(key, self.model.get(key, [])), False)
            moved |= dict.fromkeys(index.marks_of(key, places or []), True)
            rows[key] = None if places is None else repr(places).encode()
            if places is None:
                self.model.pop(key, None)
            else:
                self.model[key] = places
        self.offset += len(rows) + 1
        self.store.write(rows, moved, self.offset)

    @rule(number=st.integers(0, 3))
    def hold_the_first_waits(self, number: int) -> None:
        held = {index.hold(mark) for mark in self.store.due(NOW, b"", number)}
        self.held |= held
        self.store.write({}, dict.fromkeys(held, True), self.offset)

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.store = Store(self.reopen())

    def reopen(self) -> OrderedMap:
        return self.open()

    @invariant()
    def it_answers_as_the_model_does(self) -> None:
        store = self.store
        assert store.offset == self.offset
        assert store.scan(b"", 99) == sorted((key, repr(places).encode()) for key, places in self.model.items())
        assert [key for key, _ in store.scan(KEYS[0], 1)] == sorted(key for key in self.model if key > KEYS[0])[:1]
        waits = self.marks("w")
        assert store.next_due() == (index.read_wait(waits[0]).due if waits else None)
        due = [mark for mark in waits if index.read_wait(mark).due <= NOW]
        assert store.due(NOW, b"", 99) == due
        for mark in due[:1]:
            assert store.due(NOW, mark, 2) == due[1:3]
        for journey in JOURNEYS:
            keys = sorted(key for key, places in self.model.items() if any(p.journey_id == journey for p in places))
            assert store.enrolled(journey, b"", 99) == keys
            held = sorted(mark for mark in self.held if index.read_wait(mark).journey_id == journey)
            assert store.held(journey, b"", 99) == held
            assert store.held(journey, *(held[:1] or [b""]), 99) == held[1:]
        assert store.held_journeys() == {index.read_wait(mark).journey_id for mark in self.held}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


class MemoryMachine(StoreMachine):
    def open(self) -> OrderedMap:
        return MemoryMap()

    def reopen(self) -> OrderedMap:
        return self.store._entries


class RocksMachine(StoreMachine):
    def open(self) -> OrderedMap:
        return open_rocks(Path(self.folder.name) / "store-0", "fairway 0")


TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)
TestRocks = RocksMachine.TestCase
TestRocks.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)


def test_a_wait_s_mark_says_what_was_put_in_to_the_microsecond() -> None:
    due = datetime(2026, 11, 23, 10, 0, 0, 123457, tzinfo=UTC)
    member, wait = sorted(index.marks_of(KEYS[0], [place(0, JOURNEYS[0], due)]))
    expected = index.DueWait(due, ENROLLMENTS[0], JOURNEYS[0], KEYS[0])
    assert member == b"m" + index.pack(JOURNEYS[0]) + KEYS[0]
    assert index.read_wait(wait) == expected
    assert index.read_wait(index.hold(wait)) == expected
    assert wait < index.due_before(due)
    assert wait >= index.due_before(due - timedelta(microseconds=1))


def fill(folder: Path) -> None:
    store = Store(open_rocks(folder, "fairway 0"))
    store.write({KEYS[0]: b"row"}, {}, 7)
    store.close()


def damage_the_manifest(folder: Path) -> None:
    for path in folder.glob("MANIFEST-*"):
        path.write_bytes(b"\0" * 100)


def damage_the_rows(folder: Path) -> None:
    open_rocks(folder, "fairway 0").close()  # what was in the log is in a file of rows now
    for path in folder.glob("*.sst"):
        path.write_bytes(b"\0" * 50 + path.read_bytes()[50:])


def remove_the_manifest(folder: Path) -> None:
    for path in [*folder.glob("MANIFEST-*"), folder / "CURRENT"]:
        path.unlink()
    (folder / "CURRENT").write_bytes(b"MANIFEST-999999\n")


def belong_to_another(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    Store(open_rocks(folder, "other 0")).close()


@pytest.mark.parametrize("spoil", [damage_the_manifest, damage_the_rows, remove_the_manifest, belong_to_another])
def test_a_store_that_cannot_be_used_is_set_aside(
    spoil: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "store-0"
    fill(folder)
    spoil(folder)
    store = Store(open_rocks(folder, "fairway 0"))
    assert (store.offset, store.get(KEYS[0])) == (0, None)
    store.close()
    assert (tmp_path / "store-0.aside").is_dir()
    assert f"The store '{folder}' can't be used (" in capsys.readouterr().out


def test_a_store_that_another_process_holds_is_left_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "store-0"
    script = "import sys;from pathlib import Path;from tests.state.test_store import fill,open_rocks;"
    script += "held=open_rocks(Path(sys.argv[1]),'fairway 0');print('held',flush=True);sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        neighbour = open_rocks(folder, "fairway 0")
        assert (tmp_path / "store-0.1").is_dir()
        neighbour.close()


def test_a_write_survives_the_end_of_the_process_without_close(tmp_path: Path) -> None:
    folder = tmp_path / "store-0"
    script = "import os,sys;from pathlib import Path;from streams.state.store import Store;"
    script += "from streams.state.rocksdb import open_rocks;s=Store(open_rocks(Path(sys.argv[1]),'fairway 0'));"
    script += "s.write({b'a:b':b'row'},{},7);os.kill(os.getpid(),9)"
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    store = Store(open_rocks(folder, "fairway 0"))
    assert (store.offset, store.get(b"a:b")) == (7, b"row")
    store.close()


@pytest.mark.parametrize(
    ("idle", "rows"),
    [
        (OLDEST - timedelta(seconds=1), [(b"pinehurst:c-1", b"{}")]),
        (OLDEST, [(b"pinehurst:c-1", b"{}")]),
        (OLDEST + timedelta(seconds=1), []),
    ],
)
def test_a_store_so_old_that_tombstones_may_be_gone_is_set_aside(
    idle: timedelta, rows: list[tuple[bytes, bytes]], tmp_path: Path
) -> None:
    store = Store(open_rocks(tmp_path / "store-0", "fairway 0", lambda: NOW))
    store.write({b"pinehurst:c-1": b"{}"}, {}, 7)
    store.close()
    opened = Store(open_rocks(tmp_path / "store-0", "fairway 0", lambda: NOW + idle))
    assert opened.scan(b"", 9) == rows
    assert opened.offset == (7 if rows else 0)
    opened.close()


def test_a_store_that_was_set_aside_is_removed_a_day_later(tmp_path: Path) -> None:
    folder, aside = tmp_path / "store-0", tmp_path / "store-0.aside"
    fill(folder)
    remove_the_manifest(folder)
    open_rocks(folder, "fairway 0").close()
    then = datetime.fromtimestamp(aside.stat().st_mtime, UTC)
    for days, is_there in ((0.99, True), (1.01, False)):
        open_rocks(folder, "fairway 0", lambda days=days: then + timedelta(days=days)).close()  # type: ignore[misc]
        assert aside.is_dir() is is_there
