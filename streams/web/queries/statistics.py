"""Counts and shares: what a step has seen, and whether chance explains that two shares differ. Pure."""

from collections.abc import Mapping
from math import erf, sqrt

import msgspec


class StepCounts(msgspec.Struct, frozen=True):
    """What a step has seen: visits, but for `enrollments` that came at all and those that are `inside` now.

    `ways` counts the visits that left a SPLIT or CONDITION by each way, `drawn` the enrolments of each variant.
    """

    entered: int = 0
    enrollments: int = 0
    inside: int = 0
    completed: int = 0
    skipped: int = 0
    failed: int = 0
    ways: Mapping[str, int] = {}
    drawn: Mapping[str, int] = {}

    @property
    def laps(self) -> float:
        """How often an enrolment that came here was here, on average; 1 without a loop."""
        return self.entered / self.enrollments if self.enrollments else 1.0


class Rate(msgspec.Struct, frozen=True):
    """A share of a sample, with its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float


def rate(hits: int, all_: int) -> Rate | None:
    """Return what share the hits are, and where the true one lies in 95 of 100 cases; None of nothing."""
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
