"""How `fairway state move` moves the state to another app id, in steps that may be done again after any break.

The new changelog is marked as incomplete, and each partition of the old state as moved away: no worker begins at
either. One that began before commits only as a member of its group. So once both groups are empty again, what it
has left open is ended, and the marks are written anew, behind all that it did: from there on the old state stands
still. Its rows are copied, and one transaction over all partitions of the new changelog completes it. Before that
one the old state is the state, after it the new one.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from streams.cli.copying import App, Copy, Moved, Tell, fenced
from streams.clock import now
from streams.errors import FairwayError
from streams.history.catching_up import catch_up
from streams.journeys.definitions import load_catalogue
from streams.kafka import provision
from streams.kafka.clients import Admin, admin
from streams.kafka.errors import MigratedError
from streams.kafka.members import list_members
from streams.kafka.mover import Mover
from streams.kafka.readiness import look_at_topics
from streams.kafka.records import Commit
from streams.kafka.topics import Topics, read_topics
from streams.partition.internal_rows import (
    MOVED_FROM,
    MOVED_TO,
    PARTITIONS,
    MovedFrom,
    MovedTo,
    read_partitions,
)
from streams.partition.redistribution import InternalRows, check_target, find_uncounted
from streams.settings import Settings
from streams.state.rocksdb import OLDEST


class Plan(msgspec.Struct, frozen=True):
    """What a move has before it: both numbers of partitions, what waits in the changelog, and what topics lack."""

    partitions: int
    target_partitions: int
    records: int
    creates: bool
    grows: Mapping[str, int]
    is_complete: bool


async def look(settings: Settings, target: str, partitions: int) -> tuple[App, App, Plan]:
    """Return both states and what a move has before it; raises FairwayError where there can be none now."""
    if target == settings.app_id:
        raise FairwayError("A state is moved to another app id than its own: name one that was never used.")
    new = App(settings, target, partitions)
    async with admin(settings) as asking:
        old = await _find_old(asking, settings)
        found = await provision.describe(asking, _wanted(new))
        there = found.pop(new.changelog, None)
        if there is not None and there.partitions != partitions:
            count = f"has {there.partitions} partitions, not {partitions}"
            raise FairwayError(f"'{new.changelog}' {count}: name that number, or another app id.")
        marks = [await new.internal_rows(number) for number in range(partitions)] if there else []
        origin = check_target(old.id, target, marks, now(), OLDEST)
    grows = {name: partitions for name, one in found.items() if one.partitions < partitions}
    return old, new, Plan(old.partitions, partitions, await old.count(), there is None, grows, origin.is_complete)


def _refuse_complete(app: str, target: str, *, is_complete: bool) -> None:
    if is_complete:
        raise FairwayError(f"The state of '{app}' was moved to '{target}' already: start workers of that one.")


async def _refuse_workers(settings: Settings, *apps: str) -> None:
    async with admin(settings) as asking:
        for app in apps:
            if members := await list_members(asking, app):
                raise FairwayError(
                    f"App id '{app}' has workers that run ({len(members)}): stop all, and wait for 6 seconds."
                )


async def _find_old(asking: Admin, settings: Settings) -> App:
    """Return the state that is to be moved; its changelog may have been given partitions that it does not use."""
    changelog = read_topics(settings.topics_file, settings.app_id).changelog
    found = (await look_at_topics(asking, [changelog]))[changelog]
    if not found.partitions:
        raise FairwayError(f"App id '{settings.app_id}' has no state: there is no topic '{changelog}'.")
    app = App(settings, settings.app_id, found.partitions)
    app.partitions = read_partitions((await app.internal_rows(0)).get(PARTITIONS, b"%d" % found.partitions))
    return app


def _wanted(new: App) -> Topics:
    """Return the topics that the new state needs, with as many partitions as it has."""
    topics = [topic for topic in new.topics.all if topic in new.topics.written or topic.name == new.changelog]
    counted = tuple(topic.model_copy(update={"partitions": new.partitions}) for topic in topics)
    return new.topics.model_copy(update={"all": counted})


async def move(settings: Settings, target: str, partitions: int, tell: Tell, *, skips_history: bool) -> Moved:
    """Move the state, or go on with a move that was broken off; raises FairwayError."""
    with _explained():
        old, new, plan = await look(settings, target, partitions)
        _refuse_complete(old.id, target, is_complete=plan.is_complete)
        await _refuse_workers(settings, old.id, target)
        await provision.apply(settings, _wanted(new))
        async with fenced(new.producer(0)) as producer:  # to the end: whoever gives the move up fences it
            await _mark(old, new, producer)
            await _refuse_workers(settings, old.id, target)  # that came while there was no mark yet
            origin = await _mark(old, new, producer)  # behind what they did before they left
            copy = Copy(old, new, producer, origin)
            await copy.run(plan.records, tell)
            await _check_places(old, copy.internal)
            if not skips_history:
                await catch_up(settings)
            await copy.complete()
        return copy.moved


async def give_up(settings: Settings, target: str) -> None:
    """Give the state back to its app id, as long as the move is not complete; raises FairwayError."""
    with _explained():
        async with admin(settings) as asking:
            old = await _find_old(asking, settings)
            new = App(settings, target, 1)
            there = (await look_at_topics(asking, [new.changelog]))[new.changelog]
        if not there.partitions:
            raise FairwayError(f"Nothing is being moved to '{target}': there is no topic '{new.changelog}'.")
        async with fenced(new.producer(0)):  # so that a mover that still runs can't complete it
            origin = check_target(old.id, target, [await new.internal_rows(0)], now(), timedelta.max)
            if origin.is_complete:
                raise FairwayError(f"The move to '{target}' is complete: start workers of that app id.")
            await _reopen(old)


async def _reopen(old: App) -> None:
    await old.mark(MOVED_TO, None)


async def _mark(old: App, new: App, first: Mover) -> MovedFrom:
    """Mark both states, so that no worker begins at either; raises FairwayError if the target has a state.

    `first` is the mover of the target's first partition.
    """
    origin = await _mark_target(old, new, first)
    await old.mark(MOVED_TO, msgspec.json.encode(MovedTo(new.id, new.partitions)))
    return origin


async def _mark_target(old: App, new: App, first: Mover) -> MovedFrom:
    """Take the target's partitions over, and mark them as incomplete; raises FairwayError if it has a state."""
    async with AsyncExitStack() as opened:
        others = [await opened.enter_async_context(fenced(new.producer(n))) for n in range(1, new.partitions)]
        await first.end_open()
        marks = [await new.internal_rows(number) for number in range(new.partitions)]
        origin = check_target(old.id, new.id, marks, now(), OLDEST)
        _refuse_complete(old.id, new.id, is_complete=origin.is_complete)  # by another mover, since we looked
        for producer in (first, *others):
            await producer.commit(Commit({MOVED_FROM: msgspec.json.encode(origin)}, {}, {}))
    return origin


async def _check_places(old: App, internal: list[InternalRows]) -> None:
    journeys = (await load_catalogue(old.settings)).journeys()
    if uncounted := find_uncounted(internal, journeys.limited - journeys.archived):
        await _reopen(old)
        raise FairwayError(
            f"The enrolments of journey {uncounted[0]}, which has maxEnrollments, are still being counted: start "
            "the workers as before, stop them after a minute, and move again. Nothing was moved."
        )


@contextmanager
def _explained() -> Iterator[None]:
    """Tell in a sentence what a broker's refusal means for a move."""
    try:
        yield
    except MigratedError as error:
        raise FairwayError(f"The move was broken off: {error}. Start it again; it goes on.") from None


def run(settings: Settings, target: str, partitions: int, *, skips_history: bool) -> Moved:
    """Move the state, with how far it is, the rate and the time that is left on a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("Moving the state"), BarColumn(), MofNCompleteColumn(), TransferRate(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return asyncio.run(move(settings, target, partitions, tell, skips_history=skips_history))


class TransferRate(ProgressColumn):
    """How many records were moved a second, of late."""

    def render(self, task: Task) -> Text:
        """Return the rate; nothing before there is one."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")
