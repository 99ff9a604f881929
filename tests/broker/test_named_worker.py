"""A worker with a name of its own keeps its place in the group, until it is said that it does not come back."""

import signal

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.settings import Settings
from tests import client
from tests.broker.workers import Group, events, expected, journey, long_session, publish, running, wait_for_commands

pytestmark = pytest.mark.broker


def test_a_worker_with_a_name_that_has_ended_keeps_its_place_until_it_is_told_that_it_does_not_come_back(
    settings: Settings,
) -> None:
    group = Group(settings)
    publish(settings, journey())
    named = {"FAIRWAY_INSTANCE_ID": "first"}
    with running(settings, patch=long_session(29), **named) as workers:
        client.produce(settings.brokers, events(range(100), 50))
        wait_for_commands(settings, expected(100, 50))
        assert workers[0].end(signal.SIGTERM) == 0
        assert group.stands()[1] == 1
    variables = {"FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id} | named
    gone = "'first' has left the group: others have its partitions from now on.\n"
    for said in (gone, "'first' is not in the group.\n"):
        done = CliRunner().invoke(app, ["worker", "--leave"], env=variables)
        assert (done.exit_code, done.stdout) == (0, said)
    assert group.stands()[1] == 0
