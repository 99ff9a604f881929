"""A journey as a picture: boxes, lines, labels."""

from streams.web.charts.graph import draw, shorten
from streams.web.queries.statistics import Conversions, StepCounts
from tests.web.charts.journeys import ASK, MAIL, START, make


def test_lines_are_as_thick_as_their_flow() -> None:
    counts = {"start": StepCounts(completed=100), "mail": StepCounts(completed=50)}
    first, second = draw(make(START, MAIL), counts).lines
    assert (first.flow.width, second.flow.width) == (12.0, 6.75)


def test_labels_show_the_share_that_went_their_way() -> None:
    journey = make(START, ASK | {"nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"})
    labels = {line.flow.label for line in draw(journey, {"ask": StepCounts(ways={"yes": 3, "no": 1})}).lines}
    assert labels == {"", "yes 75 %", "no 25 %"}


def test_the_goal_exits_and_what_is_followed_stand_below_the_steps() -> None:
    paid, moved = {"eventType": "paid"}, {"eventType": "moved", "set": ["at"]}
    plain = make(START, MAIL)
    heard = make(START, MAIL, exits=[paid, paid | {"name": "gone"}], goal={"events": [paid]}, follow=[moved])
    bare, graph = draw(plain, {}), draw(heard, {}, Conversions(1200, 60))
    assert bare.notes == ()
    assert [(note.kind, note.name, note.count, note.summary) for note in graph.notes] == [
        ("GOAL", "goal", "60 of 1,200", "paid, within 30 days"),
        ("EXIT", "exit 1", "", "paid"),
        ("EXIT", "gone", "", "paid"),
        ("FOLLOW", "moved", "", "at"),
    ]
    assert all(note.y >= bare.height for note in graph.notes)
    assert [(note.x, note.y - bare.height) for note in graph.notes] == [(16, 0), (248, 0), (16, 82), (248, 82)]
    assert (graph.width, graph.height) == (480, bare.height + 82 + 66 + 16)
    assert draw(heard, {}).notes[0].count == ""


def test_a_box_is_as_high_as_its_numbers_need() -> None:
    few, most = StepCounts(completed=1), StepCounts(completed=1, converted=1, skipped=1, failed=1)
    start, mail, end = draw(make(START, MAIL), {"start": few, "mail": most}).boxes
    assert [word for _, word in mail.numbers] == ["now", "done", "goals", "skipped", "failed"]
    assert (start.height, mail.height) == (88, 88 + 2 * 18)
    assert end.y >= mail.y + mail.height


def test_nothing_moves_in_the_picture_when_a_share_grows_longer() -> None:
    journey = make(START, ASK | {"nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"})
    some, all_ = ({"ask": StepCounts(ways={"yes": yes, "no": 10})} for yes in (1, 10_000))

    def place(counts: dict[str, StepCounts]) -> list[tuple[str, float, float]]:
        return [(line.path, line.label_x, line.flow.room) for line in draw(journey, counts).lines]

    assert place(some) == place(all_)


def test_a_long_text_ends_with_dots() -> None:
    assert shorten("Reminder by text", 8) == "Reminde…"
    assert shorten("Reminder", 8) == "Reminder"
