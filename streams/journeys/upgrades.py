"""Journeys that need a newer Fairway than some workers are: refused until all workers are upgraded (R66)."""

from collections.abc import Iterable

from models.form import RELEASES, form_of, tell_newer
from models.journey import Journey
from streams.errors import FairwayError
from streams.journeys.authoring import ConflictError
from streams.kafka.clients import admin
from streams.kafka.members import Member, list_members
from streams.settings import Settings


class NotYetError(ConflictError):
    """Some workers could not read the journey, and would end."""


async def refuse_newer(settings: Settings, journeys: Iterable[Journey]) -> None:
    """Raise NotYetError for a journey that uses what not all workers know; asks Kafka only where that may be."""
    needs = {journey.name: form for journey in journeys if (form := form_of(journey)) > 1}
    if not needs:
        return
    try:
        async with admin(settings) as asking:
            members = await list_members(asking, settings.app_id)
    except FairwayError as error:
        raise NotYetError(f"Whether all workers can read '{next(iter(needs))}' is not known. {error}") from None
    for name, form in needs.items():
        if older := [member for member in members if member.form < form]:
            raise NotYetError(_tell(name, form, older, len(members)))


def _tell(name: str, form: int, older: list[Member], workers: int) -> str:
    hosts = ", ".join(sorted({member.host for member in older}))
    newer = tell_newer(f"Journey '{name}'", form, RELEASES[form]).removesuffix(".")
    return f"{newer}, but {len(older)} of {workers} workers are older ({hosts}): upgrade them first."
