"""All checks, each for itself: one that can't be made does not keep the others from being made."""

from aiokafka.errors import KafkaError

from streams.clock import now
from streams.doctor.brokers import check_kafka
from streams.doctor.dead_letters import check_dead_letters
from streams.doctor.finding import Finding, Findings
from streams.doctor.health import check_health
from streams.doctor.history import check_postgres
from streams.doctor.incoming import check_incoming
from streams.doctor.machine import check_disk, check_settings
from streams.errors import FairwayError
from streams.kafka.roles import Role
from streams.settings import Settings
from streams.web.sources.broker import Broker


async def examine(settings: Settings, role: Role = Role.WORKER) -> list[Finding]:
    """Return what every check finds, in the order in which an operator would look; `role` says who we are."""
    findings = Findings()
    topics = check_settings(findings, settings)
    is_usable = await check_kafka(findings, settings, topics, role)
    if is_usable and topics is not None:
        broker = Broker(settings, topics)
        try:
            with findings.checking("health", KafkaError, FairwayError):
                await check_health(findings, settings, broker, now())
            with findings.checking("incoming", KafkaError, FairwayError):
                await check_incoming(findings, broker)
            with findings.checking("dead-letters", KafkaError, FairwayError):
                await check_dead_letters(findings, settings, topics)
        finally:
            await broker.close()
    await check_postgres(findings, settings)
    with findings.checking("disk", OSError):
        check_disk(findings, settings)
    return findings.all
