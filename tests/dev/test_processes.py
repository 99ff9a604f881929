"""A server that was started is known again, and nothing else is taken for it."""

import shutil
import signal
import socket
from pathlib import Path

import msgspec

from streams.dev import processes

SLEEP = [shutil.which("sleep") or "sleep", "60"]


def test_a_process_ends_by_stop_and_stop_may_come_twice(tmp_path: Path) -> None:
    process = processes.spawn(SLEEP, tmp_path / "log")
    assert processes.is_running(process)
    processes.stop(process, signal.SIGTERM)
    assert not processes.is_running(process)
    processes.stop(process, signal.SIGTERM)


def test_another_program_with_the_same_pid_is_not_taken_for_it(tmp_path: Path) -> None:
    process = processes.spawn(SLEEP, tmp_path / "log")
    earlier = msgspec.structs.replace(process, started=process.started - 60)
    assert not processes.is_running(earlier)
    processes.stop(earlier, signal.SIGKILL)
    assert processes.is_running(process)
    processes.stop(process, signal.SIGTERM)


def test_a_program_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    stubborn = [shutil.which("sh") or "sh", "-c", "trap '' TERM; while :; do sleep 60 & wait; done"]
    process = processes.spawn(stubborn, tmp_path / "log")
    processes.stop(process, signal.SIGTERM, patience=0.2)
    assert not processes.is_running(process)


def test_a_taken_port_is_not_given_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert processes.free_port(port) != port
    assert processes.free_port(port) == port
