"""Enrolments and exits by hand that wait for what comes of them, at a real broker."""

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.errors import FairwayError
from streams.settings import Settings
from tests.broker.workers import TENANT, journey, publish, running

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def say(settings: Settings, *words: str) -> str:
    """Return what a command says, be it on stderr."""
    variables = {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip
    command, customer, name, *options = words
    given = [command, "--tenant", TENANT, "--journey", name, "--customer", customer, *options]
    result = CliRunner().invoke(app, given, env=variables)
    if result.exception is None:
        return result.output.rstrip("\n")
    assert isinstance(result.exception, FairwayError), result.exception
    return f"1: {result.exception}"


def test_a_command_says_what_came_of_its_own_control(settings: Settings) -> None:
    once = journey("Once", wait="900 weeks", allowReentry=False)
    publish(settings, once, journey("Full", wait="900 weeks", maxEnrollments=1))
    enroll, leave = ("enroll", "c-1"), ("exit", "c-1")
    waits = "--wait", "--within", "60"
    with running(settings):
        again = "the journey can be entered only once, and the customer has been in it"
        assert say(settings, *enroll, "Once", *waits) == "Customer 'c-1' has entered 'Once'."
        assert say(settings, *enroll, "Once", *waits) == f"1: Customer 'c-1' did not enter 'Once': {again}."
        assert say(settings, "enroll", "c-2", "Once") == "Customer 'c-2' is on the way into 'Once'."
        assert say(settings, "enroll", "c-2", "Once", *waits) == f"1: Customer 'c-2' did not enter 'Once': {again}."
        assert say(settings, *leave, "Once", *waits) == "Customer 'c-1' has left 'Once'."
        assert say(settings, *leave, "Once", *waits) == "1: Customer 'c-1' was not in 'Once'."
        assert say(settings, *enroll, "Full", *waits) == "Customer 'c-1' has entered 'Full'."
        full = "1: Customer 'c-2' did not enter 'Full': the journey was full."
        assert say(settings, "enroll", "c-2", "Full", *waits) == full


@pytest.mark.parametrize("command", ["enroll", "exit"])
def test_a_command_does_not_wait_for_ever(settings: Settings, command: str) -> None:
    publish(settings, journey())
    said = say(settings, command, "c-1", "Reminder", "--wait", "--within", "2")
    assert said == "1: No worker took it up within 2 seconds; it is done as soon as one does."


def test_a_worker_that_writes_no_refusals_down_leaves_them_untold(settings: Settings) -> None:
    publish(settings, journey("Once", wait="900 weeks", allowReentry=False))
    with running(settings, FAIRWAY_REFUSALS="none"):
        assert (
            say(settings, "enroll", "c-1", "Once", "--wait", "--within", "60")
            == "Customer 'c-1' has entered 'Once'."
        )
        said = say(settings, "enroll", "c-1", "Once", "--wait", "--within", "10")
    assert said == "1: A worker took it up, but wrote down nothing of it within 10 seconds."
