"""What the API gives of journeys: shares are of those who entered."""

from streams.web.api.journey_shapes import StepStatistics
from streams.web.queries.statistics import StepCounts


def test_a_step_s_share_is_of_those_who_entered() -> None:
    counts = StepCounts(entered=9, enrollments=3, completed=2, ways={"yes": 2})
    assert StepStatistics.of("s", 1, "SEND", counts, 4).share == 0.75
    assert StepStatistics.of("s", 1, "SEND", counts, 0).share == 0.0
