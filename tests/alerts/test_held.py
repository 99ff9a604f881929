"""Alerts for what takes minutes until it is seen: a partition held still at it tells its real metrics.

tests/alerts/test_faults.py raises the others by breaking what real workers run on.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from models.ids import customer_key
from streams.clock import now
from streams.kafka.changelog import Page
from streams.kafka.fetch import Fetch
from streams.partition.task import PartitionTask
from streams.state.index import marks_of
from streams.web import metrics
from tests.alerts.promtool import evaluate, firing, needs_promtool
from tests.alerts.recording import Recording
from tests.alerts.rules import read_alerts
from tests.partition.model import Broker, ModelChangelog, Source, event, make_task, place
from tests.web.test_health import Owner

MINUTE = timedelta(minutes=1)
TOPIC = "teetime.booked"
RAISED = {
    "FairwayLag", "FairwayLagLong", "FairwayWaitsOverdue", "FairwayWaitsOvertaken", "FairwayRestoreLong",
    "FairwayPartitionsClosed", "FairwayVersionsMixed", "FairwayWorkerRestarts",
}  # fmt: skip
_PROCESS = """
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
ProcessCollector(registry=(registry := CollectorRegistry()))
print(generate_latest(registry).decode())
"""


def tell(*tasks: PartitionTask) -> str:
    """Return what a worker tells that has these partitions."""
    return generate_latest(metrics.make_registry(Owner(*tasks), "memory", len(tasks))).decode()


def fetch(written: datetime, end: int = 1) -> Fetch:
    """Return an event that was written at a moment, in a topic that goes to `end`."""
    record: Any = Source(0, event(0, "c-1"), timestamp=int(written.timestamp() * 1000))
    return Fetch(TOPIC, 0, 0, 1, [record], 0, 0, known_end=end)


def raised(folder: Path, told: str, minutes: int, *alerts: str, well: str | None = None) -> str:
    """Say how what is raised after so many minutes differs from these alerts, and from none before and after."""
    recording, well = Recording(), well or tell()
    before = recording.show(20, {"w0": well})
    during = recording.show(minutes, {"w0": told})
    after = recording.show(90, {"w0": well})
    queries = [firing(before), firing(during, *alerts), firing(after)]
    return evaluate(folder, recording.series(), queries)


@needs_promtool
@pytest.mark.parametrize(
    ("age", "alerts"),
    [(50, ()), (80, ("FairwayLag",)), (700, ("FairwayLag", "FairwayLagLong"))],
    ids=["a little", "a while", "too long"],
)
async def test_events_that_wait_raise_the_alerts_of_lag(tmp_path: Path, age: int, alerts: tuple[str, ...]) -> None:
    task = make_task(Broker())
    await task.open()
    task.take(fetch(now() - timedelta(seconds=age / 60)))  # a recording's seconds are minutes
    assert not raised(tmp_path, tell(task), 10, *alerts)


@needs_promtool
async def test_a_restore_that_does_not_come_to_its_end_raises_its_alert(tmp_path: Path) -> None:
    class Endless(ModelChangelog):
        async def read(self, offset: int) -> AsyncGenerator[Page, None]:
            yield Page((), offset, 1_000_000)
            await asyncio.Event().wait()

    task = make_task(Broker())
    task._changelog = Endless(Broker())
    opening = asyncio.create_task(task.open())
    async with asyncio.timeout(10):
        while task.progress.end == 0:
            await asyncio.sleep(0)
    told = tell(task)
    assert not raised(tmp_path, told, 4, "FairwayRestoreLong")
    assert not raised(tmp_path, told, 10, "FairwayRestoreLong", "FairwayPartitionsClosed")
    opening.cancel()


@needs_promtool
async def test_waits_that_do_not_fire_raise_their_alerts(tmp_path: Path) -> None:
    """What had arrived when they were due is not read, for ten minutes; then they fire all the same (R32)."""
    moment = now()
    task = make_task(Broker(), clock=lambda: moment)
    task.queue.ends[TOPIC] = 5  # but nothing comes
    await task.open()
    assert task.store
    assert task.session
    well, due = tell(task), moment - 2 * MINUTE
    task.store.write({}, dict.fromkeys(marks_of(customer_key("t", "c"), [place("e", due, due)]), True), 1)
    task.session._timers.look(moment)
    await task.session.step()
    assert not raised(tmp_path, tell(task), 10, "FairwayWaitsOverdue", well=well)
    moment += 11 * MINUTE
    await task.session.step()
    await task.session.commit()
    assert task.counts.overtaken == 1
    recording = Recording()
    recording.show(20, {"w0": well})
    at = recording.show(5, {"w0": tell(task)})
    over = recording.show(70, {"w0": tell(task)})
    queries = [firing(at, "FairwayWaitsOvertaken"), firing(over)]
    assert not evaluate(tmp_path, recording.series(), queries)


@needs_promtool
def test_an_upgrade_that_is_not_finished_raises_its_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = tell()
    monkeypatch.setattr(metrics, "version", lambda _: "0.0.1")
    old, recording = tell(), Recording()
    soon = recording.show(50, {"w0": new, "w1": old})
    late = recording.show(20, {"w0": new, "w1": old})
    over = recording.show(5, {"w0": new, "w1": new})
    queries = [firing(soon), firing(late, "FairwayVersionsMixed"), firing(over)]
    assert not evaluate(tmp_path, recording.series(), queries)


@needs_promtool
def test_a_worker_that_starts_again_and_again_raises_its_alert(tmp_path: Path) -> None:
    recording, minutes, well = Recording(), list[int](), tell()
    for _ in range(4):
        done = subprocess.run([sys.executable, "-c", _PROCESS], capture_output=True, text=True, check=True)
        minutes.append(recording.show(5, {"w0": done.stdout, "w1": well}))
    over = recording.show(40, {"w0": done.stdout, "w1": well})
    once, often = [firing(minute) for minute in minutes[:3]], firing(minutes[3], "FairwayWorkerRestarts")
    assert not evaluate(tmp_path, recording.series(), [*once, often, firing(over)])


def test_each_alert_is_raised_by_a_fault_here_or_among_those_of_real_workers() -> None:
    story = Path("tests/alerts/story.py").read_text()
    broken = {alert["alert"] for alert in read_alerts() if f'"{alert["alert"]}"' in story}
    assert RAISED | broken == {alert["alert"] for alert in read_alerts()}
