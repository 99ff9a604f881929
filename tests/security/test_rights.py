"""The rights that `fairway topics export --format acl` prints are enough, and none is left out unseen."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from streams.kafka.topics import read_topics
from streams.settings import Settings, environment
from tests import client
from tests.broker import workers
from tests.broker.workers import TENANT, Worker
from tests.security.acl import allow, find_all, forbid_everything, read_lines
from tests.security.secure_broker import ROLES, SecureBroker

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(240)]

_RUN = "import sys; from streams.cli import main; main()"
_PRINCIPALS = [word for role in ROLES for word in (f"--{role}", f"User:{role}")]


class Place:
    """An app on the secure broker, and its commands, each run as one of the roles."""

    def __init__(
        self, secure: SecureBroker, app_id: str, topics_file: Path, folder: Path, database_url: str
    ) -> None:
        self.secure = secure
        self.folder = folder
        self.base = {
            "app_id": app_id, "topics_file": topics_file, "data_dir": folder / "data",
            "database_url": database_url,
        }  # fmt: skip

    def variables(self, role: str) -> dict[str, str]:
        given = self.secure.variables("SCRAM", role) | self.base
        return {f"FAIRWAY_{name.upper()}": str(value) for name, value in given.items()}

    def settings(self) -> Settings:
        """Return settings for looking, by the listener where everything is allowed."""
        return Settings(brokers=self.secure.address, **self.base)

    def run(self, role: str, *words: str, fails: bool = False) -> str:
        """Return what a command printed, or with `fails` its one sentence."""
        ended = subprocess.run(
            [sys.executable, "-c", _RUN, *words], capture_output=True, text=True, timeout=90, check=False,
            env=environment() | self.variables(role),
        )  # fmt: skip
        assert (ended.returncode != 0) is fails, f"{words}: {ended.stdout}{ended.stderr}"
        assert f"{role}-secret" not in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.stderr if fails else ended.stdout

    def lines(self) -> list[str]:
        return self.run("operator", "topics", "export", "--format", "acl", *_PRINCIPALS).splitlines()


@pytest.fixture
def place(
    secure: SecureBroker, prefix: str, topics_file: Path, tmp_path: Path, database_url: str
) -> Iterator[Place]:
    """An app whose roles have no rights yet, and no topics."""
    forbid_everything(secure.address)
    found = Place(secure, prefix, topics_file, tmp_path, database_url)
    yield found
    forbid_everything(secure.address)
    names = [topic.name for topic in read_topics(topics_file, prefix).all]
    client.delete_topics(secure.address, names)


def test_with_the_printed_rights_every_command_and_a_takeover_go_well(place: Place) -> None:
    allow(place.secure.address, read_lines(place.lines()))
    place.run("operator", "topics", "apply")
    assert "as the file says" in place.run("operator", "topics", "plan")
    place.run("operator", "db", "upgrade")
    journey = {
        "tenantId": TENANT, "name": "Reminder", "triggerType": workers.TOPIC, "allowReentry": True,
        "steps": [
            {"id": "start", "type": "TRIGGER", "config": {"eventType": workers.TOPIC, "conditions": []}},
            {"id": "send", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "reminder"}},
            {"id": "end", "type": "END", "config": {}},
        ],
    }  # fmt: skip
    (place.folder / "journey.yaml").write_text(yaml.safe_dump(journey))
    place.run("author", "journeys", "apply", "--activate", str(place.folder / "journey.yaml"))
    events = workers.events(range(60), 12)
    batches = []
    for number, part in enumerate((events[:30], events[30:])):
        file = place.folder / f"events-{number}.jsonl"
        lines = [json.dumps(json.loads(one.value) | {"eventType": one.topic}) for one in part]
        file.write_text("\n".join(lines))
        batches.append(str(file))
    settings = place.settings()
    variables = place.variables("worker") | {"FAIRWAY_WEB_PORT": "0"}
    first, second = (Worker(settings, str(number), **variables) for number in range(2))
    try:
        place.run("producer", "publish", batches[0])
        workers.wait_for_commands(settings, workers.expected(30, 12), 60)
        first.end(signal.SIGKILL)
        place.run("producer", "publish", batches[1])
        workers.wait_for_commands(settings, workers.expected(60, 12), 60)
        by_hand = ("--tenant", TENANT, "--journey", "Reminder", "--customer", "c-1", "--wait", "--within", "30")
        assert "entered" in place.run("author", "enroll", *by_hand)
        place.run("author", "exit", *by_hand[:-3])
        assert len(place.run("sender", "commands").splitlines()) == 61
        for words in (
            ["pause", "Reminder"],
            ["resume", "Reminder"],
            ["publish", "Reminder"],
            ["archive", "Reminder"],
        ):
            place.run("author", "journeys", *words, "--tenant", TENANT)
        assert second.end(signal.SIGTERM) == 0
    finally:
        for worker in (first, second):
            worker.process.kill()
            worker.process.wait()
            print(worker.log.read_text())
    for worker in (first, second):
        assert "uthorization" not in worker.log.read_text()
        assert "worker-secret" not in worker.log.read_text()


@pytest.mark.parametrize(
    ("without", "role", "command", "sentence"),
    [
        ("--topic fairway.commands", "worker", ["worker"],
         "This user of Kafka lacks rights: Read and Write and DescribeConfigs on topic 'fairway.commands'. "),
        ("--transactional-id", "worker", ["worker"],
         "This user of Kafka lacks rights: Write on transactional-id '{app}-'. "),
        ("--group", "worker", ["worker"], "This user of Kafka lacks rights: Read on group '{app}'. "),
        ("--topic fairway.inbox", "author",
         ["enroll", "--tenant", "t", "--journey", "J", "--customer", "c"], ""),
        ("--topic teetime.booked", "producer", ["publish", "{events}"],
         "This user of Kafka lacks rights: Write on topic 'teetime.booked'. "),
        ("--topic fairway.commands", "sender", ["commands"],
         "This user of Kafka lacks rights: Read on topic 'fairway.commands'. "),
    ],
)  # fmt: skip
def test_a_right_that_is_missing_is_named(
    place: Place, without: str, role: str, command: list[str], sentence: str
) -> None:
    topics = read_topics(place.base["topics_file"], place.base["app_id"])
    client.create_topics(place.secure.address, {topic.name: topic.partitions for topic in topics.all})
    lines = [line for line in place.lines() if not (f"User:{role} " in line and without in line)]
    allow(place.secure.address, read_lines(lines))
    file = place.folder / "events.jsonl"
    file.write_bytes(b'{"eventType":"teetime.booked",' + (workers.event(1, "c").value or b"")[1:])
    said = place.run(role, *(word.format(events=file) for word in command), fails=True)
    assert sentence.format(app=place.base["app_id"]) in said


def test_kafka_s_own_tool_makes_of_the_lines_what_these_tests_make_of_them(place: Place) -> None:
    lines = [next(line for line in place.lines() if what in line) for what in ("--group", "prefixed", "Create")]
    for line in lines:
        place.secure.run_tool(line)
    assert find_all(place.secure.address) == set(read_lines(lines))


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("operator", ["topics", "plan"]),
        ("worker", ["worker"]),
        ("sender", ["commands"]),
        ("producer", ["publish", "{events}"]),
        ("author", ["exit", "--tenant", "t", "--journey", "J", "--customer", "c"]),
    ],
)
def test_a_wrong_password_is_one_sentence_whatever_the_command(place: Place, role: str, words: list[str]) -> None:
    file = place.folder / "events.jsonl"
    file.write_bytes(b'{"eventType":"teetime.booked",' + (workers.event(1, "c").value or b"")[1:])
    place.base["kafka_sasl_password"] = "wrong-secret"
    said = place.run(role, *(word.format(events=file) for word in words), fails=True)
    assert said.startswith(
        f"fairway: Kafka at '{place.secure.brokers('SCRAM')}' refuses the user '{role}' with its "
    )
    assert said.count("\n") == 1
    assert "wrong-secret" not in said


def test_quotas_slow_a_worker_down_and_lose_nothing(place: Place) -> None:
    topics = read_topics(place.base["topics_file"], place.base["app_id"])
    client.create_topics(place.secure.address, {topic.name: topic.partitions for topic in topics.all})
    allow(place.secure.address, read_lines(place.lines()))
    quota = "kafka-configs.sh --bootstrap-server here --alter --entity-type users --entity-name worker"
    rates = "producer_byte_rate=20000,consumer_byte_rate=40000"
    place.secure.run_tool(f"{quota} --add-config {rates}")
    settings = place.settings()
    worker = Worker(settings, "slow", **place.variables("worker") | {"FAIRWAY_WEB_PORT": "0"})
    try:
        workers.publish(settings, workers.journey())
        client.produce(settings.brokers, workers.events(range(400), 40))
        workers.wait_for_commands(settings, workers.expected(400, 40), 120)
        assert worker.end(signal.SIGTERM) == 0
    finally:
        worker.process.kill()
        worker.process.wait()
        print(worker.log.read_text())
        place.secure.run_tool(f"{quota} --delete-config producer_byte_rate,consumer_byte_rate")
