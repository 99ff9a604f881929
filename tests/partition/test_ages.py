"""A histogram of ages: what prometheus_client's own tells of the same values, for many moments at once."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streams.partition.ages import AgeHistogram
from tests.partition.model import START

BOUNDS = (0.025, 0.5, 1, 60, 86_400)
_ages = st.one_of(st.sampled_from((0.0, 0.025, 0.5, 1.0, 60.0, 86_400.0)), st.floats(-5, 1e6))


def sample_lines(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


@given(st.lists(st.lists(_ages, max_size=9), max_size=3))
def test_it_tells_what_a_histogram_of_each_age_tells(commits: list[list[float]]) -> None:
    registry, expected = CollectorRegistry(), CollectorRegistry()
    ages = AgeHistogram("ages", "How old.", BOUNDS, registry)
    histogram = Histogram("ages", "How old.", buckets=BOUNDS, registry=expected)
    for commit in commits:
        moments = [START - timedelta(seconds=age) for age in commit]
        ages.observe_all(moments, START)
        for moment in moments:
            histogram.observe(max(0.0, (START - moment).total_seconds()))
    *counts, total = (line.rpartition(" ") for line in sample_lines(registry))
    *expected_counts, expected_total = (line.rpartition(" ") for line in sample_lines(expected))
    assert counts == expected_counts
    assert total[0] == expected_total[0]
    assert abs(float(total[2]) - float(expected_total[2])) < 1e-3
