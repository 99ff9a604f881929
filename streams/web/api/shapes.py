"""What the API takes and gives, in camelCase."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from models import limits
from streams.engine.payload import Rejection, check_data
from streams.web.queries import cursors

Tenant = Annotated[str, StringConstraints(min_length=1, max_length=limits.TENANT_ID, pattern=limits.TENANT_PATTERN)]
CustomerId = Annotated[
    str, StringConstraints(min_length=1, max_length=limits.CUSTOMER_ID, pattern=limits.CUSTOMER_PATTERN)
]
EnrollmentStatus = Literal["ACTIVE", "COMPLETED", "EXITED", "FAILED"]
Thing = TypeVar("Thing")
Model = TypeVar("Model", bound=BaseModel)


class Shape(BaseModel):
    """What all shapes share."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class Problem(BaseModel):
    """What is wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Page(Shape, Generic[Thing]):
    """Some of a list; `next` leads to more of it, null at its end."""

    items: list[Thing]
    next: str | None = None

    @classmethod
    def of(cls, shape: type[Model], page: cursors.Page) -> "Page[Model]":
        """Return a page of rows of Postgres as objects of this shape."""
        return Page[Model](items=[shape.model_validate(row) for row in page.rows], next=page.next)


class Enrollment(Shape):
    """One entry of a customer into a journey."""

    id: str
    tenant_id: str
    club_id: str | None
    journey_id: str
    version: int
    customer_id: str
    enrollment_key: str
    entry_number: int
    status: EnrollmentStatus
    current_step_id: str | None
    current_step_number: int
    waiting_until: datetime | None
    enrolled_at: datetime
    completed_at: datetime | None
    exited_at: datetime | None
    exit_reason: str | None
    detail: str | None
    trigger_data: dict[str, Any] | None
    converted_at: datetime | None


class EnrollmentStep(Shape):
    """What became of a step for one enrolment."""

    step_id: str
    step_number: int
    status: Literal["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "SKIPPED"]
    visits: int = 0
    entered_at: datetime | None = None
    completed_at: datetime | None = None
    result: dict[str, Any] | None = None


class EnrollmentDetail(Enrollment):
    """An enrolment with all steps of its version."""

    steps: list[EnrollmentStep]


class CustomerDetail(Shape):
    """A customer's profile as last seen."""

    tenant_id: str
    customer_id: str
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Happening(Shape):
    """One activity record of a customer's timeline."""

    activity_id: str
    at: datetime
    club_id: str | None
    cause: dict[str, Any]
    entries: list[dict[str, Any]]


class AsOf(Shape):
    """Up to which offset of a partition of the changelog a row holds what was committed."""

    partition: int
    offset: int


class State(Shape):
    """A customer's row as the owner committed it last; null where there is none, or where it is damaged."""

    customer_id: str
    state: dict[str, Any] | None
    damaged: bool = False
    as_of: AsOf


class States(Page[State]):
    """Rows of all workers that answered; of `partitions` there are, `open` ones were looked into."""

    workers: int
    answered: int
    partitions: int
    open: int


def _read_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return data as an event could bring it; raises ValueError for other."""
    found = check_data(data)
    if isinstance(found, Rejection):
        raise ValueError(found.reason)  # noqa: TRY004 - of pydantic's, not of Python's types
    return found


EventData = Annotated[dict[str, Any], AfterValidator(_read_data)]


class ByHand(Shape):
    """Whom to enrol, with the data that an event would bring."""

    customer_id: CustomerId
    data: EventData = {}


class Leaver(Shape):
    """Whom to take out."""

    customer_id: CustomerId


class Many(Shape):
    """Whom to enrol or to take out."""

    action: Literal["enroll", "exit"]
    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=100_000)]
    data: EventData = {}


class Run(Shape):
    """How far a run over many customers is."""

    id: int
    tenant_id: str
    journey_id: str
    action: Literal["enroll", "exit"]
    total: int
    done: int
    created_at: datetime
    finished_at: datetime | None
    error: str | None = None


class Accepted(Shape):
    """What was put on Kafka; what comes of it is in the customer's timeline."""

    accepted: int


class Published(Shape):
    """The topic that an event was put on."""

    topic: str


class Change(Shape):
    """One line of the audit."""

    id: int
    at: datetime
    tenant_id: str
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
