"""A rolling upgrade under load, from the first commit that knows forms (R66), and the way back that is refused."""

import io
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from streams.settings import Settings, environment
from tests import client
from tests.broker.load import commands, producing, publish_load, wait_for
from tests.broker.workers import Group, Worker, journey, publish, running

pytestmark = [pytest.mark.broker, pytest.mark.timeout(480)]

_FIRST = "587b2b7e794d044430b117f1b250116800ead715"
_HERE = Path(__file__).parents[2]


@pytest.fixture
def old(tmp_path: Path) -> dict[str, str]:
    """The variables by which a worker runs that commit's sources, wherever it is started."""
    try:
        done = subprocess.run(
            ["git", "archive", _FIRST, "models", "streams"], cwd=_HERE, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the commit {_FIRST} is not here, as in a shallow clone: {error}")
    folder = tmp_path / "old"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    variables = {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    code = [sys.executable, "-c", "import models.form, streams; print(models.form.FORM, streams.__file__)"]
    told = subprocess.run(code, env=environment() | variables, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["1", str(folder / "streams" / "__init__.py")]
    return variables


def is_ready(settings: Settings, worker: Worker, count: int) -> bool:
    """Say whether the worker still runs, and commands came since there were so many."""
    assert worker.process.poll() is None, worker.log.read_text()
    return len(commands(settings)["Reminder"]) > count


def test_workers_of_the_first_form_are_replaced_one_by_one_under_load_and_nothing_is_lost_or_doubled(
    settings: Settings, old: dict[str, str]
) -> None:
    publish_load(settings)
    group = Group(settings)
    with producing(settings) as producer, running(settings, 2, **old) as workers:
        client.wait_until(lambda: group.is_stable(2), 2 * client.PATIENCE)
        client.wait_until(lambda: len(commands(settings)["Reminder"]) >= 100, 2 * client.PATIENCE)
        for number in range(2):
            workers[number].process.send_signal(signal.SIGTERM)
            assert workers[number].process.wait(2 * client.PATIENCE) == 0
            workers.append(Worker(settings, f"new-{number}"))
            before = producer.count
            client.wait_until(lambda before=before: is_ready(settings, workers[-1], before), 2 * client.PATIENCE)
        wait_for(settings, producer.stop())
        publish(
            settings, journey("Listening", goal={"name": "paid", "events": [{"eventType": "payment.succeeded"}]})
        )
        workers.append(Worker(settings, "back", **old))
        client.wait_until(lambda: workers[-1].process.poll() is not None, 2 * client.PATIENCE)
        assert workers[-1].process.returncode == 1
        assert "needs Fairway 0.2 or later" in workers[-1].log.read_text()
        assert [worker.process.poll() for worker in workers[2:4]] == [None, None]
