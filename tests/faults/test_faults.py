"""The short form of the fault tests; `make faults` is the long one."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.faults import admission
from tests.faults.run import Plan, run
from tests.faults.workers import FAIRWAY

pytestmark = [pytest.mark.faults, pytest.mark.timeout(480)]

_KINDS = ("kill -9 of a worker", "kill -9 of the broker", "kill -9 at commit.after", "worker stopped for a moment")


def test_nothing_is_lost_or_doubled_while_workers_and_broker_are_killed(tmp_path: Path) -> None:
    plan = Plan(20261123, 10_000, faults=4, rate=400, customers=2000, scale=0.2, kinds=_KINDS, static=True)
    outcome = run(plan, tmp_path)
    assert outcome.verdict.is_clean, str(outcome.verdict)
    assert outcome.commands > 7000
    assert outcome.injected


def test_nothing_is_lost_or_doubled_while_brokers_of_a_cluster_are_killed(tmp_path: Path) -> None:
    kinds = ("kill -9 of one of three brokers", "kill -9 of two of three brokers")
    load = Plan(20261124, 5_000, faults=2, rate=200, customers=2000, scale=0.2, slow_after=4_000)
    plan = load._replace(kinds=kinds, brokers=3)
    outcome = run(plan, tmp_path)
    assert outcome.verdict.is_clean, str(outcome.verdict)
    assert len(outcome.injected) == 2


def test_R5_the_limit_holds_over_partitions_and_workers_while_one_is_killed(tmp_path: Path) -> None:
    places = admission.run(7, tmp_path, faults=("kill -9 of a worker",), candidates=1500)
    assert places.answered == 3000
    assert places.most == places.at_last == places.in_rows == places.taken == admission.LIMIT


def test_SIGTERM_ends_a_worker_whose_broker_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        environment = os.environ | {"FAIRWAY_BROKERS": address, "FAIRWAY_DATA_DIR": str(tmp_path)}
        with subprocess.Popen([str(FAIRWAY), "worker"], env=environment) as worker:
            connection, _ = silent.accept()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
            connection.close()
