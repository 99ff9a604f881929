"""What records of the definitions topic come to: what is in force, what is put aside, and who is held."""

import os
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.form import FORM
from models.ids import CustomerKey
from models.journey import Journey, JourneyStatus
from models.messages import Event
from streams.engine.advance import advance
from streams.engine.inputs import Arrived, Due
from streams.engine.journeys import Journeys
from streams.journeys.catalogue import Catalogue, compile_pending, read
from tests.engine.build import EXAMPLES, NOON, Life, event, journey, send, wait
from tests.journeys.build import Record, read_examples, status, version

DRAFT, ACTIVE, PAUSED, ARCHIVED = JourneyStatus
MAX_EXAMPLES = int(os.environ.get("FAIRWAY_TEST_EXAMPLES", "200"))
ONE = journey(wait(), send())
NEIGHBOUR = journey(send("hi", "neighbour"), name="Neighbour")
GOOD = [version(NEIGHBOUR), status(NEIGHBOUR)]


def take(*records: tuple[bytes | None, bytes | None], before: Catalogue = Catalogue()) -> Catalogue:  # noqa: B008
    return compile_pending(read(before, records))


def mend(record: Record, **changes: Any) -> Record:
    return record[0], msgspec.json.encode(msgspec.json.decode(record[1]) | changes)


def is_in_force(journeys: Journeys) -> bool:
    return ("neighbour", NOON) in Life(journeys).give(event()).sent


def test_a_status_that_is_sent_again_undoes_no_newer_one() -> None:
    catalogue = take(status(ONE, PAUSED, 2), status(ONE, ACTIVE, 3), status(ONE, PAUSED, 2))
    assert catalogue.states[ONE.id].status == ACTIVE


def test_a_tombstone_takes_out_what_its_key_names() -> None:
    both = take(*map(version, (ONE, ONE.model_copy(update={"version": 2}))), status(ONE))
    assert set(both.versions[ONE.id]) == {1, 2}
    without = take((version(ONE)[0], None), before=both)
    assert set(without.versions[ONE.id]) == {2}
    assert without.find("pinehurst", "Welcome") == without.states[ONE.id]
    assert take((status(ONE)[0], None), before=both).find("pinehurst", "Welcome") is None
    assert both.find("augusta", "Welcome") is None


