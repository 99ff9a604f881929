"""Postgres from its wheel, also as root with all of it below folders that only root may enter."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streams.dev import postgres


@pytest.mark.database
@pytest.mark.timeout(180)
def test_a_killed_postgres_starts_again_with_another_port_if_its_own_is_gone(tmp_path: Path) -> None:
    before = postgres.start(tmp_path)
    os.kill(before.process.pid, signal.SIGKILL)
    os.waitpid(before.process.pid, 0)
    with socket.create_server(("127.0.0.1", before.port)):
        after = postgres.start(tmp_path)
    assert after.port != before.port
    assert postgres.stop(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="Postgres runs as another user only where the user is root")
def test_programs_below_a_folder_of_root_alone_count_as_programs(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    program = tmp_path / "private" / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    look_as_initdb_does = "import os, sys; sys.exit(os.getuid() == 0 or not os.access(sys.argv[1], os.X_OK))"
    command = [*postgres._as_nobody(), sys.executable, "-c", look_as_initdb_does, str(program)]
    subprocess.run(command, check=True)
