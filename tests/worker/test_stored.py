"""A worker tells its group of which partitions some lies on its disk."""

from pathlib import Path

from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.worker.worker import Worker
from tests.worker.test_calls import Followed


def test_stores_are_told_and_nothing_else_that_lies_there(tmp_path: Path) -> None:
    settings = Settings(brokers="nowhere:9092", app_id="golf", data_dir=tmp_path)
    worker = Worker(settings, read_topics(settings.topics_file, "golf"), Followed())
    assert set(worker._app.stored()) == set()
    for name in ("store-3", "store-11", "store-3.1", "store-4.aside", "faust"):
        (tmp_path / "golf" / name).mkdir(exist_ok=True)
    assert set(worker._app.stored()) == {3, 11}
