"""What a journey's graph consists of: links, and steps in a few words."""

from streams.web.charts.outline import IMPLIED_END, Link, find_links, summarize
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


def test_steps_are_summarized_in_a_few_words() -> None:
    wait = {
        "id": "w",
        "type": "WAIT",
        "config": {"duration": "1 day", "until": {"time": "09:00", "weekdays": ["MON"]}},
    }
    split = {"id": "s", "type": "SPLIT", "config": {"variants": ["A", "B"], "weights": [1, 3]}}
    update = {"id": "u", "type": "UPDATE", "config": {"field": "tier", "value": "Gold"}}
    journey = make(START, MAIL, ASK, wait, split, update, {"type": "END"})
    assert [summarize(step) for step in journey.steps] == [
        "by hand",
        "EMAIL · hello",
        "tier equals Gold",
        "1 day and until 09:00 on MON",
        "A 25 % · B 75 %",
        "set tier",
        "the journey is completed",
    ]
