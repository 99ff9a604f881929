"""What the members of a group say of themselves."""

from importlib.metadata import version
from socket import gethostname

import msgspec
import pytest
from faust.assignor.client_assignment import ClientMetadata

from models.form import FORM
from streams.kafka import members
from streams.kafka.clients import admin
from streams.kafka.members import Introduction, Member, introduce, list_members, read_introduction
from streams.settings import Settings
from tests.broker.workers import running

TOLD = msgspec.json.encode(
    {"url": "http://here", "assignment": {"actives": {}, "standbys": {}}, "changelog_distribution": {}}
)


def test_R66_a_member_tells_its_form_and_who_it_is_beside_what_it_told_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = introduce(TOLD, "w1", "1.0")
    assert read_introduction(told) == Introduction(FORM, "w1", "1.0", "http://here", is_shared=True)
    monkeypatch.setattr(members, "FORM", 7)
    assert read_introduction(introduce(TOLD, "w1", "1.0")).form == 7
    assert ClientMetadata.loads(told).url == "http://here"


@pytest.mark.parametrize("told", [TOLD, b"", b"\xff", b"[]", b'{"form": "new"}'])
def test_who_tells_no_form_is_of_the_first(told: bytes) -> None:
    assert read_introduction(told).form == 1


@pytest.mark.broker
async def test_the_workers_of_a_group_are_listed_and_those_of_none_are_none(settings: Settings) -> None:
    async with admin(settings) as asking:
        assert await list_members(asking, settings.app_id) == []
        with running(settings, 2):
            while len(found := await list_members(asking, settings.app_id)) < 2:
                pass
            assert {(member.form, member.host) for member in found} == {(FORM, "127.0.0.1")}
            assert {member.version for member in found} == {version("fairway-journeys")}
            assert {member.name for member in found} == {
                member.address.replace("http://127.0.0.1", gethostname()) for member in found
            }
            assert sorted(number for member in found for number in member.partitions) == [0, 1, 2, 3]


def test_members_of_one_name_are_told_apart() -> None:
    twins = [Member("a", 1, "fairway-1-aaaaaa", "w"), Member("b", 1, "fairway-1-bbbbbb", "w"), Member("c", 1)]
    assert [member.name for member in members._tell_apart(twins)] == ["w (aaaaaa)", "w (bbbbbb)", ""]