BAD = [
    mend(status(ONE), updatedAt="soon"),
    mend(status(ONE), updatedAt="2026-11-23T10:00:00"),
    mend(version(ONE), whatever=1),
    mend(version(ONE), steps=[{"type": "TRIGGER", "nextStepId": "nowhere"}, {"type": "END"}]),
    mend(version(ONE), steps=[{"type": "TRIGGER"}, {"id": "w", "type": "WAIT", "config": {"duration": "soon"}}]),
    mend(version(ONE), steps=[{"type": "TRIGGER"}, {"type": "WAIT", "config": {"until": {"time": "25:00"}}}]),
    mend(version(ONE), steps=[{"type": "TRIGGER", "id": "a"}, {"type": "END", "id": "a"}]),
    mend(version(ONE), timezone="Atlantis"),
    mend(version(ONE), enrollmentKey=5),
    (b"x:y:1", b"{}"),
    (b"x:y:1", b"[" * 3000),
    (b"\xff", b"?"),
    (status(NEIGHBOUR)[0].replace(b"pinehurst", b"augusta"), b"{}"),
    (version(NEIGHBOUR)[0].replace(b"pinehurst", b"augusta"), version(NEIGHBOUR)[1]),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_record_that_can_t_be_used_is_put_aside_with_the_reason_and_the_rest_counts(bad: Record) -> None:
    catalogue = take(GOOD[0], bad, GOOD[1])
    assert list(catalogue.refused) == [bad[0].decode(errors="backslashreplace")]
    assert all(reason.endswith(".") for reason in catalogue.refused.values())
    assert is_in_force(catalogue.journeys())
    assert take((bad[0], None), before=catalogue).refused.keys() <= {bad[0].decode(errors="backslashreplace")}


def test_a_record_that_is_mended_or_taken_out_is_no_longer_put_aside() -> None:
    broken = take(mend(version(ONE), whatever=1), mend(status(ONE), updatedAt="soon"))
    assert len(broken.refused) == 2
    assert take(version(ONE), status(ONE), before=broken).refused == {}
    assert take((version(ONE)[0], None), (status(ONE)[0], None), before=broken).refused == {}


def test_a_bad_record_leaves_in_force_what_was_known_under_its_key() -> None:
    catalogue = take(version(ONE), status(ONE))
    catalogue = take(mend(version(ONE), whatever=1), mend(status(ONE), updatedAt="soon"), before=catalogue)
    assert len(catalogue.refused) == 2
    journeys = catalogue.journeys()
    assert (journeys.status(ONE.id), journeys.find(ONE.id, 1) is None) == (ACTIVE, False)


@pytest.mark.parametrize(
    "records",
    [
        [mend(version(ONE), whatever=1), status(ONE)],
        [version(ONE), mend(status(ONE), updatedAt="soon")],
        [mend(version(ONE), whatever=1), mend(status(ONE), updatedAt="soon")],
    ],
)
def test_who_is_in_a_version_that_can_t_be_read_waits_until_it_is_mended(records: list[Record]) -> None:
    life = Life(take(version(ONE), status(ONE)).journeys()).give(event())
    life.journeys = take(*records).journeys()
    life.due(NOON + timedelta(hours=3))
    assert life.sent == []
    assert life.told("enrollment.failed", "error") == []
    life.journeys = take(version(ONE), status(ONE)).journeys()
    assert life.due(NOON + timedelta(hours=4)).sent == [("hello", NOON + timedelta(hours=4))]


def test_drafts_are_compiled_once_they_are_active() -> None:
    draft = take(version(ONE), status(ONE, DRAFT))
    assert draft.versions == {}
    active = take(status(ONE, ACTIVE, 2), before=draft)
    assert set(active.versions[ONE.id]) == {1}
    assert active.pending == {}


def test_R66_a_version_of_a_newer_form_is_known_as_such_until_it_is_taken_out() -> None:
    newer = mend(version(ONE), needs=FORM + 1, needsFairway="1.3")
    catalogue = take(*GOOD, newer)
    assert list(catalogue.newer.values()) == ["Journey 'Welcome' version 1 needs Fairway 1.3 or later."]
    assert catalogue.refused == {}
    assert take((newer[0], None), before=catalogue).newer == {}


# --- any change of a record -------------------------------------------------------------------------------------

WRITTEN = [record for one in [ONE, *read_examples(EXAMPLES)] for record in (version(one), status(one))]
ODD = st.sampled_from(
    [None, "", "soon", "x" * 300, "\0", -1, 0, 2**70, 1.5, float(10**300), True, [], {}, [[]], [{}], {"rules": []},
     "2026-11-23", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1 day", "a.b..c", "trigger.", "PT99999999H"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, bytes | None]:
    key, value = draw(st.sampled_from(WRITTEN))
    match draw(st.sampled_from(["bytes", "cut", "key", "deep", "place", "place", "place", "place"])):
        case "bytes":
            where = draw(st.integers(0, len(value) - 1))
            return key, value[:where] + draw(st.binary(min_size=1, max_size=3)) + value[where + 1 :]
        case "cut":
            return key, value[: draw(st.integers(0, len(value)))]
        case "key":
            where = draw(st.integers(0, len(key) - 1))
            return key[:where] + draw(st.binary(max_size=2)) + key[where + 1 :], value
        case "deep":
            return key, b'{"a": ' * draw(st.integers(1, 3000)) + value
        case _:
            plain = msgspec.json.decode(value)
            change(draw, plain)
            return key, msgspec.json.encode(plain)


def change(draw: st.DrawFn, plain: Any) -> None:
    """Put something odd at some place, under its own name or another."""
    here = plain
    while True:
        place = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        inner = here[place]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            break
        here = inner
    if isinstance(here, dict) and draw(st.booleans()):
        del here[place]
        place = draw(st.sampled_from(["nextStepId", "until", "rules", "config", "unknown", "needs", "id"]))
    here[place] = draw(ODD)


@settings(max_examples=MAX_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(mutated(), min_size=1, max_size=4), st.permutations(range(6)))
def test_no_record_raises_anything_or_hurts_a_neighbour(
    strange: list[tuple[bytes, bytes | None]], order: list[int]
) -> None:
    records = [*GOOD, *strange]
    catalogue = take(*[records[place] for place in order if place < len(records)], *GOOD)
    journeys = catalogue.journeys()
    assert is_in_force(journeys)
    for tenant, type_ in journeys.wanted:
        run(journeys, tenant, type_)


def run(journeys: Journeys, tenant: str, type_: str) -> None:
    """Let a customer enter whatever there is, and let all waits of ten years fire: nothing is raised."""
    data = {"teeTime": "2026-11-25T09:00:00Z", "membershipTier": "Gold", "amount": 5}
    arrived, whose = Event("e", tenant, "c", NOON, type_, "north", data), CustomerKey.of(tenant, "c")
    customer = advance(None, whose, Arrived(arrived), NOON, journeys).customer
    for year in range(1, 10):
        customer = advance(customer, whose, Due(), NOON + timedelta(days=365 * year), journeys).customer


def test_journeys_that_were_checked_are_never_put_aside() -> None:
    authored: list[Journey] = [ONE, NEIGHBOUR, *read_examples(EXAMPLES)]
    assert take(*(record for one in authored for record in (version(one), status(one)))).refused == {}
