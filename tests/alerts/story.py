"""One run of two workers through one fault after another, recorded: what an operator's Prometheus would see."""

import random
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple

from confluent_kafka import Producer
from typer.testing import CliRunner

from models.ids import customer_key, journey_id
from streams.cli import app
from streams.kafka.fencing import worker_id
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, DEFINITIONS
from tests import client
from tests.alerts.recording import Recording
from tests.alerts.workers import APP, PARTITIONS, Site, Told
from tests.broker.workers import TENANT, TOPIC, event, journey
from tests.client import Record
from tests.poison.stage import Stage

_LATER, _FAILING = "email.opened", "customer.updated"
_RUNNING = {"name": "fairway_partitions", "stage": "running"}


_CALM = {
    "fairway_definitions_age_seconds": 120, "fairway_history_lag_seconds": 300, "fairway_consumer_lag_seconds": 60,
}  # fmt: skip
"""The ages up to which no alert is raised, as a recording tells them."""


def _is_calm(told: Told) -> bool:
    is_sent = min(told.values("fairway_outbox_age_seconds"), default=0) < 300
    return is_sent and all(max(told.values(name), default=0) < most for name, most in _CALM.items())


class Phase(NamedTuple):
    """The minute at which a phase ends, and the alerts that are raised then."""

    minute: int
    alerts: tuple[str, ...]


