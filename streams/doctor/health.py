"""Whether all is well, as the workers judge it; where none of them can be asked, by what Kafka alone says."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from streams.doctor.finding import Findings
from streams.health.judgement import judge
from streams.health.memory import Memory
from streams.health.observation import Cause, Judgement, Link, Observation, Report
from streams.health.wording import count_of
from streams.kafka import clients
from streams.kafka.members import Member, list_members, own_of_state
from streams.settings import Settings
from streams.web.sources.broker import Broker, Part
from streams.web.sources.reports import ask_report, make_client
from streams.web.sources.samples import Sample, measure_waiting
from streams.web.sources.watch import read_thresholds

_ORDER = ("well", "degraded", "down")


async def check_health(findings: Findings, settings: Settings, broker: Broker, now: datetime) -> None:
    """Note how it is, in the line that the overview shows, and each cause of it with what to do."""
    async with clients.admin(settings) as admin:
        found = await list_members(admin, settings.app_id)
    members = [own_of_state(member, broker.topics.partitions) for member in found]
    told = [report.health for report in await _ask_all(members) if report.health is not None]
    parts = await broker.parts()
    if told:
        judgement = max(told, key=lambda one: (_ORDER.index(one.level), len(one.causes), one.at))
    else:
        judgement = await _judge_from_afar(settings, broker, members, parts, now)
    note(findings, judgement)
    if members and not told:
        text = f"None of {count_of(len(members), 'worker')} answers from here: which are silent is not known."
        todo = "Run the doctor where FAIRWAY_WEB_NAME and port of the workers can be reached, or see the overview."
        findings.warn("workers", text, todo)


async def _ask_all(members: Sequence[Member]) -> list[Report]:
    client = make_client()
    try:
        answers = await asyncio.gather(*(ask_report(client, one.address, one.name) for one in members))
    finally:
        await client.aclose()
    return [answer for answer in answers if answer is not None]


async def _judge_from_afar(
    settings: Settings, broker: Broker, members: Sequence[Member], parts: Sequence[Part], now: datetime
) -> Judgement:
    """Return what can be said by one look at Kafka: who is in the group, and what waits."""
    sample = Sample(now, tuple(parts), tuple(members), await broker.oldest_waiting(parts))
    memory = Memory()
    memory.note_members(members, now)
    count = broker.topics.partitions
    partitions = memory.list_partitions(count, measure_waiting([sample], count), now)
    behind = sample.unwritten() or 0
    seen = Observation(now, now, Link(now), Link(), memory.list_workers(), partitions, behind)
    return judge(seen, msgspec.structs.replace(read_thresholds(settings), closed=timedelta()))


def note(findings: Findings, judgement: Judgement) -> None:
    """Note a judgement: its line with what to do first, then what else there is."""
    causes = list(judgement.causes)
    if judgement.level == "well":
        findings.ok("health", judgement.line)
    else:
        findings.fail("health", judgement.line, _advise(causes.pop(0)))
    for cause in causes:
        _note_cause(findings, cause)


def _note_cause(findings: Findings, cause: Cause) -> None:
    text = f"{cause.text[:1].upper()}{cause.text[1:]}."
    if cause.weight == "notice":
        findings.warn(cause.check, text, _advise(cause))
    else:
        findings.fail(cause.check, text, _advise(cause))


def _advise(cause: Cause) -> str:
    """Return what to do, and where the runbook stands that says more."""
    return f"{cause.todo} Runbook: {cause.runbook}." if cause.runbook else cause.todo
