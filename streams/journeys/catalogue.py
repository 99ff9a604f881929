"""What the definitions topic says: the state of each journey, its versions, and the records that can't be used.

A record that can't be used is put aside with the reason, and changes nothing: what was known under its key before
stays in force. A version of which only such a record is known is damaged: who is in it waits until it is mended.
"""

from collections.abc import Iterable

import msgspec

from models.journey import JourneyStatus
from streams.engine.compiled import CompiledJourney
from streams.engine.compiling import compile_journey
from streams.engine.journeys import Journeys, Standing
from streams.journeys.records import (
    JourneyState,
    Key,
    NewerError,
    UnusableError,
    check_form,
    read_key,
    read_status,
    read_version,
)

Versions = dict[str, dict[int, CompiledJourney]]


class Catalogue(msgspec.Struct, frozen=True):
    """What the definitions topic says, up to some offset.

    `states` and `versions` are by journey id; `pending` are the values of versions that are not compiled yet.
    `refused` and `newer` say of records by key why they can't be used: at all, or by this Fairway.
    """

    states: dict[str, JourneyState] = {}
    versions: Versions = {}
    pending: dict[Key, bytes] = {}
    refused: dict[str, str] = {}
    newer: dict[str, str] = {}

    def find(self, tenant_id: str, name: str) -> JourneyState | None:
        """Return how a journey stands, by name or id."""
        for state in self.states.values():
            if state.tenant_id == tenant_id and name in (state.name, state.journey_id):
                return state
        return None

    def journeys(self) -> Journeys:
        """Return the snapshot that the engine runs on."""
        refused = [read_key(key.encode()) for key in self.refused if _is_key(key)]
        standings = {
            # Nobody enters and no wait fires while it is not known how the journey stands.
            key.journey_id: Standing(JourneyStatus.PAUSED, max(self.versions[key.journey_id]))
            for key in refused
            if key.version is None and self.versions.get(key.journey_id)
        }
        standings |= {id_: Standing(one.status, one.version, one.updated_at) for id_, one in self.states.items()}
        damaged = frozenset(
            (key.journey_id, key.version)
            for key in refused
            if key.version is not None and key.version not in self.versions.get(key.journey_id, {})
        )
        return Journeys(self.versions, standings, damaged)


def _is_key(text: str) -> bool:
    try:
        read_key(text.encode())
    except UnusableError:
        return False
    return True


def read(catalogue: Catalogue, records: Iterable[tuple[bytes | None, bytes | None]]) -> Catalogue:
    """Return the catalogue after more records, whose versions are not compiled yet; never raises."""
    after = Catalogue(*(dict(part) for part in msgspec.structs.astuple(catalogue)))
    for raw_key, value in records:
        name = (raw_key or b"").decode(errors="backslashreplace")
        after.refused.pop(name, None)
        after.newer.pop(name, None)
        try:
            key = read_key(raw_key)
            _check_owner(after, key)
            if value is None:
                _forget(after, key)
            elif key.version is None:
                _take_status(after, key, value)
            else:
                check_form(key, value)
                after.pending[key] = value
        except NewerError as error:
            after.newer[name] = str(error)
        except UnusableError as error:
            after.refused[name] = str(error)
    return after


def _check_owner(catalogue: Catalogue, key: Key) -> None:
    """Refuse what one tenant says of another's journey."""
    state = catalogue.states.get(key.journey_id)
    versions = catalogue.versions.get(key.journey_id, {}).values()
    owner = state.tenant_id if state else next((version.tenant_id for version in versions), key.tenant_id)
    if owner != key.tenant_id:
        raise UnusableError("The journey's id belongs to another tenant.")


def _forget(catalogue: Catalogue, key: Key) -> None:
    if key.version is None:
        catalogue.states.pop(key.journey_id, None)
        return
    catalogue.pending.pop(key, None)
    kept = catalogue.versions.get(key.journey_id, {})
    catalogue.versions[key.journey_id] = {number: one for number, one in kept.items() if number != key.version}


def _take_status(catalogue: Catalogue, key: Key, value: bytes) -> None:
    state, before = read_status(key, value), catalogue.states.get(key.journey_id)
    # A record that was sent again after a crash must not undo a newer one, not even for a moment.
    if before is None or before.revision <= state.revision:
        catalogue.states[key.journey_id] = state


def compile_pending(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with its versions compiled, but for drafts, which nobody is in; never raises."""
    versions, pending, refused = dict(catalogue.versions), dict(catalogue.pending), dict(catalogue.refused)
    for key, value in catalogue.pending.items():
        state = catalogue.states.get(key.journey_id)
        if state is not None and state.status is JourneyStatus.DRAFT:
            continue
        del pending[key]
        name = f"{key.tenant_id}:{key.journey_id}:{key.version}"
        try:
            compiled = compile_journey(read_version(key, value))
        except ValueError as error:
            refused[name] = str(error)
        except Exception as error:
            refused[name] = f"It can't be compiled: {error!r}."
        else:
            versions[key.journey_id] = {**versions.get(key.journey_id, {}), compiled.version: compiled}
    return Catalogue(catalogue.states, versions, pending, refused, catalogue.newer)
