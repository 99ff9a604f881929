"""The rights that `fairway topics export --format acl` prints are enough, and none is left out unseen."""

import asyncio
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from confluent_kafka.admin import AclBinding, AclOperation
from typer.testing import CliRunner, Result

from models.ids import customer_key
from streams.cli import app
from streams.doctor.examine import examine
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import DEAD_LETTERS, read_topics
from streams.settings import Settings, environment
from tests import client
from tests.broker import workers
from tests.broker.workers import TENANT, Worker
from tests.reference.commands import walk
from tests.security.acl import allow, find_all, forbid_everything, read_lines
from tests.security.commands import AT_WORK, BEFORE, TWO_APPS, WHILE, WITHOUT_RIGHTS, Step
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

    def run(self, role: str, *words: str, fails: bool = False, output: bool = False) -> str:
        """Return what a command printed, or with `fails` its one sentence, unless `output` is wanted."""
        ended = subprocess.run(
            [sys.executable, "-c", _RUN, *words], capture_output=True, text=True, check=False,
            timeout=2 * client.PATIENCE, env=environment() | self.variables(role),
        )  # fmt: skip
        assert (ended.returncode != 0) is fails, f"{words}: {ended.stdout}{ended.stderr}"
        assert f"{role}-secret" not in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.stderr if fails and not output else ended.stdout

    def take(self, step: Step, letter: str = "") -> None:
        """Run a command as its role, in this process; history may take a moment to have what it tells."""
        words = shlex.split(f"{step.command} {step.given.format(folder=self.folder, letter=letter)}")
        if step.command in ("customers show", "enrollments list"):
            client.wait_until(lambda: self._invoke(step.role, words).exit_code == 0)
        ended = self._invoke(step.role, words)
        is_told = step.command == "doctor" and ended.exit_code == 1  # that a worker was killed, it may say
        assert ended.exit_code == 0 or is_told, f"{step}: {ended.output}{ended.exception!r}"
        assert step.says in ended.output, step
        assert f"{step.role}-secret" not in ended.output

    def _invoke(self, role: str, words: Sequence[str]) -> Result:
        return CliRunner().invoke(app, words, env=self.variables(role))

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


def test_every_command_has_its_turn() -> None:
    """A new command needs a step in tests/security/commands.py, and with it the role that may run it."""
    commands = {name.removeprefix("fairway ") for name, _ in walk()}
    tried = {step.command for step in (*BEFORE, *WHILE)}
    assert commands == tried | AT_WORK | WITHOUT_RIGHTS | TWO_APPS
    assert not tried & WITHOUT_RIGHTS


def write_files(folder: Path) -> None:
    """Write the journey, and two files of 30 events."""
    journey = {
        "tenantId": TENANT, "name": "Reminder", "triggerType": workers.TOPIC, "allowReentry": True,
        "steps": [
            {"id": "start", "type": "TRIGGER", "config": {"eventType": workers.TOPIC, "conditions": []}},
            {"id": "send", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "reminder"}},
            {"id": "end", "type": "END", "config": {}},
        ],
    }  # fmt: skip
    (folder / "journey.yaml").write_text(yaml.safe_dump(journey))
    events = workers.events(range(60), 12)
    for number, part in enumerate((events[:30], events[30:])):
        lines = [json.dumps(json.loads(one.value or b"") | {"eventType": one.topic}) for one in part]
        (folder / f"events-{number}.jsonl").write_text("\n".join(lines))


def spoil(settings: Settings) -> None:
    """Damage a customer's row, and send an event that nobody can read."""
    key = customer_key(TENANT, "broken")
    changelog = read_topics(settings.topics_file, settings.app_id).changelog
    row = b'{"tenantId":"pinehurst","customerId":"broken","records":"many"}'
    damaged = client.Record(changelog, key, row, partition=partition_of(key, 4))
    client.produce(settings.brokers, [damaged, client.Record(workers.TOPIC, b"pinehurst:odd", b"{")])


