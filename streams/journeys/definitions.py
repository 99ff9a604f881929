"""Journeys on their way to the workers: the records of the definitions topic, and who follows them into memory.

Each version of a journey is one record that never changes; the journey's status is another, under its own key.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from models.journey import Journey, JourneyStatus
from streams.cancellation import end_tasks
from streams.engine.compiled import CompiledJourney, compile_journey
from streams.engine.journeys import Journeys, Standing
from streams.kafka.topics import DEFINITIONS

_log = structlog.get_logger()
_PARTITION = TopicPartition(DEFINITIONS, 0)
_AGAIN = 1.0  # seconds until the broker is asked again after an error


class JourneyState(msgspec.Struct, frozen=True, rename="camel"):
    """How a journey stands: its newest version, its status, and which change of the journey brought it there."""

    tenant_id: str
    journey_id: str
    name: str
    status: JourneyStatus
    version: int
    updated_at: str
    revision: int = 0


def version_record(journey: Journey) -> tuple[str, bytes]:
    """Return key and value of the record that holds one version of a journey."""
    value = journey.model_dump_json(by_alias=True, exclude_none=True, exclude={"status"})
    return f"{journey.tenant_id}:{journey.id}:{journey.version}", value.encode()


def status_record(known: JourneyState) -> tuple[str, bytes]:
    """Return key and value of the record that says how a journey stands."""
    return f"{known.tenant_id}:{known.journey_id}", msgspec.json.encode(known)


class Catalogue(msgspec.Struct, frozen=True):
    """What the definitions topic says, up to some offset."""

    known: dict[str, JourneyState] = {}
    versions: dict[str, dict[int, CompiledJourney]] = {}

    def find(self, tenant_id: str, name: str) -> JourneyState | None:
        """Return how a journey stands, by name or id."""
        for known in self.known.values():
            if known.tenant_id == tenant_id and name in (known.name, known.journey_id):
                return known
        return None

    def journeys(self) -> Journeys:
        """Return the snapshot that the engine runs on."""
        return Journeys(self.versions, {id_: _stand(known) for id_, known in self.known.items()})


def read(catalogue: Catalogue, records: Iterable[tuple[bytes | None, bytes | None]]) -> Catalogue:
    """Return the catalogue after more records; one that can't be used is logged and changes nothing."""
    known, versions = dict(catalogue.known), dict(catalogue.versions)
    for key, value in records:
        try:
            _read_record((key or b"").decode().split(":"), value, known, versions)
        except (ValueError, ValidationError, msgspec.MsgspecError) as error:
            _log.error("a definition can't be used", key=key, error=str(error))
    return Catalogue(known, versions)


def _read_record(
    key: list[str],
    value: bytes | None,
    known: dict[str, JourneyState],
    versions: dict[str, dict[int, CompiledJourney]],
) -> None:
    _, journey_id, *version = key
    if version:
        others = {
            number: kept for number, kept in versions.get(journey_id, {}).items() if str(number) != version[0]
        }
        if value is not None:
            journey = Journey.model_validate_json(value)
            others[journey.version] = compile_journey(journey)
        versions[journey_id] = others
    elif value is None:
        known.pop(journey_id, None)
    else:
        status = msgspec.json.decode(value, type=JourneyState)
        # A record that was sent again after a crash must not undo a newer one, not even for a moment.
        if journey_id not in known or known[journey_id].revision <= status.revision:
            known[journey_id] = status


def _stand(known: JourneyState) -> Standing:
    since = datetime.fromisoformat(known.updated_at) if known.updated_at else None
    return Standing(known.status, known.version, since)


def _ignore(_: Journeys) -> None:
    """Stand in for a callback."""


class Definitions:
    """Follows the definitions topic; `journeys` is the newest snapshot, `catalogue` what it was made of."""

    def __init__(self, brokers: str, changed: Callable[[Journeys], None] = _ignore, **security: Any) -> None:
        self.catalogue = Catalogue()
        self.journeys = Journeys()
        self._changed = changed
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=brokers, enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed", fetch_max_wait_ms=200, **security,
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> "asyncio.Task[None]":
        """Read the topic to its end; return what goes on following it until `stop`."""
        await self.load()
        self._task = asyncio.create_task(self._follow())
        return self._task

    async def load(self) -> Catalogue:
        """Read the topic to its end."""
        await self._consumer.start()
        self._consumer.assign([_PARTITION])
        end = (await self._consumer.end_offsets([_PARTITION]))[_PARTITION]
        while await self._consumer.position(_PARTITION) < end:
            await self._poll()
        return self.catalogue

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            await end_tasks(self._task)
        await self._consumer.stop()

    async def _follow(self) -> None:
        while True:
            try:
                await self._poll()
            except KafkaError as error:
                _log.warning("the definitions can't be read for now", error=str(error))
                await asyncio.sleep(_AGAIN)

    async def _poll(self) -> None:
        batches = await self._consumer.getmany(_PARTITION, timeout_ms=1000)
        records = [(record.key, record.value) for batch in batches.values() for record in batch]
        if records:
            self.catalogue = read(self.catalogue, records)
            self.journeys = self.catalogue.journeys()
            self._changed(self.journeys)


async def load_catalogue(brokers: str) -> Catalogue:
    """Return what the definitions topic says now."""
    definitions = Definitions(brokers)
    try:
        return await definitions.load()
    finally:
        await definitions.stop()
