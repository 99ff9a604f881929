"""Watch enrolments that are over, for a goal that they may still reach (R40, R41)."""

from collections.abc import Iterable

from models.customer import Enrollment, Watch
from models.duration import add
from streams.engine.compiled import CompiledJourney
from streams.engine.draft import LATEST, CustomerDraft

MOST = 16  # watches of a customer


def watch(draft: CustomerDraft, journey: CompiledJourney, enrollment: Enrollment) -> None:
    """Watch an enrolment that ends, unless its goal was reached or its time is over for good."""
    goal, memory = journey.goal, enrollment.memory
    if goal is None or (memory is not None and memory.goal == "reached"):
        return
    until = add(enrollment.enrolled_at, goal.within, journey.zone)
    if until + LATEST < draft.now:
        return
    add_watches(
        draft,
        [
            Watch(
                enrollment.id,
                journey.id,
                journey.version,
                enrollment.enrolled_at,
                until,
                enrollment.key,
                enrollment.entry,
                (enrollment.event or {}).get("eventId", ""),
                enrollment.variants,
                memory.sent if memory else (),
                is_void=memory is not None and memory.goal == "void",
            )
        ],
    )


def add_watches(draft: CustomerDraft, watches: Iterable[Watch]) -> None:
    """Watch these too; of too many, those that end first go."""
    joined = sorted((*draft.customer.watched, *watches), key=lambda watch: (watch.until, watch.id))
    draft.customer.watched = tuple(joined[-MOST:])
