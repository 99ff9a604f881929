"""What workers are asked for: what is no answer of the worker that was meant is none."""

import httpx
import msgspec
import pytest

from streams.health.observation import Judgement, PartitionReport, Report
from streams.partition.restore import Progress
from streams.web.sources.reports import ask_report, report_tasks
from tests.health.test_judgement import NOW
from tests.web.conftest import OpenTask

REPORT = Report({0: PartitionReport("running")}, "w1", health=Judgement(NOW, "well", "Well."))
GOOD = msgspec.json.encode(REPORT)


@pytest.mark.parametrize(
    ("status", "content", "found"),
    [
        (200, GOOD, REPORT), (503, GOOD, REPORT), (500, GOOD, None), (404, GOOD, None),
        (200, b"", None), (200, b"<html>", None), (200, b"[" * 100_000, None), (200, b"[]", None),
        (200, GOOD.replace(b"w1", b"w2"), None), (200, b" " * 2_000_000 + GOOD, None),
        (200, b'{"ready":true,"partitions":{"3":{"stage":"lost","more":1}}}', Report({3: PartitionReport("lost")})),
    ],
)  # fmt: skip
async def test_an_answer_is_read_if_it_is_one_of_that_worker(status: int, content: bytes, found: object) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://w1:6066/readyz"
        return httpx.Response(status, content=content)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        assert await ask_report(client, "http://w1:6066", "w1") == found


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1", "http://[", "http://127.0.0.1:99999", "ftp://x"])
async def test_who_can_t_be_reached_does_not_answer(address: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert await ask_report(client, address, "w1") is None


def test_partitions_are_told_by_their_stage_and_a_restore_by_how_far_it_is() -> None:
    progress = Progress(rows=250, start=1000, offset=1250, end=2000, seconds=1.0)
    tasks = [OpenTask(1, None, "restoring", progress), OpenTask(0, None)]  # type: ignore[arg-type]
    assert report_tasks(tasks) == {
        0: PartitionReport("running"),
        1: PartitionReport("restoring", 250, 750, 25.0, 3.0),
    }
