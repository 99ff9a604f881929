"""Counts and shares: what a step has seen, and whether chance explains that two shares differ. Pure."""

from collections.abc import Mapping
from math import erf, sqrt

import msgspec


class Conversions(msgspec.Struct, frozen=True):
    """How many enrolments there were, and how many of them reached the goal."""

    enrollments: int = 0
    converted: int = 0

    @property
    def rate(self) -> "Rate | None":
        """Which share reached the goal, with its interval."""
        return rate(self.converted, self.enrollments)


class StepCounts(msgspec.Struct, frozen=True):
    """What a step has seen: visits, but for `enrollments` that came at all and those that are `inside` now.

    `ways` counts the visits that left a SPLIT, CONDITION or WAIT by each way. `converted` counts goals that a SEND
    was the last command before, `conversions` the enrolments that got each variant of a SPLIT, and their goals.
    """

    entered: int = 0
    enrollments: int = 0
    inside: int = 0
    completed: int = 0
    skipped: int = 0
    failed: int = 0
    converted: int = 0
    ways: Mapping[str, int] = {}
    conversions: Mapping[str, Conversions] = {}

    @property
    def laps(self) -> float:
        """How often an enrolment that came here was here, on average; 1 without a loop."""
        return self.entered / self.enrollments if self.enrollments else 1.0


class Rate(msgspec.Struct, frozen=True):
    """A share of a sample, or the difference of two, with its 95 % interval."""

    share: float
    low: float
    high: float


def rate(hits: int, all_: int) -> Rate | None:
    """Return what share the hits are, and where the true one lies in 95 of 100 cases; None of nothing (Wilson)."""
    if not all_:
        return None
    z, share = 1.96, hits / all_
    middle = (share + z * z / (2 * all_)) / (1 + z * z / all_)
    reach = z * sqrt(share * (1 - share) / all_ + z * z / (4 * all_ * all_)) / (1 + z * z / all_)
    return Rate(share, max(0.0, middle - reach), min(1.0, middle + reach))


def confidence(first: tuple[int, int], second: tuple[int, int]) -> float | None:
    """Return how sure it is, 0 to 1, that two shares (hits, all) differ (two-proportion z test); None: too few."""
    (hits1, all1), (hits2, all2) = first, second
    if not all1 or not all2:
        return None
    pooled = (hits1 + hits2) / (all1 + all2)
    if hits1 * all2 == hits2 * all1:
        return 0.0
    if min(all1, all2) * min(pooled, 1 - pooled) < 5:
        return None
    spread = sqrt(pooled * (1 - pooled) * (1 / all1 + 1 / all2))
    return erf(abs(hits1 / all1 - hits2 / all2) / spread / sqrt(2))


def difference(first: tuple[int, int], second: tuple[int, int]) -> Rate | None:
    """Return by how much the first share (hits, all) is larger, with its 95 % interval (Newcombe's hybrid)."""
    one, other = rate(*first), rate(*second)
    if one is None or other is None:
        return None
    share = one.share - other.share
    below = sqrt((one.share - one.low) ** 2 + (other.high - other.share) ** 2)
    above = sqrt((one.high - one.share) ** 2 + (other.share - other.low) ** 2)
    return Rate(share, share - below, share + above)
