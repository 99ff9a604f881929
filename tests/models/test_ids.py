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


def test_in_each_part_of_a_name_colon_and_percent_are_escaped() -> None:
    journey = ids.journey_id("50% club", "Welcome: day 1")
    assert journey == str(uuid5(NAMESPACE_URL, "fairway:50%25 club:Welcome%3A day 1"))
    enrollment = ids.enrollment_id(journey, "shop:7", "2%", 1)
    assert enrollment == str(uuid5(UUID(journey), "shop%3A7:2%25:1"))
    assert ids.command_id(enrollment, "a:b", 2) == str(uuid5(UUID(enrollment), "a%3Ab:2"))
    assert ids.activity_id("50% club", "shop:7", 3, "2026-11-23T12:00:00Z") == str(
        uuid5(NAMESPACE_URL, "fairway:50%25 club:shop%3A7:3:2026-11-23T12:00:00Z")
    )
    assert ids.activity_id("pinehurst", "c-7", 3, "2026-11-23T12:00:00Z") == str(
        uuid5(NAMESPACE_URL, "fairway:pinehurst:c-7:3:2026-11-23T12:00:00Z")
    )


JOURNEY = ids.journey_id("pinehurst", "Welcome")
NUMBER = st.integers(1, 12)


@st.composite
def pairs(draw: st.DrawFn) -> list[tuple[str, str, int]]:
    """Return two names of two parts, such as look the same where they are only joined by a colon."""
    whole = draw(st.text("a:%35A", min_size=1, max_size=6)) + ":" + draw(st.text("a:%25", max_size=4))
    colons = st.sampled_from([at for at, letter in enumerate(whole) if letter == ":"])
    return [(whole[:at], whole[at + 1 :], draw(NUMBER)) for at in (draw(colons), draw(colons))]


@given(pairs())
def test_two_different_names_never_make_the_same_id(names: list[tuple[str, str, int]]) -> None:
    (one, this, first), (other, that, second) = names
    same = {(one, this, first)} == {(other, that, second)}
    assert (ids.enrollment_id(JOURNEY, one, this, first) == ids.enrollment_id(JOURNEY, other, that, second)) is same
    same = (one, this) == (other, that)
    assert (ids.journey_id(one, this) == ids.journey_id(other, that)) is same
    same = (one, first) == (other, second)
    assert (ids.command_id(JOURNEY, one, first) == ids.command_id(JOURNEY, other, second)) is same
    at = "2026-11-23T12:00:00Z"
    assert (ids.activity_id("t", one, first, at) == ids.activity_id("t", other, second, at)) is same


def test_two_people_with_colons_in_their_ids_do_not_share_one() -> None:
    assert ids.enrollment_id(JOURNEY, "shop:7", "2", 1) != ids.enrollment_id(JOURNEY, "shop", "7:2", 1)


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters=":"), min_size=1),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_a_customer_s_key_says_whose_it_is(tenant_id: str, customer_id: str) -> None:
    key = ids.CustomerKey.of(tenant_id, customer_id)
    assert key.raw == ids.customer_key(tenant_id, customer_id)
    assert ids.CustomerKey.read(key.raw) == key
