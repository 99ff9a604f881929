"""What a journey's graph consists of: links, and steps in a few words."""

import pytest

from streams.web.charts.outline import IMPLIED_END, Link, find_links, name_ways, summarize
from streams.web.queries.statistics import StepCounts
from tests.web.charts.journeys import ASK, MAIL, START, make


def test_R15_a_step_leads_to_the_next_and_the_last_to_an_implied_end() -> None:
    assert find_links(make(START, MAIL), {}) == [Link("start", "mail"), Link("mail", IMPLIED_END)]


def test_an_end_leads_nowhere() -> None:
    assert find_links(make(START, {"id": "end", "type": "END"}), {}) == [Link("start", "end")]


def test_a_condition_leads_two_ways_with_what_went_there() -> None:
    journey = make(
        START, ASK | {"nextStepYesId": "mail", "nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"}
    )
    links = find_links(journey, {"ask": StepCounts(completed=10, ways={"yes": 7, "no": 3})})
    assert Link("ask", "mail", "yes", 7) in links
    assert Link("ask", "end", "no", 3) in links


def test_two_ways_to_one_step_are_one_link() -> None:
    links = find_links(make(START, ASK, MAIL), {"ask": StepCounts(ways={"yes": 7, "no": 3})})
    assert links[1] == Link("ask", "mail", "yes · no", 10)


PAID, OPENED = {"eventType": "paid"}, {"eventType": "opened"}
RULE = {"field": "tier", "operator": "isNull"}


def listen(**config: object) -> dict[str, object]:
    ways = {"nextStepYesId": "mail", "nextStepNoId": "end"}
    return {"id": "wait", "type": "WAIT", "config": {"duration": "1 day"} | config} | ways


@pytest.mark.parametrize(
    ("config", "links", "ways"),
    [
        ({"events": [PAID, OPENED]}, [("mail", "came", 5), ("end", "time over", 4)], {"came": 5, "time over": 4}),
        (
            {"rules": [RULE]},
            [("mail", "rules hold", 7), ("end", "time over", 4)],
            {"rules hold": 7, "time over": 4},
        ),
        (
            {"events": [PAID, OPENED | {"nextStepId": "end"}], "rules": [RULE]},
            [("end", "opened · time over", 7), ("mail", "came", 9)],
            {"opened": 3, "came": 9, "time over": 4},
        ),
        (
            {"events": [PAID | {"nextStepId": "start"}, OPENED | {"nextStepId": "mail"}]},
            [("start", "paid", 2), ("mail", "opened", 3), ("end", "time over", 4)],
            {"paid": 2, "opened": 3, "time over": 4},
        ),
    ],
)
def test_R34_a_wait_with_events_or_rules_leads_on_when_it_came_and_when_its_time_is_over(
    config: dict[str, object], links: list[tuple[str, str, int]], ways: dict[str, int]
) -> None:
    journey = make(START, listen(**config), MAIL, {"id": "end", "type": "END"})
    counted = {"event 1": 2, "event 2": 3, "rules": 7, "yes": 12, "no": 4}
    counts = StepCounts(completed=16, ways=counted)
    found = [link for link in find_links(journey, {"wait": counts}) if link.start == "wait"]
    assert [(link.end, link.label, link.flow) for link in found] == links
    assert name_ways(journey.steps[1], counts) == ways


def test_ways_of_other_steps_have_the_names_that_they_are_counted_by() -> None:
    journey = make(START, ASK, MAIL)
    assert name_ways(journey.steps[1], StepCounts(ways={"yes": 7})) == {"yes": 7, "no": 0}
    assert name_ways(journey.steps[2], StepCounts(completed=7)) == {}


def test_steps_are_summarized_in_a_few_words() -> None:
    wait = {
        "id": "w",
        "type": "WAIT",
        "config": {"duration": "1 day", "until": {"time": "09:00", "weekdays": ["MON"]}},
    }
    split = {"id": "s", "type": "SPLIT", "config": {"variants": ["A", "B"], "weights": [1, 3]}}
    update = {"id": "u", "type": "UPDATE", "config": {"field": "tier", "value": "Gold"}}
    journey = make(START, MAIL, ASK, wait, split, update, {"type": "END"})
    assert [summarize(step, "teetime.booked") for step in journey.steps] == [
        "teetime.booked",
        "EMAIL · hello",
        "tier equals Gold",
        "1 day and until 09:00 on MON",
        "A 25 % · B 75 %",
        "set tier",
        "the journey is completed",
    ]
    assert summarize(journey.steps[0], "MANUAL") == "by hand"
