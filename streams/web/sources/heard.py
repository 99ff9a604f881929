"""What an enrolment has heard and waits to use, as the worker that has its customer committed it last."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.customer import Enrollment, Memory
from models.ids import customer_key
from models.journey import Journey
from models.steps import WaitStep
from streams.web.sources.rows import find_enrollment
from streams.web.sources.sources import Sources
from streams.web.sources.worker import open_store


class Heard(msgspec.Struct, frozen=True):
    """What was heard and when, as a sentence whose middle is the moment."""

    beginning: str
    at: datetime
    end: str


class _Enrolled(msgspec.Struct, frozen=True):
    """As much of a customer's row as is asked for."""

    enrollments: dict[str, Enrollment] = {}


async def read_heard(sources: Sources, request: Request, row: Mapping[str, Any], journey: Journey) -> list[Heard]:
    """Return what an ACTIVE enrolment has heard, the first first; nothing where no worker can say."""
    if row["status"] != "ACTIVE" or not any(_listens(step) for step in journey.steps):
        return []
    key = customer_key(row["tenant_id"], row["customer_id"])
    partition = sources.table.partition_of(key)
    store = open_store(sources.table, partition)
    if store is not None:
        enrollment = find_enrollment(store.get(key), row["id"])
    else:
        enrollment = await _ask_owner(sources, request, partition, row)
    return sorted(_list_heard(enrollment, journey), key=lambda heard: heard.at) if enrollment else []


def _listens(step: object) -> bool:
    return isinstance(step, WaitStep) and bool(step.config.events or step.config.rules)


async def _ask_owner(
    sources: Sources, request: Request, partition: int, row: Mapping[str, Any]
) -> Enrollment | None:
    """Return the enrolment as another worker has it."""
    try:
        state = await sources.peers.ask_state(request, partition, row["tenant_id"], row["customer_id"])
        enrolled = msgspec.convert(state or {}, _Enrolled, str_keys=True)
    except (HTTPException, msgspec.ValidationError):  # it can't be asked now, or hides what it is asked for
        return None
    return enrolled.enrollments.get(row["id"])


def _list_heard(enrollment: Enrollment, journey: Journey) -> Iterator[Heard]:
    memory = enrollment.memory or Memory()
    for step_id, events in memory.events.items():
        for place, event in events.items():
            type_ = _name_event(journey, step_id, place)
            yield Heard(f"Has heard {type_}", event.at, f", kept for “{step_id}”.")
    if memory.ended is not None and not memory.ended.policy:
        type_ = _name_event(journey, enrollment.step, memory.ended.listener)
        beginning = f"{type_} came" if memory.ended.event else "Its rules came true"
        yield Heard(beginning, memory.ended.at, ": it goes on when the journey is resumed.")


def _name_event(journey: Journey, step_id: str, place: int) -> str:
    for step in journey.steps:
        if step.id == step_id and isinstance(step, WaitStep):
            return "".join(one.event_type for one in (step.config.events or ())[place : place + 1])
    return ""
