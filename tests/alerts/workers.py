"""Workers whose metrics are recorded, their Kafka and their Postgres, each of which can be broken."""

import asyncio
import re
import resource
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

from streams.dev import postgres
from streams.kafka import provision
from streams.kafka.topics import DEFINITIONS, read_topics
from streams.settings import Settings
from tests import client
from tests.alerts.recording import read
from tests.broker.workers import Worker
from tests.brokers import Brokers
from tests.ports import free_port

APP, PARTITIONS = "alerts", 4
_LARGEST = 100_000  # bytes of a definition
_is_telling = re.compile(r"fairway_(?!\w+_(bucket|created)).* (?!0\.0$)").match  # what a failing test shows


class Watched:
    """A worker that keeps its name and its address when it is started again."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.name = name
        self._port = free_port()
        self._settings = settings.model_copy(update={"data_dir": settings.data_dir / name / "data"})
        self._settings.data_dir.mkdir(parents=True)
        self.start()

    def start(self) -> None:
        variables = {
            "FAIRWAY_DATABASE_URL": self._settings.database_url, "FAIRWAY_WEB_PORT": str(self._port),
            "FAIRWAY_INSTANCE_ID": self.name,
        }  # fmt: skip
        self.worker = Worker(self._settings, self.name, **variables)
        self.process = self.worker.process

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}{path}", timeout=10, trust_env=False)
        except httpx.TransportError:
            return None

    def tell(self) -> str | None:
        """Return its metrics, as Prometheus gets them."""
        answer = self.get("/metrics")
        return answer.text if answer is not None and answer.is_success else None

    def is_ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer.is_success and bool(answer.json()["partitions"])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextmanager
    def with_few_files(self) -> Iterator[None]:
        """Let the worker open hardly more files than it has open."""
        before = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        found = sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (found + 10, before[1]))
        yield
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, before)


class Site:
    """Two workers with a Kafka and a Postgres of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.brokers = Brokers(folder)
        url = postgres.start(folder / "postgres").url("postgres")
        self.settings = Settings(
            brokers=self.brokers.address, app_id=APP, topics_file=_write_topics(folder), data_dir=folder,
            database_url=url,
        )  # fmt: skip
        self.topics = read_topics(self.settings.topics_file, APP)
        asyncio.run(provision.apply(self.settings, self.topics))
        self.workers: list[Watched] = []

    def start(self) -> None:
        self.workers = [Watched(self.settings, name) for name in ("w0", "w1")]
        client.wait_until(lambda: all(worker.is_ready() for worker in self.workers), 240)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            print(f"--- {worker.name}\n{worker.worker.log.read_text()[-20_000:]}")
        postgres.stop(self._folder / "postgres")
        self.brokers.close()

    def tell(self) -> dict[str, str | None]:
        """Return what each worker tells, None where it is silent."""
        return {worker.name: worker.tell() for worker in self.workers}

    def tell_when(self, is_so: Callable[["Told"], bool], patience: float = 150) -> dict[str, str | None]:
        """Return what the workers tell as soon as it is so."""
        told: dict[str, str | None] = {}

        def look() -> bool:
            told.update(self.tell())
            return is_so(Told(told))

        try:
            client.wait_until(look, patience)
        except AssertionError:
            print(
                *(line for text in told.values() for line in (text or "").splitlines() if _is_telling(line)),
                sep="\n",
            )
            raise
        return told

    @contextmanager
    def without_postgres(self) -> Iterator[None]:
        postgres.stop(self._folder / "postgres")
        yield
        postgres.start(self._folder / "postgres")

    @contextmanager
    def with_broker_frozen(self) -> Iterator[None]:
        self.brokers.signal(signal.SIGSTOP, *self.brokers.numbers)
        yield
        self.brokers.signal(signal.SIGCONT, *self.brokers.numbers)


class Told:
    """What all workers told together; None in `told` for one that was silent."""

    def __init__(self, told: Mapping[str, str | None]) -> None:
        self.told = list(told.values())
        moments = [read(worker, text) for worker, text in told.items()]
        self._samples = [
            (name, dict(labels), one.value) for moment in moments for (name, labels), one in moment.items()
        ]

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the values of a metric with these labels."""
        return [value for found, has, value in self._samples if found == name and labels.items() <= has.items()]

    def sum(self, name: str, **labels: str) -> float:
        return sum(self.values(name, **labels))

    def slow(self, name: str, worker: str = "") -> float:
        """Return how many observations of a histogram took longer than a second, at one worker or at all."""
        labels = {"instance": worker} if worker else {}
        return self.sum(f"{name}_count", **labels) - self.sum(f"{name}_bucket", le="1.0", **labels)


def _write_topics(folder: Path) -> Path:
    content = yaml.safe_load(Path("topics.yaml").read_text())
    content["defaults"]["partitions"] = PARTITIONS
    content["topics"][DEFINITIONS]["configs"]["max.message.bytes"] = _LARGEST
    file = folder / "topics.yaml"
    file.write_text(yaml.safe_dump(content))
    return file
