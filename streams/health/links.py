"""What is wrong with Kafka, Postgres, and what goes between them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from streams.health.observation import Cause, Observation, Thresholds
from streams.health.wording import count_of, runbook, span

_STALE = timedelta(seconds=30)


def find_absence(seen: Observation) -> Iterator[Cause]:
    """Yield why what is known is not all, or not of now."""
    yield from _look_at_kafka(seen)
    if seen.looked is not None and seen.at - seen.looked >= _STALE:
        text = f"workers were not asked for {span(seen.at - seen.looked)}; what follows is from then"
        yield Cause("health", "degraded", text, "Ask another worker; see what this one logs.", seen.looked)


def find_arrears(seen: Observation, thresholds: Thresholds) -> Iterator[Cause]:
    """Yield what goes between Kafka and Postgres and does not arrive: history, and changes of journeys."""
    if seen.postgres.away_since is not None:
        behind = f", history is {count_of(seen.unwritten, 'record')} behind" if seen.unwritten else ""
        yield Cause(
            "postgres", "degraded",
            f"Postgres can't be reached for {span(seen.at - seen.postgres.away_since)}{behind}; journeys go on",
            "See that Postgres runs, and that FAIRWAY_DATABASE_URL names it. Until it is back, pages lack history"
            " and authoring waits.",
            seen.postgres.away_since, runbook("FairwayHistoryLag"),
        )  # fmt: skip
    elif seen.unwritten > thresholds.unwritten:
        yield Cause(
            "history", "degraded", f"history is {count_of(seen.unwritten, 'record')} behind; journeys go on",
            "See that Postgres answers soon, and what the workers log: pages show what was before.",
            runbook=runbook("FairwayHistoryLag"),
        )  # fmt: skip
    if seen.unsent:
        yield Cause(
            "outbox", "degraded",
            f"{count_of(seen.unsent, 'change')} of journeys not sent to the workers for more than a minute",
            "Start a worker that reaches both Kafka and Postgres; see what the workers log of the outbox.",
            runbook=runbook("FairwayOutboxStuck"),
        )  # fmt: skip


def _look_at_kafka(seen: Observation) -> Iterator[Cause]:
    if seen.kafka.away_since is not None:
        yield Cause("kafka", "down", _describe_absence(seen, seen.kafka.away_since),
                    "See that the brokers run, and that FAIRWAY_BROKERS names them; workers go on by themselves.",
                    seen.kafka.away_since, runbook("FairwayCommitsSlow"))  # fmt: skip
    elif seen.kafka.answered is None:
        yield Cause("kafka", "degraded", "Kafka has not been looked at yet", "Look again in a few seconds.")


def _describe_absence(seen: Observation, since: datetime) -> str:
    before = "" if seen.kafka.answered is None else "; what is told of partitions is from before"
    return f"Kafka can't be reached for {span(seen.at - since)}{before}"
