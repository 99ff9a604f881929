"""Real workers, each a process with a data folder and a way to the broker, and a supervisor that restarts them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from streams.dev import processes
from tests.faults.cluster import APP, Cluster
from tests.ports import free_port

FAIRWAY = Path(sys.executable).with_name("fairway")
NOWHERE = "postgresql://fairway@127.0.0.1:1/fairway"
LATEST_END = 30.0  # seconds after SIGTERM: twice what is promised of a worker on a machine that has time for it


class Exit(NamedTuple):
    worker: int
    code: int
    at: float


class Workers:
    """The workers by number; one that ends without having been asked to is started again."""

    def __init__(
        self, cluster: Cluster, folder: Path, database_url: str = NOWHERE, static: bool = False, standbys: int = 0
    ) -> None:
        self._cluster = cluster
        self._folder = folder
        self._database_url = database_url
        self._static = static
        self._standbys = standbys
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.web_ports: dict[int, int] = {}
        self.exits: list[Exit] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    @property
    def numbers(self) -> list[int]:
        with self._lock:
            return sorted(self._running)

    def data(self, worker: int) -> Path:
        return self._folder / f"data-{worker}"

    def pid(self, worker: int) -> int:
        return self._running[worker].pid

    def start(self, worker: int, failpoint: str = "") -> None:
        with self._lock:
            self.web_ports.setdefault(worker, free_port())
            environment = dict(os.environ) | {
                "FAIRWAY_BROKERS": self._cluster.way(worker),
                "FAIRWAY_APP_ID": APP,
                "FAIRWAY_DATA_DIR": str(self.data(worker)),
                "FAIRWAY_TOPICS_FILE": str(self._cluster.topics_file),
                "FAIRWAY_DATABASE_URL": self._database_url,
                "FAIRWAY_WEB_PORT": str(self.web_ports[worker]),
                "FAIRWAY_FAILPOINT": failpoint,
                "FAIRWAY_STANDBYS": str(self._standbys),
            }
            if self._static:
                environment["FAIRWAY_INSTANCE_ID"] = f"worker-{worker}"
            with (self._folder / f"worker-{worker}.log").open("ab") as log:
                log.write(f"--- start, failpoint '{failpoint}', {time.time()}\n".encode())
                log.flush()
                self._running[worker] = subprocess.Popen(
                    [str(FAIRWAY), "worker"], env=environment, stdout=log, stderr=log, start_new_session=True
                )

    def _supervise(self) -> None:
        while not self._stopping.wait(0.1):
            with self._lock:
                for worker, process in tuple(self._running.items()):
                    if process.poll() is not None:
                        self.exits.append(Exit(worker, process.returncode, time.time()))
                        self.start(worker)

    def signal(self, worker: int, number: signal.Signals) -> None:
        with self._lock:
            self._running[worker].send_signal(number)

    def kill(self, *workers: int) -> None:
        """Kill -9; the supervisor is kept from starting them again, `start` does."""
        with self._lock:
            gone = [self._running.pop(worker) for worker in workers]
            for process in gone:
                process.kill()
            for process in gone:
                process.wait()

    def remove_data(self, worker: int) -> None:
        shutil.rmtree(self.data(worker), ignore_errors=True)

    def stop(self, worker: int) -> tuple[int, float]:
        """Ask a worker to end; return its exit code and how long it took, in seconds."""
        assert processes.wait_until(lambda: _catches(self._running[worker].pid, signal.SIGTERM), 120)
        with self._lock:
            process = self._running.pop(worker)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(2 * LATEST_END)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        return code, time.monotonic() - started

    def close(self) -> None:
        self._stopping.set()
        self._supervisor.join()
        for worker in self.numbers:
            self.kill(worker)


def _catches(pid: int, number: signal.Signals) -> bool:
    """Say whether a process has something to do at a signal: until Python has started it would just die."""
    found = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return bool(int(found[1], 16) >> (number - 1) & 1)


def wait(seconds: float) -> None:
    """Let time pass, which is what some faults are made of."""
    processes.wait_until(lambda: False, seconds)
