"""`fairway schemas` and `topics export`: what is printed is what the modules say."""

import json
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app
from streams.errors import FairwayError


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_all_schemas_are_printed_or_one() -> None:
    every: dict[str, Any] = json.loads(run("schemas"))
    assert set(every) == {"event", "inbox", "send-command", "profile-update", "activity", "journey"}
    assert json.loads(run("schemas", "send-command")) == every["send-command"]
    assert {schema["$schema"] for schema in every.values()} == {"https://json-schema.org/draft/2020-12/schema"}


def test_an_unknown_schema_is_told_with_those_that_there_are() -> None:
    with pytest.raises(FairwayError, match="There is no schema 'command': choose one of activity, event, inbox"):
        run("schemas", "command")


def test_topics_are_printed_as_asyncapi_and_as_strimzi_takes_them() -> None:
    assert yaml.safe_load(run("topics", "export", "--format", "asyncapi"))["info"]["title"] == "Fairway"
    resources = list(yaml.safe_load_all(run("topics", "export", "--format", "strimzi", "--cluster", "club")))
    assert {one["metadata"]["labels"]["strimzi.io/cluster"] for one in resources} == {"club"}
