"""What was fetched is handed out to each partition: no backlog is before another's few records."""

from collections.abc import Mapping
from typing import Any

import pytest

from streams.worker.draining import FEW, drain, pause_after


class Fetcher:
    """Hands out what it has fetched as aiokafka's does: in order until it is as much as is asked for."""

    def __init__(self, fetched: Mapping[str, int | Exception]) -> None:
        self.fetched = dict(fetched)

    async def fetched_records(self, partitions: Any, timeout: float, max_records: int) -> dict[str, list[int]]:
        assert timeout == 0
        found: dict[str, list[int]] = {}
        for partition in [one for one in self.fetched if one in partitions]:
            records = self.fetched[partition]
            if isinstance(records, Exception):
                if not found:
                    del self.fetched[partition]
                    raise records
                break
            found[partition] = [0] * min(records, max_records)
            self.fetched[partition] = records - len(found[partition])
            max_records -= len(found[partition])
        return found


def sizes(found: Mapping[str, list[int]]) -> dict[str, int]:
    return {partition: len(records) for partition, records in found.items()}


async def test_partitions_with_a_backlog_keep_none_with_few_records_waiting() -> None:
    fetcher = Fetcher({"flood": 5000, "hot": 3000, "quiet": 1, "calm": 2})
    found = await drain(fetcher, list(fetcher.fetched), 2000)
    assert sizes(found) == {"flood": 500, "hot": 500, "quiet": 1, "calm": 2}


async def test_partitions_that_are_not_asked_for_are_left_alone() -> None:
    fetcher = Fetcher({"full": 5000, "quiet": 1})
    assert sizes(await drain(fetcher, ["quiet"], 2000)) == {"quiet": 1}
    assert fetcher.fetched["full"] == 5000


async def test_what_a_fetch_came_to_is_raised_where_nothing_is_lost_by_it() -> None:
    fetcher = Fetcher({"gone": PermissionError("no right"), "quiet": 1})
    with pytest.raises(PermissionError, match="no right"):
        await drain(fetcher, ["gone", "quiet"], 2000)
    assert fetcher.fetched == {"quiet": 1}
    fetcher.fetched["gone"] = PermissionError("no right")
    assert sizes(await drain(fetcher, ["quiet", "gone"], 2000)) == {"quiet": 1}


async def test_each_gets_a_record_however_many_there_are() -> None:
    fetcher = Fetcher({str(number): 5 for number in range(3000)})
    assert set(sizes(await drain(fetcher, list(fetcher.fetched), 2000)).values()) == {1}


@pytest.mark.parametrize(
    ("records", "is_beside", "pause"),
    [(FEW, True, 0.0), (FEW, False, 0.0), (FEW - 1, True, 0.01), (0, False, 0.02)],
)
def test_producers_may_go_on_for_a_moment_after_a_fetch_that_brought_little(
    records: int, is_beside: bool, pause: float
) -> None:
    assert (
        pause_after({"one": range(records // 2), "other": range(records - records // 2)}, is_beside=is_beside)
        == pause
    )
