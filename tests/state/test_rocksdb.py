"""RocksDB answers as a plain dictionary would, and what it can't answer from any more is set aside."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from streams.state.ordered_map import OrderedMap
from streams.state.rocksdb import OLDEST, open_rocks, open_when_free
from streams.state.store import Store
from tests.state.machine import KEYS, NOW, StoreMachine


class RocksMachine(StoreMachine):
    def open(self) -> OrderedMap:
        return open_rocks(Path(self.folder.name) / "store-0", "fairway 0")


TestRocks = RocksMachine.TestCase
TestRocks.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)


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
    folder = tmp_path / "block-storage" / "store-0"  # in what RocksDB says of it, "lock" means nothing
    folder.parent.mkdir()
    fill(folder)
    spoil(folder)
    store = Store(open_rocks(folder, "fairway 0"))
    assert (store.offset, store.get(KEYS[0])) == (0, None)
    store.close()
    assert folder.with_name("store-0.aside").is_dir()
    assert f"The store '{folder}' can't be used (" in capsys.readouterr().out


def test_a_store_that_another_process_holds_is_left_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "store-0"
    script = "import sys;from pathlib import Path;from tests.state.test_rocksdb import fill,open_rocks;"
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


async def test_a_store_is_opened_when_its_holder_closes_it_and_a_neighbour_if_it_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "store-0"
    holder = Store(open_rocks(folder, "fairway 0"))
    holder.write({b"a:b": b"row"}, {}, 7)
    waiting = asyncio.create_task(open_when_free(folder, "fairway 0", 30.0))
    neighbour = Store(await open_when_free(folder, "fairway 0", 0.1))
    assert (neighbour.get(b"a:b"), waiting.done()) == (None, False)
    holder.close()
    store = Store(await waiting)
    assert store.get(b"a:b") == b"row"
    store.close()
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
