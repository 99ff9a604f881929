"""Ids are RFC 4122 names: a consumer in any language can compute them."""

from uuid import NAMESPACE_URL, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from models import ids


@given(st.uuids(), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_name_gives_the_uuid_of_the_standard(space: UUID, name: str) -> None:
    assert ids.name_uuid(str(space), name) == str(uuid5(space, name))


def test_the_contract_s_names() -> None:
    journey = ids.journey_id("pinehurst", "Welcome")
    enrollment = ids.enrollment_id(journey, "c-7", "t-9", 1)
    assert journey == str(uuid5(NAMESPACE_URL, "fairway:pinehurst:Welcome"))
    assert enrollment == str(uuid5(UUID(journey), "c-7:t-9:1"))
    assert ids.command_id(enrollment, "welcome", 1) == str(uuid5(UUID(enrollment), "welcome:1"))
