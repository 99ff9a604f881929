"""`fairway enroll` and `exit`: one customer, or many from a file."""

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.kafka.topics import INBOX
from streams.settings import Settings
from tests import client
from tests.broker.workers import TENANT, journey, publish

TO = ["--tenant", TENANT, "--journey", "Reminder"]


def run(settings: Settings, *words: str, given: str | None = None) -> Result:
    variables = {"FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_TOPICS_FILE": str(settings.topics_file)}
    return CliRunner().invoke(app, list(words), env=variables, input=given)


@pytest.mark.parametrize(
    "words", [[], ["--file", "-", "--customer", "c"], ["--file", "-", "--wait"], ["--file", "-", "--data", "{}  "]]
)
def test_a_customer_or_a_file_is_named_and_not_both(words: list[str]) -> None:
    assert run(Settings(), "enroll", *TO, *words).exit_code == 2


@pytest.mark.broker
def test_many_are_enrolled_from_a_file_or_nobody_is(settings: Settings) -> None:
    publish(settings, journey())
    bad = run(settings, "enroll", *TO, "--file", "-", given='file-0\n{"customerId": 5}\n')
    assert str(bad.exception).startswith("Nobody was enrolled: '-', line 2: It is neither an id nor an object")
    good = run(
        settings, "enroll", *TO, "--file", "-", given='\ufefffile-1\n{"customerId": "file-2", "data": {"n": 1}}\n'
    )
    assert good.output == "2 customers are on the way into 'Reminder'.\n"
    keys = {record.key for record in client.read_committed(settings.brokers, INBOX)}
    assert {key for key in keys if b":file-" in key} == {b"pinehurst:file-1", b"pinehurst:file-2"}


@pytest.mark.broker
def test_a_journey_that_is_unknown_is_told_with_what_may_be_meant(settings: Settings) -> None:
    publish(settings, journey())
    for command in ("enroll", "exit"):
        said = run(settings, command, "--tenant", TENANT, "--journey", "Remindr", "--customer", "c-1")
        sentence = f"Tenant '{TENANT}' has no journey 'Remindr' that was ever published; did you mean 'Reminder'?"
        assert str(said.exception) == sentence