@pytest.mark.timeout(480)
def test_with_the_printed_rights_every_command_and_a_takeover_go_well(place: Place) -> None:
    allow(place.secure.address, read_lines(place.lines()))
    write_files(place.folder)
    settings = place.settings()
    for step in BEFORE:
        place.take(step)
    spoil(settings)
    variables = place.variables("worker") | {"FAIRWAY_WEB_PORT": "0"}
    first, second = (Worker(settings, str(number), **variables) for number in range(2))
    try:
        workers.wait_for_commands(settings, workers.expected(30, 12), 2 * client.PATIENCE)
        first.end(signal.SIGKILL)
        place.run("producer", "publish", str(place.folder / "events-1.jsonl"))
        workers.wait_for_commands(settings, workers.expected(60, 12), 2 * client.PATIENCE)
        letters = client.read_committed(settings.brokers, DEAD_LETTERS)
        letter = next(one for one in letters if dict(one.headers)["dlq.code"] == b"not-json")
        for step in WHILE:
            place.take(step, letter=f"{letter.partition}:{letter.offset}")
        place.take(Step("worker", "doctor", says="that the role 'worker' needs"))
        assert second.end(signal.SIGTERM) == 0
    finally:
        for worker in (first, second):
            worker.process.kill()
            worker.process.wait()
            print(worker.log.read_text())
    for worker in (first, second):
        assert "uthorization" not in worker.log.read_text()
        assert "worker-secret" not in worker.log.read_text()


def test_the_doctor_names_each_right_that_is_missing_with_the_line_that_gives_it(place: Place) -> None:
    topics = read_topics(place.base["topics_file"], place.base["app_id"])
    client.create_topics(place.secure.address, {topic.name: topic.partitions for topic in topics.all})
    lines = [line for line in place.lines() if "User:worker " in line]
    taken = ("--topic fairway.commands", "--group", "--transactional-id")
    without = [line for line in lines if any(what in line for what in taken)]
    allow(place.secure.address, read_lines(line for line in lines if line not in without))
    given = place.run("worker", "doctor", "--json", fails=True, output=True)
    rights = [one for one in json.loads(given) if one["check"] == "rights"]
    assert sorted(one["todo"] for one in rights) == sorted(without)
    assert {one["state"] for one in rights} == {"problem"}
    group = place.base["app_id"]
    assert sorted(one["text"] for one in rights) == sorted(
        f"This user of Kafka lacks {lacks}."
        for lacks in (
            "Read and Write and DescribeConfigs on topic 'fairway.commands'", f"Read on group '{group}'",
            f"Write on transactional-id '{group}-'",
        )
    )  # fmt: skip
    bindings = read_lines(lines)
    only_seen = [one for one in bindings if one.name == group]
    allow(place.secure.address, [_describing(one) for one in only_seen] + read_lines([without[0]]))
    given = place.run("worker", "doctor", "--json", fails=True, output=True)
    assert f"This user of Kafka lacks Read on group '{group}'." in given


def _describing(binding: AclBinding) -> AclBinding:
    """Return the right to look at what this one lets one use."""
    return AclBinding(
        binding.restype, binding.name, binding.resource_pattern_type, binding.principal, binding.host,
        AclOperation.DESCRIBE, binding.permission_type,
    )  # fmt: skip


def test_the_doctor_says_where_kafka_keeps_no_rights(settings: Settings) -> None:
    found = asyncio.run(examine(settings))
    assert [one.text for one in found if one.check == "rights"] == [
        "Kafka has no authorizer: whoever reaches it may do everything."
    ]
    assert [one.state for one in found if one.check == "limits"] == ["ok"]


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
        client.produce(settings.brokers, workers.events(range(200), 40))
        workers.wait_for_commands(settings, workers.expected(200, 40), 120)
        assert worker.end(signal.SIGTERM) == 0
    finally:
        worker.process.kill()
        worker.process.wait()
        print(worker.log.read_text())
        place.secure.run_tool(f"{quota} --delete-config producer_byte_rate,consumer_byte_rate")