class Story:
    """The faults in turn; `phases` tells what each of them has to raise."""

    def __init__(self, site: Site) -> None:
        self.recording = Recording()
        self.phases: dict[str, Phase] = {}
        self.site = site
        self._stage = Stage(site.settings, site.settings.database_url)
        self._events = 0

    def play(self) -> None:
        """Let the faults happen, one after another."""
        failing = {"type": "WAIT", "config": {"until": {"field": "trigger.none"}}}
        trigger = {"type": "TRIGGER", "config": {"eventType": _FAILING, "conditions": []}}
        self._stage.author(
            journey(), journey("Later", event=_LATER, wait="2 seconds"),
            journey("Failing", event=_FAILING, steps=[trigger, failing]),
        )  # fmt: skip
        self.site.start()
        self._send(40)
        self._show("all is well", 20, self._when(self._is_well))
        for fault in (
            self._kill, self._start_again, self._repair, self._send_what_is_bad, self._take_it_back,
            self._end_postgres, self._freeze_worker, self._freeze_broker, self._fence, self._end_workers,
        ):  # fmt: skip
            fault()

    def _show(self, name: str, minutes: int, told: dict[str, str | None], *alerts: str) -> None:
        print(f"{monotonic():.1f} {name}")
        self.phases[name] = Phase(self.recording.show(minutes, told), alerts)

    def _send(self, number: int, topic: str = TOPIC, **fields: Any) -> None:
        first, self._events = self._events, self._events + number
        records = [event(one, f"c-{one % 40}", **fields) for one in range(first, self._events)]
        self._produce(*(one._replace(topic=topic) for one in records))

    def _begin_to_wait(self, number: int) -> None:
        self._send(number, _LATER, occurredAt=datetime.now(UTC).isoformat())

    def _produce(self, *records: Record) -> None:
        client.produce(self.site.settings.brokers, records)

    def _when(self, is_so: Callable[[Told], bool]) -> dict[str, str | None]:
        """Return what the workers tell as soon as it is so, and all else is well, be the machine ever so busy."""
        return self.site.tell_when(lambda told: is_so(told) and _is_calm(told))

    def _is_well(self, told: Told) -> bool:
        handled = told.sum("fairway_events_total", topic=TOPIC, result="used") >= 40
        written = told.sum("fairway_history_records_total") > 0
        return None not in told.told and told.sum(**_RUNNING) == PARTITIONS and handled and written

    # --- faults -----------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        worker = self.site.workers[1]
        answer = worker.get("/readyz")
        assert answer is not None
        own = {int(number) for number in answer.json()["partitions"]}
        self._damaged = next(c for c in (f"c-{n}" for n in range(2, 40)) if self._partition(c) in own)
        key, place = customer_key(TENANT, self._damaged), self._partition(self._damaged)
        self._produce(Record(self.site.topics.changelog, key, b'{"enrollments": damaged', partition=place))
        worker.kill()
        told = self._when(lambda told: told.sum(**_RUNNING) == PARTITIONS - len(own))
        self._show("a worker is killed", 10, told, "FairwayWorkerDown", "FairwayPartitionsClosed")

    def _partition(self, customer: str) -> int:
        return partition_of(customer_key(TENANT, customer), PARTITIONS)

    def _start_again(self) -> None:
        worker = self.site.workers[1]
        worker.start()
        told = self._when(lambda told: None not in told.told and told.sum(**_RUNNING) == PARTITIONS)
        self._show("it is started again, and has read a damaged row", 5, told, "FairwayDamagedCustomers")

    def _repair(self) -> None:
        options = ["state", "repair", "--tenant", TENANT, "--customer", self._damaged, "--discard"]
        done = CliRunner().invoke(app, options, env=self._variables())
        assert done.exit_code == 0, done.output
        told = self._when(lambda told: told.sum("fairway_damaged_customers") == 0)
        self._show("the damaged customer is repaired", 40, told)

    def _variables(self) -> dict[str, str]:
        settings = self.site.settings
        return {
            "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": APP,
            "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATABASE_URL": settings.database_url,
        }  # fmt: skip

    def _send_what_is_bad(self) -> None:
        self._produce(Record(TOPIC, b"t:c", b"no json"), Record(ACTIVITY, b"t:c", b"no json"))
        self._bad_key = f"{TENANT}:{journey_id(TENANT, 'Bad')}:1"
        self._produce(Record(DEFINITIONS, self._bad_key.encode(), b"no journey", partition=0))
        large = random.Random(1).randbytes(300_000)  # which no compression makes smaller
        insert = "INSERT INTO outbox (key, value) VALUES (:key, :value)"
        self._stage.query(insert, key=f"{TENANT}:{journey_id(TENANT, 'Large')}:1", value=large)
        self._send(10, _FAILING)
        astray = [event(9_000 + number, f"c-{number}") for number in range(10)]
        self._produce(
            *(one._replace(partition=(self._partition(f"c-{n}") + 1) % 4) for n, one in enumerate(astray))
        )
        self._produce(event(1, "c-1"))  # once more, so that it is refused
        self._begin_to_wait(4)
        self._send(40)
        told = self._when(self._has_told_all)
        self._show(
            "what is bad comes", 40, told, "FairwayDeadLetters", "FairwayHistoryParked", "FairwayForeignEvents",
            "FairwayDefinitionsRefused", "FairwayOutboxRefused", "FairwayEnrollmentsFail",
        )  # fmt: skip

    def _has_told_all(self, told: Told) -> bool:
        expected = {
            "fairway_dead_letters_total": {"code": "not-json"}, "fairway_history_parked_total": {},
            "fairway_definitions_refused": {}, "fairway_outbox_refused": {},
            "fairway_enrollments_total": {"result": "failed"}, "fairway_events_total": {"result": "foreign"},
            "fairway_refusals_total": {"reason": "duplicate"}, "fairway_wait_delay_seconds_count": {},
        }  # fmt: skip
        return all(told.sum(name, **labels) > 0 for name, labels in expected.items())

    def _take_it_back(self) -> None:
        self._stage.query("DELETE FROM outbox")
        self._produce(Record(DEFINITIONS, self._bad_key.encode(), None, partition=0))
        aside = ("fairway_definitions_refused", "fairway_outbox_refused")
        told = self._when(lambda told: all(told.sum(name) == 0 for name in aside))
        self._show("what is bad is taken back", 70, told)

    def _end_postgres(self) -> None:
        with self.site.without_postgres():
            self._send(20)
            told = self.site.tell_when(self._has_been_without_postgres)
        self._show("Postgres has ended", 15, told, "FairwayHistoryLag", "FairwayOutboxStuck")
        self._show("Postgres is back", 5, self._when(self._is_well))

    def _has_been_without_postgres(self, told: Told) -> bool:
        lag, ages = told.values("fairway_history_lag_seconds"), told.values("fairway_outbox_age_seconds")
        return max(lag) > 310 and min(ages) > 310

    def _freeze_worker(self) -> None:
        worker = self.site.workers[0]
        stalls = Told(self.site.tell()).slow("fairway_loop_stall_seconds", worker.name)
        with worker.with_few_files():
            worker.process.send_signal(signal.SIGSTOP)
            until = monotonic() + 2
            client.wait_until(lambda: monotonic() >= until)
            worker.process.send_signal(signal.SIGCONT)
            told = self._when(lambda told: told.slow("fairway_loop_stall_seconds", worker.name) > stalls)
        self._show("a worker was frozen", 10, told, "FairwayLoopStalls", "FairwayFewFiles")

    def _freeze_broker(self) -> None:
        before = Told(self.site.tell())
        started = before.sum("fairway_enrollments_total", result="started")
        slow = before.slow("fairway_commit_seconds")
        self._begin_to_wait(1)
        self.site.tell_when(lambda told: told.sum("fairway_enrollments_total", result="started") > started)
        with self.site.with_broker_frozen():  # the wait of two seconds ends meanwhile
            told = self.site.tell_when(lambda told: min(told.values("fairway_definitions_age_seconds")) > 240)
        self._show("Kafka does not answer", 5, told, "FairwayDefinitionsStale")
        told = self._when(lambda told: told.slow("fairway_commit_seconds") > slow and self._is_well(told))
        self._show("Kafka was slow", 15, told, "FairwayCommitsSlow")

    def _fence(self) -> None:
        before = self._count_fenced(Told(self.site.tell()))
        told: dict[str, str | None] = {}
        while self._count_fenced(Told(told)) < before + PARTITIONS:  # in each round those that were to be committed
            told = self._fence_once(self._count_fenced(Told(self.site.tell())))
        self._show("another takes the partitions", 10, told, "FairwayPartitionLosses")

    def _fence_once(self, before: float) -> dict[str, str | None]:
        for worker in self.site.workers:
            Producer({
                "bootstrap.servers": self.site.settings.brokers, "transactional.id": worker_id(APP, worker.name),
            }).init_transactions(client.PATIENCE)  # fmt: skip
        self._send(40)
        return self._when(lambda told: self._count_fenced(told) > before and self._is_well(told))

    def _count_fenced(self, told: Told) -> float:
        return told.sum("fairway_partition_losses_total", reason="fenced")

    def _end_workers(self) -> None:
        for worker in self.site.workers:
            worker.kill()
        # For longer than the window in which losses are counted: there may have been several rounds of them.
        self._show("no worker is left", 20, self.site.tell(), "FairwayNoWorker", "FairwayWorkerDown")
