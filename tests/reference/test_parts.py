"""What is generated on the pages is what the code says: FAIRWAY_RECORD=1 pytest tests/reference writes it anew."""

import os
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from streams.engine import entries
from streams.engine.descriptions import COMMON, DESCRIPTIONS
from streams.engine.schema import DESCRIPTIONS as SETTINGS
from streams.engine.schema import journey_schema
from tests.reference.messages import STRUCTS
from tests.reference.parts import PARTS
from tests.reference.tables import DOCS, read_parts, write_part

ALL = [(page, name) for page, parts in PARTS.items() for name in parts]


@pytest.mark.parametrize(("page", "name"), ALL)
def test_a_generated_part_is_what_the_code_says(page: str, name: str) -> None:
    text = PARTS[page][name]()
    if os.environ.get("FAIRWAY_RECORD"):
        write_part(page, name, text)
    assert read_parts(page)[name] == text, "write it anew: FAIRWAY_RECORD=1 pytest tests/reference"


def test_every_generated_part_is_generated() -> None:
    found = [(page.name, name) for page in DOCS.glob("*.md") for name in read_parts(page.name)]
    assert sorted(found) == sorted(ALL)


def test_every_part_of_a_journey_file_stands_on_the_page() -> None:
    """Listeners stand there by their kinds; END has no settings; other steps are of the kind of SEND."""
    parts = set(journey_schema()["$defs"]) & set(SETTINGS)
    assert parts - set(PARTS["journeys.md"]) == {"Listener", "EndConfig", "JourneyTrigger"}


def test_every_field_that_is_described_is_there() -> None:
    structs = {struct.__name__: struct for many in STRUCTS.values() for struct in many}
    structs["Moved"] = entries.Moved
    described = {
        (struct, field) for struct, fields in DESCRIPTIONS.items() for field in fields if struct != "KnownEvent"
    }
    there = {(name, field.encode_name) for name, one in structs.items() for field in msgspec.structs.fields(one)}
    assert described - there == set()
    assert set(COMMON) - {field for _, field in there} == {"type"}


def test_every_entry_stands_on_the_page() -> None:
    text = Path("docs/messages.md").read_text()
    tags = [kind.__struct_config__.tag for kind in get_args(entries.Entry)]
    assert [tag for tag in tags if f"**`{tag}`**" not in text] == []
