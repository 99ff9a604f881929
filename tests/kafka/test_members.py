"""What the members of a group say of themselves."""

import msgspec
import pytest
from faust.assignor.client_assignment import ClientMetadata

from models.form import FORM
from streams.kafka import members
from streams.kafka.clients import admin
from streams.kafka.members import add_form, list_members, read_form
from streams.settings import Settings
from tests.broker.workers import running

TOLD = msgspec.json.encode(
    {"url": "http://here", "assignment": {"actives": {}, "standbys": {}}, "changelog_distribution": {}}
)


def test_R66_a_member_tells_its_form_beside_what_it_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_form(add_form(TOLD)) == FORM
    monkeypatch.setattr(members, "FORM", 7)
    assert read_form(add_form(TOLD)) == 7
    assert ClientMetadata.loads(add_form(TOLD)).url == "http://here"


@pytest.mark.parametrize("told", [TOLD, b"", b"\xff", b"[]", b'{"form": "new"}'])
def test_who_tells_no_form_is_of_the_first(told: bytes) -> None:
    assert read_form(told) == 1


@pytest.mark.broker
async def test_the_workers_of_a_group_are_listed_and_those_of_none_are_none(settings: Settings) -> None:
    async with admin(settings) as asking:
        assert await list_members(asking, settings.app_id) == []
        with running(settings, 2):
            while len(await list_members(asking, settings.app_id)) < 2:
                pass
            assert {member.form for member in await list_members(asking, settings.app_id)} == {FORM}
            assert {member.host for member in await list_members(asking, settings.app_id)} == {"127.0.0.1"}
