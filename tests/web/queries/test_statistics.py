"""What can be said of a share, and of two."""

import pytest

from streams.web.queries.statistics import Conversions, confidence, difference, rate


def test_a_share_has_its_interval() -> None:
    found = rate(8, 10)
    assert found is not None
    assert (found.share, round(found.low, 3), round(found.high, 3)) == (0.8, 0.49, 0.943)
    assert rate(0, 0) is None


def test_conversions_have_their_rate() -> None:
    assert Conversions(10, 8).rate == rate(8, 10)
    assert Conversions().rate is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10
        ((56, 70), (48, 80), (0.2, 0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.6, 0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.5714, 0.0582, 0.8062)),
        ((5, 56), (0, 29), (0.0893, -0.0381, 0.1926)),
        ((0, 10), (0, 20), (0.0, -0.1611, 0.2775)),
        ((0, 10), (0, 10), (0.0, -0.2775, 0.2775)),
        ((10, 10), (0, 20), (1.0, 0.6791, 1.0)),
        ((10, 10), (0, 10), (1.0, 0.6075, 1.0)),
    ],
)
def test_the_difference_of_two_shares_has_its_interval(
    first: tuple[int, int], second: tuple[int, int], expected: tuple[float, float, float]
) -> None:
    found = difference(first, second)
    assert found is not None
    assert (found.share, found.low, found.high) == pytest.approx(expected, abs=0.0001)
    assert difference(first, (0, 0)) is None


@pytest.mark.parametrize(
    ("first", "second", "sure"),
    [
        ((60, 100), (40, 100), 0.9953),  # z = 2.828
        ((52, 100), (48, 100), 0.4284),  # z = 0.566
        ((200, 1000), (250, 1000), 0.9926),  # z = 2.677
        ((49, 100), (49, 100), 0.0),
        ((100, 100), (50, 50), 0.0),  # all of both: nothing differs
        ((3, 4), (1, 4), None),
        ((99, 100), (97, 100), None),  # too few that did not
        ((0, 0), (5, 10), None),
    ],
)
def test_how_sure_it_is_that_two_shares_differ(
    first: tuple[int, int], second: tuple[int, int], sure: float | None
) -> None:
    found = confidence(first, second)
    assert (None if found is None else round(found, 4)) == sure
