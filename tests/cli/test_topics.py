"""`fairway topics`: a plan, what apply did, and what is left to people."""

import json

import pytest
import yaml
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.settings import Settings

pytestmark = pytest.mark.broker


def run(settings: Settings, *words: str) -> Result:
    variables = {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file),
    }  # fmt: skip
    return CliRunner().invoke(app, ["topics", *words], env=variables)


def test_where_nothing_differs_it_says_so(settings: Settings) -> None:
    assert run(settings, "plan").output == "The broker's topics are as the file says.\n"
    assert json.loads(run(settings, "plan", "--json").output) == []


def test_a_topic_that_differs_is_altered_or_grown_and_the_number_of_the_state_is_left_to_people(
    settings: Settings,
) -> None:
    content = yaml.safe_load(settings.topics_file.read_text())
    content["topics"]["teetime.booked"] |= {"configs": {"retention.ms": "86400000"}}
    settings.topics_file.write_text(yaml.safe_dump(content))
    assert "alter   teetime.booked: retention.ms: 604800000 -> 86400000\n" in run(settings, "apply").output
    assert run(settings, "plan").exit_code == 0
    content["defaults"]["partitions"] = 8
    settings.topics_file.write_text(yaml.safe_dump(content))
    planned = run(settings, "plan")
    assert "grow    teetime.booked: 4 -> 8 partitions\n" in planned.output
    assert f"refuse  {settings.app_id}-customers-changelog: has 4 partitions, the file says 8" in planned.output
    assert (planned.exit_code, str(planned.exception)) == (
        1, "1 difference is left for you to settle; see 'refuse' above."
    )  # fmt: skip
