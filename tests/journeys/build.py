"""What tests of definitions are made of: journeys from files, and records of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from models.journey import Journey, JourneyStatus
from streams.journeys import files
from streams.journeys.records import JourneyState, status_record, version_record

MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)
Record = tuple[bytes, bytes]
GOOD = """\
tenantId: pinehurst
name: Welcome
triggerType: scl.member.created
steps:
  - {id: start, type: TRIGGER}
  - {id: mail, type: SEND, config: {channel: EMAIL, templateId: hello}}
"""
BAD = GOOD.replace("EMAIL", "").replace("name: Welcome", "name: Bad\ntimezone: Mars")


def read_examples(paths: Iterable[Path]) -> list[Journey]:
    return files.read_journeys(paths)


def version(one: Journey) -> Record:
    key, value = version_record(one)
    return key.encode(), value


def status(one: Journey, status: JourneyStatus = JourneyStatus.ACTIVE, revision: int = 1) -> Record:
    state = JourneyState(one.tenant_id, one.id, one.name, status, one.version, MORNING, revision)
    key, value = status_record(state)
    return key.encode(), value
