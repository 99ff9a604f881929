"""Only a partition that is running here has rows to show."""

import pytest

from streams.partition.restore import Progress
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.web.sources.worker import open_store
from streams.worker.table import Table
from tests.browser.stage import Task


@pytest.mark.parametrize(("stage", "is_shown"), [("running", True), ("restoring", False), ("lost", False)])
def test_rows_are_shown_of_running_partitions_alone(stage: str, is_shown: bool) -> None:
    store = Store(MemoryMap())
    table = Table("changelog", 4, {2: Task(2, stage, Progress(), store)})  # type: ignore[dict-item]
    assert open_store(table, 2) is (store if is_shown else None)
    assert open_store(table, 3) is None
