"""What became of those whom a SPLIT sent different ways."""

import pytest

from streams.web.queries import journeys, totals
from streams.web.queries.query import Reader
from streams.web.queries.variants import Outcome, read_trials

ERASED = 3  # customers whose enrolments are gone, but stay counted


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        (
            {"A": (60, 100), "B": (40, 100)},
            ["“A” does better than “B”, 99 % sure: chance rarely makes such a difference."],
        ),
        (
            {"A": (40, 100), "B": (55, 100)},
            ["“B” does better than “A”, 95 % sure: chance rarely makes such a difference."],
        ),
        (
            {"A": (52, 100), "B": (48, 100)},
            ["“A” and “B” do not differ for sure: chance alone may well explain it."],
        ),
        ({"A": (1, 2), "B": (0, 2)}, ["Too few to compare yet."]),
        ({"A": (9, 9), "B": (7, 7)}, ["“A” and “B” are alike so far."]),
        (
            # 96.6 % sure alone, but there are three pairs, one of which may well seem so by chance.
            {"A": (55, 100), "B": (40, 100), "C": (0, 0)},
            [
                "“A” and “B” do not differ for sure: chance alone may well explain it.",
                "“A” and “C”: too few to compare yet.",
                "“B” and “C”: too few to compare yet.",
            ],
        ),
    ],
)
def test_variants_are_compared_in_words(shares: dict[str, tuple[int, int]], verdict: list[str]) -> None:
    assert Outcome("completed", shares).verdict() == verdict


def test_differences_are_told_where_there_is_something_to_compare() -> None:
    ((one, other, gap),) = Outcome("goal", {"A": (56, 70), "B": (48, 80), "C": (0, 0)}).gaps()
    assert (one, other, round(gap.share, 3)) == ("A", "B", 0.2)


@pytest.mark.database
async def test_outcomes_are_those_of_enrolments_that_are_over(reader: Reader) -> None:
    (row,) = (await journeys.list_journeys(reader, journeys.Filter(part="Welcome of"), limit=1)).rows
    journey = await journeys.read_version(reader, row["id"], row["version"])
    assert journey is not None
    (trial,) = await read_trials(reader, row, journey, (await totals.count_version(reader, row["id"], 1)).steps)
    assert sum(trial.entered.values()) == row["total_enrolled"]
    completed = trial.outcomes[0].shares
    assert set(completed) == set(trial.entered)
    assert sum(hits for hits, _ in completed.values()) == row["total_completed"] - ERASED
    assert sum(all_ for _, all_ in completed.values()) == row["total_enrolled"] - totals.still_in(row) - ERASED
