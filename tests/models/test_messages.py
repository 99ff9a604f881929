"""The published shapes are those of what the engine writes: same names, and its records pass them."""

from typing import get_args

import msgspec
import pytest

from models import messages
from streams.engine import effects, entries
from streams.engine.effects import Activity, ProfileUpdate, SendCommand, plain
from tests.engine.build import NOON, Life, event, hours, journey, live, send, update, wait

_NOT_PUBLISHED = {"control", "enrollmentId", "stepId", "due"}  # of a cause: only some kinds have them


@pytest.mark.parametrize(
    ("written", "published"),
    [(SendCommand, messages.SendCommand), (ProfileUpdate, messages.ProfileUpdate), (Activity, messages.Activity)],
)
def test_what_is_written_has_the_fields_that_are_published(
    written: type[msgspec.Struct], published: type[messages.Message]
) -> None:
    assert list(written.__struct_encode_fields__) == [field.alias for field in published.model_fields.values()]


def test_a_cause_has_the_fields_that_are_published_and_those_of_some_kinds() -> None:
    names = {str(field.alias) for field in messages.Cause.model_fields.values()}
    assert set(effects.Cause.__struct_encode_fields__) == names | _NOT_PUBLISHED


def test_entries_are_of_the_types_that_are_published() -> None:
    written = {kind.__struct_config__.tag for kind in get_args(entries.Entry)}
    assert written == set(get_args(messages.Entry.model_fields["type"].annotation))


def test_the_records_of_a_life_pass_what_is_published() -> None:
    steps = (send(), update("u", {"field": "tier", "value": "Gold"}), wait())
    life = Life(live(journey(*steps))).give(event()).due(NOON + hours(3))
    updates = [plain(effect) for effect in life.effects if isinstance(effect, ProfileUpdate)]
    assert len(life.commands) == len(updates) == 1
    assert len(life.records) == 2
    messages.SendCommand.model_validate(life.commands[0])
    messages.ProfileUpdate.model_validate(updates[0])
    for record in life.records:
        messages.Activity.model_validate(record)
