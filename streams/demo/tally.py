"""What the demo counts while it reads along: entered, refused, commands, dead letters, latency."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from an event's publishing to its command in a consumer's hands."""

    p50: float | None
    p99: float | None


class CommandCount(msgspec.Struct, frozen=True):
    """How many customers were sent one template, by the variants that led to it."""

    channel: str
    template: str
    variants: str
    count: int


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    """The demo's result; `finished` says whether everybody who entered has also left.

    `goals` are those that enrolments reached, by name, `moved` the waits that were planned anew.
    """

    events: int
    entered: int
    goals: dict[str, int]
    moved: int
    refused: int
    refused_by_reason: dict[str, int]
    commands: int
    commands_by_template: tuple[CommandCount, ...]
    duplicate_commands: int
    dead_letters: int
    dead_letters_by_code: dict[str, int]
    latency_ms: Latency
    finished: bool


class Tally:
    """Counts committed records; times are seconds on one steady clock."""

    def __init__(self) -> None:
        self.events = 0
        self.open: set[str] = set()
        self.entered = 0
        self.goals: Counter[str] = Counter()
        self.moved = 0
        self.refused: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self._published: dict[str, float] = {}
        self._received: dict[str, float] = {}
        self._causes: dict[str, str] = {}
        self._templates: Counter[tuple[str, str, str]] = Counter()
        self._repeated = 0

    def publish(self, event_id: str, at: float) -> None:
        """Count an event; said twice, its first time counts."""
        self.events += 1
        self._published.setdefault(event_id, at)

    def receive_command(self, command: Mapping[str, Any], at: float) -> bool:
        """Count a send command; say whether it is new."""
        if command["commandId"] in self._received:
            self._repeated += 1
            return False
        self._received[command["commandId"]] = at
        variants = " ".join(f"{split}={variant}" for split, variant in command["variants"].items())
        self._templates[command["channel"], command["templateId"], variants] += 1
        return True

    def receive_activity(self, activity: Mapping[str, Any]) -> None:
        """Count what happened to enrolments, and note which event led to which command."""
        cause = activity["cause"]
        for entry in activity["entries"]:
            match entry["type"]:
                case "enrollment.started":
                    self.entered += 1
                    self.open.add(entry["enrollmentId"])
                case "goal.reached":
                    self.goals[entry["goal"]] += 1
                case "step.replanned":
                    self.moved += 1
                case "enrollment.refused":
                    self.refused[entry["reason"]] += 1
                case "enrollment.completed" | "enrollment.exited" | "enrollment.failed":
                    self.open.discard(entry["enrollmentId"])
                case "step.completed" if cause["kind"] == "event" and entry["result"].get("sent"):
                    self._causes[entry["result"]["messageId"]] = cause["eventId"]
                case _:
                    pass

    def receive_dead_letter(self, code: str) -> None:
        """Count input that could not be used."""
        self.dead_letters[code] += 1

    def summarize(self) -> Summary:
        """Return the counts so far."""
        return Summary(
            events=self.events,
            entered=self.entered,
            goals=dict(self.goals),
            moved=self.moved,
            refused=self.refused.total(),
            refused_by_reason=dict(self.refused),
            commands=len(self._received),
            commands_by_template=tuple(CommandCount(*key, n) for key, n in sorted(self._templates.items())),
            duplicate_commands=self._repeated,
            dead_letters=self.dead_letters.total(),
            dead_letters_by_code=dict(self.dead_letters),
            latency_ms=self._measure(),
            finished=not self.open,
        )

    def _measure(self) -> Latency:
        """Measure commands that an event led to at once; those after a wait have no moment to measure from."""
        answered = [(command, event) for command, event in self._causes.items() if command in self._received]
        times = sorted(1000 * (self._received[c] - self._published[e]) for c, e in answered if e in self._published)
        return Latency(_quantile(times, 0.5), _quantile(times, 0.99))


def _quantile(times: list[float], share: float) -> float | None:
    return round(times[min(len(times) - 1, int(share * len(times)))], 1) if times else None
