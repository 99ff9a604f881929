"""Check of what comes in: whether it lies where its customers' state is."""

from collections.abc import Mapping, Sequence

import msgspec

from models.ids import customer_key
from streams.doctor.finding import Findings
from streams.kafka.partitioner import partition_of
from streams.web.sources.broker import Broker
from streams.web.sources.records import Record

_SAMPLED = 50  # newest events of each partition of a topic
_FOREIGN_SHARE = 0.05


class _Owner(msgspec.Struct, rename="camel"):
    tenant_id: str
    customer_id: str


async def check_incoming(findings: Findings, broker: Broker) -> None:
    """Note what comes astray."""
    samples = {topic: await broker.newest(topic, _SAMPLED) for topic in broker.topics.events}
    check_partitioner(findings, samples, broker.topics.partitions)


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
