"""What can be said of a share, and of two."""

import pytest

from streams.web.queries.statistics import confidence, rate


def test_a_share_has_its_interval() -> None:
    found = rate(8, 10)
    assert found is not None
    assert (found.share, round(found.low, 3), round(found.high, 3)) == (0.8, 0.49, 0.943)
    assert rate(0, 0) is None


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
