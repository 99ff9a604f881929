"""Checks of those who work: who is there, what nobody has, how far behind they are, and what comes astray."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from models.ids import customer_key
from streams.doctor.finding import Findings, count_of, name_some
from streams.kafka import clients
from streams.kafka.members import list_members
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, DEAD_LETTERS
from streams.settings import Settings
from streams.web.sources.broker import Broker, Part
from streams.web.sources.records import Record

_LATE, _TOO_LATE = timedelta(minutes=1), timedelta(minutes=10)
_SAMPLED = 50  # newest events of each partition of a topic
_FOREIGN_SHARE = 0.05


class _Owner(msgspec.Struct, rename="camel"):
    tenant_id: str
    customer_id: str


async def check_workers(findings: Findings, settings: Settings, broker: Broker, now: datetime) -> None:
    """Note who works, which partitions nobody has, and what waits."""
    await _check_members(findings, settings, broker)
    parts = await broker.parts()
    _check_lag(findings, parts, await broker.oldest_waiting(parts), now)
    _check_history(findings, parts)
    _check_dead_letters(findings, parts)
    samples = {topic: await broker.newest(topic, _SAMPLED) for topic in broker.topics.events}
    check_partitioner(findings, samples, broker.topics.partitions)


async def _check_members(findings: Findings, settings: Settings, broker: Broker) -> None:
    members = await broker.members()
    if not members:
        findings.fail("workers", f"No worker of '{settings.app_id}' runs.", "Start one: fairway worker.")
        return
    owned = {partition for member in members for partition in member.partitions}
    alone = sorted(set(range(broker.topics.partitions)) - owned)
    if alone:
        text = f"{count_of(len(alone), 'partition')} without a worker: {name_some(alone)}."
        findings.fail("workers", text, "They are given out within seconds; if not, see the workers' logs.")
    else:
        text = f"All {broker.topics.partitions} partitions are with {count_of(len(members), 'worker')}."
        findings.ok("workers", text)
    async with clients.admin(settings) as admin:
        forms = {member.form for member in await list_members(admin, settings.app_id)}
    if len(forms) > 1:
        text = f"The workers are of different versions: they read forms {', '.join(map(str, sorted(forms)))}."
        findings.warn("versions", text, "Finish the upgrade; until then journeys may not use what is new.")


def _check_lag(findings: Findings, parts: Sequence[Part], oldest: datetime | None, now: datetime) -> None:
    waiting = sum(part.lag or 0 for part in parts if part.topic != ACTIVITY)
    age = now - oldest if oldest else timedelta()
    text = f"{waiting:,} records wait to be handled, the oldest for {age.total_seconds():,.0f} seconds."
    if age > _TOO_LATE:
        findings.fail("lag", text, "See that workers run and what they log; start more of them.")
    elif age > _LATE:
        findings.warn("lag", text, "Start more workers, if this does not pass by itself.")
    else:
        findings.ok("lag", text)


def _check_history(findings: Findings, parts: Sequence[Part]) -> None:
    waiting = sum(part.lag or 0 for part in parts if part.topic == ACTIVITY)
    if waiting > 100_000:
        text = f"{waiting:,} activity records wait to be written into Postgres."
        findings.warn("history", text, "See that Postgres runs and answers soon; pages show what was before.")


def _check_dead_letters(findings: Findings, parts: Sequence[Part]) -> None:
    kept = sum(part.end - part.begin for part in parts if part.topic == DEAD_LETTERS)
    if kept:
        findings.warn(
            "dead-letters",
            f"Up to {kept:,} dead letters are kept.",
            "See which and why on the page 'Dead letters'.",
        )
    else:
        findings.ok("dead-letters", "There are no dead letters.")


def check_partitioner(findings: Findings, samples: Mapping[str, Sequence[Record]], partitions: int) -> None:
    """Note topics whose newest events lie on other partitions than their customers' state."""
    foreign: list[str] = []
    for topic, records in samples.items():
        known = [(record.partition, key) for record in records if (key := _key_of(record)) is not None]
        astray = sum(partition % partitions != partition_of(key, partitions) for partition, key in known)
        if known and astray / len(known) > _FOREIGN_SHARE:
            foreign.append(f"{topic} ({100 * astray / len(known):.0f} %)")
    if foreign:
        text = f"Events lie on foreign partitions, and each costs a hop more: {', '.join(foreign)}."
        todo = (
            "Let producers key by tenantId:customerId and use the partitioner murmur2_random; see docs/clients.md."
        )
        findings.warn("partitioner", text, todo)
    else:
        findings.ok("partitioner", "The newest events lie where their customers' state is.")


def _key_of(record: Record) -> bytes | None:
    try:
        owner = msgspec.json.decode(record.value or b"", type=_Owner)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return customer_key(owner.tenant_id, owner.customer_id)
