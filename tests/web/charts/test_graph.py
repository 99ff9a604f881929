"""A journey as a picture: its links, their labels and flows."""

from models.journey import Journey
from streams.web.charts.graph import draw, shorten
from streams.web.charts.outline import IMPLIED_END, Counts, Link, find_links, summarize


def make(*steps: dict[str, object]) -> Journey:
    return Journey.model_validate({"tenantId": "t", "name": "j", "triggerType": "e", "steps": list(steps)})


START = {"id": "start", "type": "TRIGGER"}
MAIL = {"id": "mail", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}}
ASK = {
    "id": "ask",
    "type": "CONDITION",
    "config": {"rules": [{"field": "tier", "operator": "equals", "value": "Gold"}]},
}


def test_R15_a_step_leads_to_the_next_and_the_last_to_an_implied_end() -> None:
    assert find_links(make(START, MAIL), {}) == [Link("start", "mail"), Link("mail", IMPLIED_END)]


def test_an_end_leads_nowhere() -> None:
    assert find_links(make(START, {"id": "end", "type": "END"}), {}) == [Link("start", "end")]


def test_a_condition_leads_two_ways_with_what_went_there() -> None:
    journey = make(
        START, ASK | {"nextStepYesId": "mail", "nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"}
    )
    links = find_links(journey, {"ask": Counts(completed=10, ways={"yes": 7, "no": 3})})
    assert Link("ask", "mail", "yes", 7) in links
    assert Link("ask", "end", "no", 3) in links


def test_two_ways_to_one_step_are_one_link() -> None:
    links = find_links(make(START, ASK, MAIL), {"ask": Counts(ways={"yes": 7, "no": 3})})
    assert links[1] == Link("ask", "mail", "yes · no", 10)


def test_lines_are_as_thick_as_their_flow() -> None:
    counts = {"start": Counts(completed=100), "mail": Counts(completed=50)}
    first, second = draw(make(START, MAIL), counts).lines
    assert (first.width, second.width) == (12.0, 6.75)


def test_labels_tell_the_share_that_went_their_way() -> None:
    journey = make(START, ASK | {"nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"})
    labels = {line.label for line in draw(journey, {"ask": Counts(ways={"yes": 3, "no": 1})}).lines}
    assert labels == {"", "yes 75 %", "no 25 %"}


def test_steps_are_told_in_a_few_words() -> None:
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


def test_a_long_text_ends_with_dots() -> None:
    assert shorten("Reminder by text", 8) == "Reminde…"
    assert shorten("Reminder", 8) == "Reminder"
