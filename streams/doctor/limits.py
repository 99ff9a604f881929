"""Checks of what topics take and keep: sizes, cleanup and retention, held against what Fairway writes."""

from collections.abc import Iterator, Mapping

from models.limits import EVENT_BYTES, JOURNEY_BYTES
from streams.doctor.finding import Findings
from streams.kafka.limits import AROUND, KAFKA_DEFAULT, spare
from streams.kafka.provision import Found
from streams.kafka.topics import DEFINITIONS, PROFILE_UPDATES, Topic, Topics
from streams.state.rocksdb import OLDEST

_DAY_MS = 86_400_000
_TOMBSTONE_MS = 2 * int(OLDEST.total_seconds() * 1000)
_ERASED_MS = 31 * _DAY_MS
_TODO = "Set it in topics.yaml, and run 'fairway topics apply'."


def check_limits(findings: Findings, topics: Topics, found: Mapping[str, Found]) -> None:
    """Note what topics take or keep too little of, and how they clean up; those that don't tell are passed over."""
    told = {name: one for name, one in found.items() if one.configs}
    known = [(topic, told[topic.name]) for topic in topics.all if topic.name in told]
    problems = [one for topic, there in known for one in _find_problems(topic, there, topics.changelog)]
    warnings = [one for topic, there in known for one in _find_warnings(topic, there, topics.changelog)]
    for text in problems:
        findings.fail("limits", text, _TODO)
    for text in warnings:
        findings.warn("limits", text, _TODO)
    if known and not problems and not warnings:
        findings.ok("limits", f"Sizes, retention and cleanup of {len(known)} topics suffice.")


def _find_problems(topic: Topic, found: Found, changelog: str) -> Iterator[str]:
    name, policy = topic.name, found.configs.get("cleanup.policy", "delete")
    size, needs = _number(found, "max.message.bytes", KAFKA_DEFAULT), _needed_bytes(topic)
    if size < needs:
        what = "a journey" if name == DEFINITIONS else "an event, and what comes of it,"
        yield f"'{name}' takes {size:,} bytes at once (max.message.bytes): {what} may need {needs:,}."
    if topic.role == "compacted" and policy != "compact":
        yield f"'{name}' has cleanup.policy {policy}: rows would be lost by age; it must be compact."
    if topic.role != "compacted" and "compact" in policy:
        yield f"'{name}' has cleanup.policy {policy}: of each key all records but the newest would be lost."
    if name == changelog and _number(found, "delete.retention.ms", _DAY_MS) < _TOMBSTONE_MS:
        kept = _number(found, "delete.retention.ms", _DAY_MS)
        yield f"'{name}' has delete.retention.ms {kept}: stores need {_TOMBSTONE_MS}, or those erased come back."
    if (copies := _number(found, "min.insync.replicas", 1)) > found.replication:
        yield f"'{name}' has min.insync.replicas {copies}, but {found.replication} copies: it takes no writes."


def _needed_bytes(topic: Topic) -> int:
    """Return how many bytes the topic should take at once, for the largest that Fairway lets in."""
    record = (JOURNEY_BYTES if topic.name == DEFINITIONS else EVENT_BYTES) + AROUND
    return record + spare(record) + 1


def _find_warnings(topic: Topic, found: Found, changelog: str) -> Iterator[str]:
    name, is_kept = topic.name, topic.role != "compacted" and topic.name != PROFILE_UPDATES
    kept = _number(found, "retention.ms", 7 * _DAY_MS)
    if is_kept and 0 <= kept < _DAY_MS:
        yield f"'{name}' keeps records for {kept} ms (retention.ms): who is away for a day misses some."
    if is_kept and (size := _number(found, "retention.bytes", -1)) >= 0:
        yield f"'{name}' keeps {size:,} bytes of a partition (retention.bytes): a flood drives out what waits."
    lag = _number(found, "max.compaction.lag.ms", 2**63 - 1)
    if name == changelog and lag > _ERASED_MS:
        yield f"'{name}' has max.compaction.lag.ms {lag}: what was erased of a customer may stay for longer."
    if found.replication > 2 and _number(found, "min.insync.replicas", 1) == 1:
        yield f"'{name}' has {found.replication} copies, but min.insync.replicas 1: a broker's end may lose some."


def _number(found: Found, name: str, default: int) -> int:
    return int(found.configs.get(name) or default)
