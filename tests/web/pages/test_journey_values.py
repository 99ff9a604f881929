"""The live values of a journey's page, and the funnel's rows."""

from typing import Any

import pytest

from models.journey import Journey
from streams.web.pages.journey_values import measure, rank_steps
from streams.web.queries.statistics import Conversions, StepCounts
from streams.web.queries.totals import VersionCounts
from tests.web.charts.journeys import ASK, MAIL, START, make

END: dict[str, object] = {"id": "end", "type": "END"}
ROW = {f"total_{word}": 0 for word in ("enrolled", "completed", "exited", "failed")}


def send(id_: str, **onward: str) -> dict[str, object]:
    return MAIL | {"id": id_} | onward


def split(**ways: str) -> dict[str, object]:
    variants = [{"name": name, "nextStepId": step} for name, step in ways.items()]
    return {"id": "split", "type": "SPLIT", "config": {"variants": variants}}


@pytest.mark.parametrize(
    ("steps", "rows"),
    [
        ([START, MAIL, END], [["start"], ["mail"], ["end"]]),
        (
            [START, split(a="a", b="b"), send("a", nextStepId="end"), send("b"), END],
            [["start"], ["split"], ["a", "b"], ["end"]],
        ),
        (  # a way of two steps beside a way of one, which meet again
            [START, split(a="a", b="b"), send("a"), send("a2", nextStepId="end"), send("b"), END],
            [["start"], ["split"], ["a", "b"], ["a2"], ["end"]],
        ),
        (  # written in another order than they are passed
            [START, split(a="a", b="b"), send("join", nextStepId="end"), send("b", nextStepId="join"),
             send("a", nextStepId="join"), END],
            [["start"], ["split"], ["b", "a"], ["join"], ["end"]],
        ),
        (  # a way back up is no way down
            [START, MAIL, ASK | {"nextStepYesId": "mail", "nextStepNoId": "end"}, END],
            [["start"], ["mail"], ["ask"], ["end"]],
        ),
    ],
)  # fmt: skip
def test_the_funnel_has_a_row_for_each_depth_with_parallel_ways_side_by_side(
    steps: list[dict[str, object]], rows: list[list[str]]
) -> None:
    assert [[step.id for step in rank] for rank in rank_steps(make(*steps))] == rows


def values_of(journey: Journey, counts: dict[str, StepCounts], **refusals: int) -> dict[str, str]:
    row: Any = ROW
    return measure(row, journey, VersionCounts(Conversions(), counts), refusals)


def test_a_part_is_asked_for_anew_when_a_number_comes_that_had_no_place_and_not_when_one_grows() -> None:
    journey = make(START, ASK | {"nextStepNoId": "end"}, MAIL, END)
    some = {"start": StepCounts(enrollments=1), "ask": StepCounts(ways={"yes": 1}), "mail": StepCounts(completed=1)}
    before = values_of(journey, some, rules=1)

    def changed(counts: dict[str, StepCounts], **refusals: int) -> set[str]:
        after = values_of(journey, some | counts, **refusals)
        return {key for key, value in after.items() if key.startswith("part.") and value != before[key]}

    more = {"start": StepCounts(enrollments=9), "ask": StepCounts(ways={"yes": 1, "no": 3})}
    assert changed(more, rules=2) == set()
    assert changed({}, rules=1, paused=1) == {"part.numbers"}
    assert changed({"mail": StepCounts(completed=1, failed=1)}, rules=1) == {"part.graph"}
    assert changed({"ask": StepCounts()}, rules=1) == {"part.graph", "part.steps"}
    assert changed({"start": StepCounts()}, rules=1) == {"part.funnel"}


def test_steps_named_like_numbers_of_the_whole_take_none_of_their_places() -> None:
    names = ("share", "rate", "came", "goal", "completed")
    plain = values_of(make(START, MAIL, END), {})
    odd = values_of(make(START, *map(send, names), END), {name: StepCounts(completed=7) for name in names})
    assert {key: odd[key] for key in ("rate.completed", "came", "goal", "completed")} == {
        key: plain[key] for key in ("rate.completed", "came", "goal", "completed")
    }
