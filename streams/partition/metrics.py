"""What partitions have done, for Prometheus: gathered in a transaction, and counted when it is committed.

Gathering is a few additions to dictionaries; what a counter itself costs is paid once a commit.
"""

from collections import Counter as Counted
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import get_args

from prometheus_client import Counter, Histogram

from streams.engine.effects import Activity, Command
from streams.engine.entries import (
    EnrollmentCompleted,
    EnrollmentExited,
    EnrollmentFailed,
    EnrollmentRefused,
    EnrollmentStarted,
    GoalReached,
)
from streams.engine.payload import Code
from streams.kafka.records import Headers
from streams.partition.ages import AgeHistogram
from streams.partition.outputs import Emitted

_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400)
_CHANNELS = 50  # authors name channels as they like; those beyond are counted as "other"

EVENTS = Counter(
    "fairway_events_total",
    "Event records handled, by topic and result: used, ignored (no journey wants it), foreign (sent on to the "
    "partition of its customer), dead-letter.",
    ["topic", "result"],
)
EVENT_AGE = AgeHistogram(
    "fairway_event_age_seconds",
    "From when an event occurred to the commit of what came of it; the oldest of each slice of up to 200 events.",
    _LONG,
)
COMMANDS = Counter("fairway_commands_total", "Send commands committed.", ["channel"])
COMMIT = Histogram("fairway_commit_seconds", "How long a commit took, from its start to the store.", buckets=_SHORT)
ENROLLMENTS = Counter(
    "fairway_enrollments_total",
    "Enrolments that started, completed, exited, failed or reached the goal.",
    ["result"],
)
REFUSALS = Counter("fairway_refusals_total", "Entries refused.", ["reason"])
DEAD_LETTERS = Counter("fairway_dead_letters_total", "Inputs that were put aside.", ["code"])
FOREIGN = Counter(
    "fairway_foreign_events_total", "Events that lay on another partition than their customer, and cost a hop more."
)
WAIT_DELAY = AgeHistogram(
    "fairway_wait_delay_seconds", "From when a wait was due to the commit of what it led to.", _LONG
)
HELD = Counter(
    "fairway_sends_held_total",
    "Times that a SEND was held, for more commands were to leave than FAIRWAY_MAX_SENDS lets.",
    ["channel"],
)
LOSSES = Counter(
    "fairway_partition_losses_total",
    "Partitions that had to be opened anew: fenced (another worker took over), unknown (the outcome of a commit), "
    "store (its files can't be used).",
    ["reason"],
)
TRACED_INPUTS = Counter(
    "fairway_traced_inputs_total",
    "Inputs of traces that are sampled: traced, or passed-over where a worker had more than 200 in a second.",
    ["result"],
)
ALL = (
    EVENTS, EVENT_AGE, COMMANDS, COMMIT, ENROLLMENTS, REFUSALS, DEAD_LETTERS, FOREIGN, WAIT_DELAY, HELD, LOSSES,
    TRACED_INPUTS,
)  # fmt: skip

_RESULTS: dict[type, str] = {
    EnrollmentStarted: "started",
    EnrollmentCompleted: "completed",
    EnrollmentExited: "exited",
    EnrollmentFailed: "failed",
    GoalReached: "goal",
}
# Told as 0 from the start: Prometheus sees no increase in what begins with 1.
for _counter, _values in (
    (DEAD_LETTERS, get_args(Code)), (ENROLLMENTS, _RESULTS.values()), (LOSSES, ("fenced", "unknown", "store")),
):  # fmt: skip
    for _value in _values:
        _counter.labels(_value)

_seen_channels: set[str] = set()


class Tally:
    """What one transaction has done so far."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], int] = {}
        self._entries: list[type] = []
        self._refusals: list[str] = []
        self._channels: list[str] = []
        self._occurred: list[datetime] = []
        self._due: list[datetime] = []
        self._held: list[str] = []

    def note_events(self, topic: str, result: str, number: int = 1) -> None:
        """Note that records of a topic were handled."""
        if number:
            self._events[topic, result] = self._events.get((topic, result), 0) + number

    def note_age(self, occurred: datetime) -> None:
        """Note when an event occurred that is used."""
        self._occurred.append(occurred)

    def note_fired(self, due: Iterable[datetime]) -> None:
        """Note when waits were due that have fired."""
        self._due += due

    def note_held(self, channels: Iterable[str]) -> None:
        """Note the channels of SENDs that are held."""
        self._held += channels

    def note_effects(self, effects: Sequence[tuple[bytes, Sequence[Emitted]]]) -> None:
        """Note what came of inputs: of what there are several an input, only the types, at C's speed."""
        activities = [effect.entries for _, group in effects for effect in group if type(effect) is Activity]
        kinds = list(map(type, chain.from_iterable(activities)))
        self._entries += kinds
        if EnrollmentRefused in kinds:
            entries = chain.from_iterable(activities)
            self._refusals += [entry.reason for entry in entries if isinstance(entry, EnrollmentRefused)]
        self._channels += [
            effect.value.channel for _, group in effects for effect in group if type(effect) is Command
        ]

    def note_letter(self, code: str, headers: Headers) -> None:
        """Count a dead letter that is committed; `headers` are those that it went out with."""
        DEAD_LETTERS.labels(code).inc()

    def count(self, started: datetime, committed: datetime) -> None:
        """Count all of it, now that it is committed."""
        COMMIT.observe((committed - started).total_seconds())
        for (topic, result), number in self._events.items():
            EVENTS.labels(topic, result).inc(number)
            if result == "foreign":
                FOREIGN.inc(number)
        for kind, number in Counted(self._entries).items():
            if kind in _RESULTS:
                ENROLLMENTS.labels(_RESULTS[kind]).inc(number)
        for reason, number in Counted(self._refusals).items():
            REFUSALS.labels(reason).inc(number)
        for channels, counter in ((self._channels, COMMANDS), (self._held, HELD)):
            for channel, number in Counted(channels).items():
                counter.labels(_bounded(channel)).inc(number)
        EVENT_AGE.observe_all(self._occurred, committed)
        WAIT_DELAY.observe_all(self._due, committed)


def _bounded(channel: str) -> str:
    if channel not in _seen_channels and len(_seen_channels) < _CHANNELS:
        _seen_channels.add(channel)
    return channel if channel in _seen_channels else "other"
