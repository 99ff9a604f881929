"""The broker of a folder is found again, and keeps its data where it began."""

from pathlib import Path

import msgspec
import pytest

from streams.dev import broker
from streams.dev.broker import Broker
from streams.dev.processes import Process
from streams.errors import FairwayError


@pytest.mark.broker
@pytest.mark.timeout(180)
def test_other_ports_are_taken_where_the_usual_are_in_use(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    try:
        one, two = (broker.start(folder) for folder in folders)
        assert one.port != two.port
        assert broker.find(folders[1]) == two
    finally:
        for folder in folders:
            broker.stop(folder)


def test_data_that_java_began_is_not_left_behind_for_docker(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_bytes(msgspec.json.encode(Broker(9092, 9093, Process(1, -1.0))))
    with pytest.raises(FairwayError, match=r"was begun without Docker: leave --docker out, or remove it\.$"):
        broker.start(tmp_path, docker=True)
