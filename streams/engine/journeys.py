"""Which journeys a worker knows: an immutable snapshot, indexed so that journeys that don't match cost nothing."""

from datetime import datetime
from typing import NamedTuple

from models.journey import MANUAL, Journey, JourneyStatus
from streams.engine.compiled import CompiledJourney
from streams.engine.compiling import compile_journey


class Standing(NamedTuple):
    """Where a journey stands, the version that new entries use, and since when, if that is known."""

    status: JourneyStatus
    newest: int
    since: datetime | None = None


class Journeys:
    """All journeys that a worker knows, at one moment; `with_…` return a changed copy.

    `wanted` has, by tenantId and eventType, the newest version of each ACTIVE or PAUSED journey that such an event
    triggers, and `heard` the ids of those of which any version listens for it; `useful` has the keys of both.
    `asking` are those that a change of the profile may move. `archived`, `paused` and `limited` are the ids of
    journeys in that status, or with maxEnrollments.
    `damaged` are the versions, as (journey id, version), whose definition can't be read: who is in one waits.
    """

    def __init__(
        self,
        versions: dict[str, dict[int, CompiledJourney]] | None = None,
        statuses: dict[str, Standing] | None = None,
        damaged: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self._versions = versions or {}
        self._statuses = statuses or {}
        self.damaged = damaged
        self.wanted: dict[tuple[str, str], tuple[CompiledJourney, ...]] = {}
        for id_ in self._statuses:
            journey = self.newest(id_)
            if journey is None or journey.trigger_type == MANUAL:  # whatever an event calls itself (R6)
                continue
            if self.status(id_) in (JourneyStatus.ACTIVE, JourneyStatus.PAUSED):
                key = (journey.tenant_id, journey.trigger_type)
                self.wanted[key] = (*self.wanted.get(key, ()), journey)
        self.heard = self._index_heard()
        self.useful = frozenset(self.wanted.keys() | self.heard.keys())
        self.asking = frozenset(
            id_ for id_, versions_ in self._versions.items() if any(journey.asks for journey in versions_.values())
        )
        self.archived = self._with_status(JourneyStatus.ARCHIVED)
        self.paused = self._with_status(JourneyStatus.PAUSED)
        self.limited = frozenset(
            id_
            for id_, versions_ in self._versions.items()
            if any(journey.max_enrollments is not None for journey in versions_.values())
        )

    def with_version(self, journey: Journey) -> "Journeys":
        """Return a snapshot that knows this version too."""
        versions = self._versions.get(journey.id, {}) | {journey.version: compile_journey(journey)}
        return Journeys(self._versions | {journey.id: versions}, self._statuses, self.damaged)

    def without_version(self, journey_id: str, version: int) -> "Journeys":
        """Return a snapshot that has forgotten this version."""
        kept = {
            number: journey for number, journey in self._versions.get(journey_id, {}).items() if number != version
        }
        return Journeys(self._versions | {journey_id: kept}, self._statuses, self.damaged)

    def with_status(
        self, journey_id: str, status: JourneyStatus, newest: int, since: datetime | None = None
    ) -> "Journeys":
        """Return a snapshot in which the journey has this status, and new entries use version `newest`."""
        standings = self._statuses | {journey_id: Standing(status, newest, since)}
        return Journeys(self._versions, standings, self.damaged)

    def find(self, journey_id: str, version: int) -> CompiledJourney | None:
        """Return one version of a journey."""
        return self._versions.get(journey_id, {}).get(version)

    def newest(self, journey_id: str) -> CompiledJourney | None:
        """Return the version that new entries use."""
        standing = self._statuses.get(journey_id)
        return self.find(journey_id, standing.newest) if standing else None

    def status(self, journey_id: str) -> JourneyStatus | None:
        """Return where the journey stands; None if it is not known."""
        standing = self._statuses.get(journey_id)
        return standing.status if standing else None

    def holds(self, journey_id: str, due: datetime) -> bool:
        """Say whether a wait that is due is held back, or comes after those that are (R29).

        Journeys are not changed often: what was due before the last change of one that is ACTIVE now was due in a
        pause, or while no worker ran.
        """
        standing = self._statuses.get(journey_id)
        if standing is None:
            return False
        is_behind = standing.since is not None and due < standing.since
        return standing.status is JourneyStatus.PAUSED or (standing.status is JourneyStatus.ACTIVE and is_behind)

    def _with_status(self, status: JourneyStatus) -> frozenset[str]:
        return frozenset(id_ for id_, standing in self._statuses.items() if standing.status == status)

    def _index_heard(self) -> dict[tuple[str, str], frozenset[str]]:
        """Return by tenantId and eventType the journeys that listen; who left an archived one has its goal left."""
        heard: dict[tuple[str, str], set[str]] = {}
        for id_, versions in self._versions.items():
            status = self.status(id_)
            for journey in versions.values() if status is not JourneyStatus.DRAFT else ():
                goal = journey.goal.listeners if journey.goal else ()
                is_over = status is JourneyStatus.ARCHIVED
                for event_type in {one.event_type for one in goal} if is_over else journey.hears:
                    heard.setdefault((journey.tenant_id, event_type), set()).add(id_)
        return {key: frozenset(ids) for key, ids in heard.items()}
