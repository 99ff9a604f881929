"""A journey as a picture: boxes, lines, labels."""

from streams.web.charts.graph import draw, shorten
from streams.web.queries.statistics import StepCounts
from tests.web.charts.journeys import ASK, MAIL, START, make


def test_lines_are_as_thick_as_their_flow() -> None:
    counts = {"start": StepCounts(completed=100), "mail": StepCounts(completed=50)}
    first, second = draw(make(START, MAIL), counts).lines
    assert (first.width, second.width) == (12.0, 6.75)


def test_labels_show_the_share_that_went_their_way() -> None:
    journey = make(START, ASK | {"nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"})
    labels = {line.label for line in draw(journey, {"ask": StepCounts(ways={"yes": 3, "no": 1})}).lines}
    assert labels == {"", "yes 75 %", "no 25 %"}


def test_a_long_text_ends_with_dots() -> None:
    assert shorten("Reminder by text", 8) == "Reminde…"
    assert shorten("Reminder", 8) == "Reminder"
