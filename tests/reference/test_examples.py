"""What the pages show as an example can be used as it stands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from models.messages import Event
from models.rules import Group
from models.steps import Step
from streams.engine.check import check
from streams.engine.decoding import decode
from streams.engine.effects import Activity

PAGES = ("journeys.md", "listening.md", "conditions.md", "tutorial.md")
_JOURNEY = {
    "tenantId": "pinehurst", "name": "Example", "triggerType": "teetime.booked",
    "enrollmentKey": "trigger.teeTimeId",
    "steps": [{"type": "TRIGGER"}],
}  # fmt: skip


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", Path("docs", page).read_text(), re.DOTALL | re.MULTILINE)


EXAMPLES = [(page, block) for page in PAGES for block in blocks(page, "yaml")]


@pytest.mark.parametrize(("page", "example"), EXAMPLES, ids=[f"{page}-{n}" for n, (page, _) in enumerate(EXAMPLES)])
def test_an_example_of_a_journey_or_a_part_of_one_can_be_used(page: str, example: str) -> None:
    part: Any = yaml.safe_load(example)
    if isinstance(part, list):
        for step in part:
            TypeAdapter[Any](Step).validate_python(step)
    elif "rules" in part:
        Group.model_validate(part)
    else:
        assert check(part if "steps" in part else _JOURNEY | part)[1] == []


def test_there_is_an_example_of_each_type_of_step() -> None:
    steps = [step for page, block in EXAMPLES if page == "journeys.md" for step in _steps(yaml.safe_load(block))]
    assert {step["type"] for step in steps} == {"TRIGGER", "SEND", "WAIT", "CONDITION", "SPLIT", "UPDATE", "END"}


def _steps(part: Any) -> list[Any]:
    return part if isinstance(part, list) else part.get("steps", [])


def test_the_event_on_the_page_of_messages_is_one() -> None:
    event, activity = blocks("messages.md", "json")
    assert isinstance(decode(event.encode(), (), ""), Event)
    assert tuple(json.loads(activity)) == Activity.__struct_encode_fields__
