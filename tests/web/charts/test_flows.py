"""What goes each way of a journey, and how it is told."""

from streams.web.charts.flows import find_flows
from streams.web.queries.statistics import StepCounts
from tests.web.charts.journeys import ASK, MAIL, START, make

JOURNEY = make(START, ASK | {"nextStepNoId": "end"}, MAIL, {"id": "end", "type": "END"})


def test_a_flow_says_how_often_its_way_was_taken_and_by_which_share() -> None:
    counts = {"start": StepCounts(completed=4_000), "ask": StepCounts(ways={"yes": 3_000, "no": 1_000})}
    first, yes, no, last = find_flows(JOURNEY, counts)
    assert (first.sentence, first.label, first.share) == ("4,000 times from start to ask", "", None)
    assert (yes.sentence, yes.label, yes.share) == ("3,000 times from ask to mail, way yes", "yes 75 %", 0.75)
    assert (no.sentence, no.label, no.share) == ("1,000 times from ask to end, way no", "no 25 %", 0.25)
    assert (first.width, last.width) == (12.0, 1.5)


def test_where_nobody_went_a_label_is_its_name_alone_with_room_for_any_share() -> None:
    nobody, everybody = find_flows(JOURNEY, {})[1], find_flows(JOURNEY, {"ask": StepCounts(ways={"yes": 1})})[1]
    assert (nobody.label, nobody.share, everybody.label) == ("yes", None, "yes 100 %")
    assert nobody.room == everybody.room > 0


def test_a_journey_without_an_end_leads_to_one() -> None:
    assert find_flows(make(START, MAIL), {})[-1].sentence == "0 times from mail to the end"
