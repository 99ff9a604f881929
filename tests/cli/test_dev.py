"""`fairway dev` finds the servers of a data folder again, and says what to do where there are none."""

import os
import subprocess
from pathlib import Path

import msgspec
import psutil
import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.demo.starter import TOPICS
from streams.dev.broker import Broker
from streams.dev.postgres import Postgres
from streams.dev.processes import Process, _started
from streams.errors import FairwayError


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAIRWAY_DATA_DIR", str(tmp_path))


def test_down_where_nothing_runs_says_so() -> None:
    assert CliRunner().invoke(app, ["dev", "down"]).stdout == "Nothing was running.\n"


def test_env_where_nothing_runs_says_how_to_start() -> None:
    failed = CliRunner().invoke(app, ["dev", "env"])
    assert isinstance(failed.exception, FairwayError)
    assert str(failed.exception).endswith("start them with 'fairway dev up --detach'.")


@pytest.mark.parametrize("own", [False, True])
def test_env_prints_what_a_shell_can_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool) -> None:
    """The list of topics goes along: the folder's own, else the one that the demo uses."""
    folder = tmp_path / "our club's"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("FAIRWAY_TOPICS_FILE", raising=False)
    if own:
        (folder / "topics.yaml").touch()
    this = Process(os.getpid(), _started(psutil.Process()))
    for name, server in {"kafka": Broker(9092, 9093, this), "postgres": Postgres(5432, "p", this)}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "server.json").write_bytes(msgspec.json.encode(server))
    printed = CliRunner().invoke(app, ["dev", "env"]).stdout
    names = ("BROKERS", "KAFKA_SECURITY_PROTOCOL", "DATABASE_URL", "TOPICS_FILE")
    echo = "".join(f'echo "$FAIRWAY_{name}"\n' for name in names)
    taken = subprocess.run(["sh", "-c", printed + echo], capture_output=True, text=True, check=True, env={})
    assert taken.stdout.splitlines() == [
        "127.0.0.1:9092", "PLAINTEXT", "postgresql://fairway:p@127.0.0.1:5432/fairway",
        str(folder / "topics.yaml" if own else TOPICS),
    ]  # fmt: skip
    assert TOPICS.is_file()
