"""Kafka and Postgres together, as `fairway dev` shows them; all that is theirs lies under the data folder."""

import fcntl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from streams.dev import broker, postgres, processes
from streams.errors import FairwayError


class Servers(msgspec.Struct, frozen=True):
    """Where the two servers are reached."""

    brokers: str
    database_url: str

    def __str__(self) -> str:
        """Say where both are, without the password of Postgres."""
        url = urlsplit(self.database_url)
        return f"Kafka answers at {self.brokers}, Postgres at {url.hostname}:{url.port}."

    def variables(self) -> dict[str, str]:
        """Return the settings that lead to them."""
        plain = {"FAIRWAY_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
        return {"FAIRWAY_BROKERS": self.brokers, **plain, "FAIRWAY_DATABASE_URL": self.database_url}


def start(data_dir: Path, *, docker: bool = False, java_program: str = "") -> Servers:
    """Start what does not run yet; returns when both answer. Another start at the same time waits its turn."""
    with _turn(data_dir), ThreadPoolExecutor() as threads:
        database = threads.submit(postgres.start, data_dir.resolve() / "postgres")
        # Kafka in this thread, which is the one that Ctrl-C interrupts: its jars may have to be fetched.
        kafka = broker.start(data_dir.resolve() / "kafka", docker=docker, java_program=java_program)
        return Servers(kafka.address, database.result().url())


def stop(data_dir: Path) -> bool:
    """End what `start` started and keep its data; say whether anything ran."""
    with _turn(data_dir):
        ended = [server.stop(data_dir.resolve() / name) for name, server in _SERVERS.items()]
        return any(ended)


def find(data_dir: Path) -> Servers:
    """Return where the running servers are; raises FairwayError if they do not run."""
    kafka = broker.find(data_dir.resolve() / "kafka")
    database = postgres.find(data_dir.resolve() / "postgres")
    if kafka and broker.is_running(kafka) and database and processes.is_running(database.process):
        return Servers(kafka.address, database.url())
    raise FairwayError("Kafka and Postgres do not run here: start them with 'fairway dev up --detach'.")


def are_running(data_dir: Path) -> bool:
    """Say whether both run."""
    try:
        return bool(find(data_dir))
    except FairwayError:
        return False


_SERVERS = {"kafka": broker, "postgres": postgres}


@contextmanager
def _turn(data_dir: Path) -> Iterator[None]:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "dev.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
