"""A worker tells its group of which partitions some lies on its disk, and which disk that is."""

import os
import shutil
from pathlib import Path

from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.worker.disk import Disk
from streams.worker.worker import Worker
from tests.worker.test_calls import Followed


def introduce(folder: Path, store: str = "rocksdb", standbys: int = 0) -> dict[str, object]:
    settings = Settings(brokers="nowhere:9092", app_id="golf", data_dir=folder, store=store, standbys=standbys)
    worker = Worker(settings, read_topics(settings.topics_file, "golf"), Followed())
    told: dict[str, object] = worker._app.standbys.introduce()
    return told


def test_stores_are_told_and_nothing_else_that_lies_there(tmp_path: Path) -> None:
    assert introduce(tmp_path)["copying"] == []
    for name in ("store-3", "store-11", "store-3.1", "store-4.aside", "store-5", "faust"):
        (tmp_path / "golf" / name).mkdir(exist_ok=True)
        (tmp_path / "golf" / name / "000004.log").touch()
    os.utime(tmp_path / "golf" / "store-5" / "000004.log", (1, 1))
    assert introduce(tmp_path)["copying"] == [3, 11], "but none that is too old to be used"
    assert introduce(tmp_path, standbys=1)["copying"] == [], "which are copies that it keeps"


def test_workers_on_one_disk_say_so(tmp_path: Path) -> None:
    disk = introduce(tmp_path / "one")["disk"]
    assert disk
    assert introduce(tmp_path / "one")["disk"] == disk != introduce(tmp_path / "two")["disk"]


def test_a_folder_that_was_copied_is_another(tmp_path: Path) -> None:
    disk = introduce(tmp_path / "one")["disk"]
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert introduce(tmp_path / "two")["disk"] not in ("", disk)


def test_a_token_that_was_never_written_is_written_then(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "disk").touch()
    assert disk.name == disk.name != ""


def test_a_worker_without_files_has_no_disk(tmp_path: Path) -> None:
    assert introduce(tmp_path, "memory")["disk"] == ""


def test_a_disk_that_takes_nothing_is_nobody_else_s(tmp_path: Path) -> None:
    assert Disk(tmp_path / "gone").name == ""
