"""A journey as a picture: boxes, lines, labels."""

from streams.web.charts.graph import draw, shorten
from streams.web.queries.statistics import Conversions, StepCounts
from tests.web.charts.journeys import ASK, MAIL, START, make


def test_lines_are_as_thick_as_their_flow() -> None:
    counts = {"start": StepCounts(completed=100), "mail": StepCounts(completed=50)}
    first, second = draw(make(START, MAIL), counts).lines
    assert (first.width, second.width) == (12.0, 6.75)


def test_labels_show_the_share_that_went_their_way() -> None:
    journey = make(START, ASK | {"nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"})
    labels = {line.label for line in draw(journey, {"ask": StepCounts(ways={"yes": 3, "no": 1})}).lines}
    assert labels == {"", "yes 75 %", "no 25 %"}


def test_the_goal_exits_and_what_is_followed_stand_below_the_steps() -> None:
    paid, moved = {"eventType": "paid"}, {"eventType": "moved", "set": ["at"]}
    plain = make(START, MAIL)
    heard = make(START, MAIL, exits=[paid, paid | {"name": "gone"}], goal={"events": [paid]}, follow=[moved])
    bare, graph = draw(plain, {}), draw(heard, {}, Conversions(1200, 60))
    assert bare.notes == ()
    assert [(note.kind, note.name, note.summary) for note in graph.notes] == [
        ("GOAL", "goal: 60 of 1,200", "paid, within 30 days"),
        ("EXIT", "exit 1", "paid"),
        ("EXIT", "gone", "paid"),
        ("FOLLOW", "moved", "at"),
    ]
    assert all(note.y >= bare.height for note in graph.notes)
    assert [(note.x, note.y - bare.height) for note in graph.notes] == [(16, 0), (248, 0), (16, 82), (248, 82)]
    assert (graph.width, graph.height) == (480, bare.height + 82 + 66 + 16)
    assert draw(heard, {}).notes[0].name == "goal"


def test_a_long_text_ends_with_dots() -> None:
    assert shorten("Reminder by text", 8) == "Reminde…"
    assert shorten("Reminder", 8) == "Reminder"
