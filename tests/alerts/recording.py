"""What workers told at one moment after another, stretched to the time that alerts wait for.

A phase is some minutes long and shown as the workers were at its end: gauges stand, and counters get there evenly.
What is told as an age in seconds is stretched, too: a second that a worker was seen to wait is a minute.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

JOB = {"job": "fairway", "namespace": "golf"}
AGES = {
    f"fairway_{name}_seconds" for name in ("consumer_lag", "definitions_age", "history_lag", "outbox_age")
}  # fmt: skip
_STRETCH = 60
_COUNTED = ("counter", "histogram")
_UP = "up"

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


class Sample(NamedTuple):
    """A number that a worker told, and whether it only counts up."""

    value: float
    is_counter: bool


Moment = dict[Series, Sample]


class Recording:
    """The phases so far. `now` is the minute at which the last one ended."""

    def __init__(self) -> None:
        self.now = 0
        self._lengths: list[int] = []
        self._moments: list[Moment] = []

    def show(self, minutes: int, told: Mapping[str, str | None]) -> int:
        """Add a phase, given what each worker told at its end, None if nothing; return its last minute."""
        moment: Moment = {}
        for worker, text in told.items():
            moment |= read(worker, text)
        self._moments.append(moment)
        self._lengths.append(minutes)
        self.now += minutes
        return self.now - 1

    def series(self) -> Iterator[dict[str, str]]:
        """Yield every series in promtool's notation, a value a minute."""
        names = dict.fromkeys(one for moment in self._moments for one in moment)
        for name, labels in names:
            samples = [moment.get((name, labels)) for moment in self._moments]
            shown = ",".join(f'{label}="{value}"' for label, value in labels)
            yield {"series": f"{name}{{{shown}}}", "values": _write(list(self._values(samples)))}

    def _values(self, samples: Sequence[Sample | None]) -> Iterator[float | None]:
        """Yield a value a minute, None where there is none."""
        for (before, sample), minutes in zip(pairwise([None, *samples]), self._lengths, strict=True):
            for minute in range(1, minutes + 1):
                yield None if sample is None else _between(before, sample, minute / minutes)


def read(worker: str, text: str | None) -> Moment:
    """Return what Prometheus knows of a worker that told this."""
    target = JOB | {"instance": worker}
    found = {(_UP, tuple(target.items())): Sample(float(text is not None), is_counter=False)}
    for family in text_string_to_metric_families(text or ""):
        for one in family.samples:
            value = one.value * _STRETCH if one.name in AGES else one.value
            series = one.name, tuple((target | one.labels).items())
            found[series] = Sample(value, family.type in _COUNTED)
    return found


def _between(before: Sample | None, sample: Sample, share: float) -> float:
    if before is None or not sample.is_counter or before.value > sample.value:
        return sample.value
    return before.value + (sample.value - before.value) * share


def _write(values: Sequence[float | None]) -> str:
    """Write values as runs of the same; where they end, Prometheus notes that they have."""
    written, was_there = [], False
    for value, run in groupby(values):
        length = len(list(run))
        if value is None and was_there:
            written.append("stale")
            length -= 1
        was_there = value is not None
        shown = "_" if value is None else f"{value!r}+0"
        written += [f"{shown}x{length - (value is not None)}"] if length else []
    return " ".join(written)
