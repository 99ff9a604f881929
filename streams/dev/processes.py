"""Server processes that outlive whoever started them, and are known again by pid and start time."""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from streams.errors import FairwayError
from streams.settings import environment


class Process(msgspec.Struct, frozen=True):
    """A running program; `started` is in seconds since the machine's start, so no clock change moves it."""

    pid: int
    started: float


def spawn(command: list[str], log: Path) -> Process:
    """Start a program in a session of its own, so that neither Ctrl-C nor the end of its parent ends it."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(command[0], command, environment(), file_actions=files, setsid=True)
    return Process(pid, _started(psutil.Process(pid)))


def is_running(process: Process) -> bool:
    """Say whether this very program still runs; another that got its pid does not count."""
    return _find(process) is not None


def stop(process: Process, by: signal.Signals, patience: float = 30) -> None:
    """Ask a program to end, and kill it after `patience` seconds."""
    found = _find(process)
    if found is None:
        return
    with suppress(psutil.NoSuchProcess):
        found.send_signal(by)
        try:
            found.wait(patience)
        except psutil.TimeoutExpired:
            found.kill()
            found.wait()


def wait_until(is_so: Callable[[], bool], patience: float) -> bool:
    """Ask again and again, for at most `patience` seconds, until it is so; say whether it came to be."""
    attempts = Retrying(
        stop=stop_after_delay(patience),
        wait=wait_fixed(0.05),
        retry=retry_if_result(lambda so: not so),
        retry_error_callback=lambda _: False,
    )
    return bool(attempts(is_so))


def free_port(*wanted: int) -> int:
    """Return the first of the wanted ports that is free on loopback, else one that the system chooses."""
    for port in (*wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            # As servers do: connections of the last run that are still closing do not make a port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise FairwayError("No port is free on 127.0.0.1.")


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port of loopback."""
    return free_port(port) == port


def is_open(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _find(process: Process) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(process.pid)
        same = abs(_started(found) - process.started) < 1
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    return None


def _started(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
