"""The benchmarks still run: each kind of program once, over a few events."""

from pathlib import Path

import pytest

from streams.dev import broker as kafka_server
from tests.benchmarks.contests import BY_NAME, run
from tests.benchmarks.stage import Stage


@pytest.mark.broker
@pytest.mark.timeout(120)
def test_a_workload_and_its_baseline_can_be_measured(tmp_path: Path) -> None:
    try:
        stage = Stage(kafka_server.start(tmp_path / "kafka").address, tmp_path)
        for name in ("bare", "b"):
            assert run(stage, BY_NAME[name], 2000).rate > 0
    finally:
        kafka_server.stop(tmp_path / "kafka")
